"""Whom a campaign is for, on paper: what each rule finds, and what nobody knows."""

import pytest

from domain.campaign.targeting import EVERYBODY, Facts, Rule, Targeting, Verdict, eligibility
from domain.streamer.model import Category, Platform, Rating

ANI = Facts(
    frozenset({Platform.TIKTOK}),
    "ID",
    "id",
    frozenset({Category.GAMES, Category.TALK}),
    Rating.TEEN,
    average_viewers=80,
)
V = Verdict


def found(targeting: Targeting, facts: Facts = ANI) -> dict[Rule, Verdict]:
    return {finding.rule: finding.verdict for finding in eligibility(targeting, facts).findings}


def test_who_asks_for_nothing_takes_everybody_and_every_rule_says_so() -> None:
    assert found(EVERYBODY) == dict.fromkeys(Rule, V.MET)
    assert eligibility(EVERYBODY, Facts(frozenset(), "ID", "id", frozenset(), Rating.MATURE)).verdict is V.MET


@pytest.mark.parametrize(
    ("rule", "targeting", "verdict"),
    [
        (Rule.PLATFORM, Targeting(platforms=(Platform.TIKTOK, Platform.FACEBOOK)), V.MET),
        (Rule.PLATFORM, Targeting(platforms=(Platform.FACEBOOK,)), V.NOT_MET),
        (Rule.COUNTRY, Targeting(countries=("MY", "ID")), V.MET),
        (Rule.COUNTRY, Targeting(countries=("MY",)), V.NOT_MET),
        (Rule.LANGUAGE, Targeting(languages=("en",)), V.NOT_MET),
        (Rule.CATEGORY, Targeting(categories=(Category.MUSIC, Category.TALK)), V.MET),
        (Rule.CATEGORY, Targeting(categories=(Category.MUSIC,)), V.NOT_MET),
        (Rule.RATING, Targeting(highest_rating=Rating.TEEN), V.MET),
        (Rule.RATING, Targeting(highest_rating=Rating.EVERYONE), V.NOT_MET),
        (Rule.AVERAGE_VIEWERS, Targeting(least_viewers=80), V.MET),
        (Rule.AVERAGE_VIEWERS, Targeting(least_viewers=81), V.NOT_MET),
        (Rule.BRAND_SAFETY, Targeting(avoided=(Category.FOOD,)), V.MET),
        (Rule.BRAND_SAFETY, Targeting(avoided=(Category.FOOD, Category.TALK)), V.NOT_MET),
    ],
)
def test_a_rule_finds_what_is_so_and_nothing_else_changes(rule: Rule, targeting: Targeting, verdict: Verdict) -> None:
    assert found(targeting) == dict.fromkeys(Rule, V.MET) | {rule: verdict}
    assert eligibility(targeting, ANI).verdict is verdict


def test_what_nobody_counted_is_unknown_and_not_a_no() -> None:
    uncounted = Facts(frozenset(), "ID", "id", frozenset({Category.GAMES}), Rating.TEEN)
    assert found(Targeting(least_viewers=1), uncounted)[Rule.AVERAGE_VIEWERS] is V.UNKNOWN
    assert eligibility(Targeting(least_viewers=1), uncounted).verdict is V.UNKNOWN
    assert eligibility(Targeting(least_viewers=1, countries=("MY",)), uncounted).verdict is V.NOT_MET
    assert found(EVERYBODY, uncounted)[Rule.AVERAGE_VIEWERS] is V.MET


def test_why_is_said_in_words_and_as_data() -> None:
    targeting = Targeting(countries=("MY", "SG"), least_viewers=100, avoided=(Category.TALK,))
    findings = {finding.rule: finding for finding in eligibility(targeting, ANI).findings}
    country, viewers, safety = (findings[rule] for rule in (Rule.COUNTRY, Rule.AVERAGE_VIEWERS, Rule.BRAND_SAFETY))
    assert (country.wanted, country.found) == (("MY", "SG"), ("ID",))
    assert country.why == "The campaign asks for a streamer from MY, SG; it is ID."
    assert (viewers.wanted, viewers.found) == (("100",), ("80",))
    assert viewers.why == "The campaign asks for 100 viewers on average; there are 80."
    assert (safety.wanted, safety.found) == (("talk",), ("talk",))
    assert safety.why == "The brand will not be seen beside talk; this stream is about games, talk."
