"""Whom a campaign is for: its rules, and what each of them finds of a streamer, in words and as data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.streamer.model import Category, Platform, Rating
from domain.streamer.places import COUNTRIES, LANGUAGES

MOST_WANTED: Final = 20
"""Values that one rule may list."""
MOST_VIEWERS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Targeting:
    """What a streamer is to be like. What lists nothing asks for nothing."""

    platforms: tuple[Platform, ...] = ()
    countries: tuple[str, ...] = ()
    """ISO 3166-1, two letters."""
    languages: tuple[str, ...] = ()
    """ISO 639-1."""
    categories: tuple[Category, ...] = ()
    highest_rating: Rating = Rating.MATURE
    """Nothing rougher than that."""
    least_viewers: int = 0
    """On average."""
    avoided: tuple[Category, ...] = ()
    """Brand safety: what the brand will not be seen beside, whatever else the stream is about."""

    @property
    def most_of_a_kind(self) -> int:
        """How long the longest list is."""
        lists = (self.platforms, self.countries, self.languages, self.categories, self.avoided)
        return max(map(len, lists))

    @property
    def is_possible(self) -> bool:
        """Whether there are such places and tongues, and nothing is both wanted and avoided."""
        return (
            all(country in COUNTRIES for country in self.countries)
            and all(language in LANGUAGES for language in self.languages)
            and 0 <= self.least_viewers <= MOST_VIEWERS
            and not set(self.categories) & set(self.avoided)
        )


EVERYBODY: Final = Targeting()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a streamer."""

    platforms: frozenset[Platform]
    """Where they have proved an account."""
    country: str
    language: str
    categories: frozenset[Category]
    rating: Rating
    average_viewers: int | None = None
    """None: nobody has counted."""


class Rule(StrEnum):
    """One thing that a campaign asks of a streamer."""

    PLATFORM = "platform"
    COUNTRY = "country"
    LANGUAGE = "language"
    CATEGORY = "category"
    RATING = "rating"
    AVERAGE_VIEWERS = "average_viewers"
    BRAND_SAFETY = "brand_safety"


class Verdict(StrEnum):
    """What a rule finds."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule finds of one streamer, and why."""

    rule: Rule
    verdict: Verdict
    wanted: tuple[str, ...]
    found: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What all rules find. What is unknown keeps nobody out: the brand sees it, and decides."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst that any rule found."""
        verdicts = {finding.verdict for finding in self.findings}
        return next((worst for worst in (Verdict.NOT_MET, Verdict.UNKNOWN) if worst in verdicts), Verdict.MET)


RATINGS: Final = (Rating.EVERYONE, Rating.TEEN, Rating.MATURE)
"""From the mildest to the roughest."""


def eligibility(targeting: Targeting, facts: Facts) -> Eligibility:
    """Hold every rule of a campaign against what is known of a streamer."""
    return Eligibility(tuple(_findings(targeting, facts)))


def _findings(wanted: Targeting, facts: Facts) -> Iterator[Finding]:
    platforms, categories = sorted(facts.platforms), sorted(facts.categories)
    yield _one_of(Rule.PLATFORM, wanted.platforms, platforms, "an account proved on")
    yield _one_of(Rule.COUNTRY, wanted.countries, [facts.country], "a streamer from")
    yield _one_of(Rule.LANGUAGE, wanted.languages, [facts.language], "a stream in")
    yield _one_of(Rule.CATEGORY, wanted.categories, categories, "a stream about")
    fits = RATINGS.index(facts.rating) <= RATINGS.index(wanted.highest_rating)
    why = f"The campaign takes streams rated {wanted.highest_rating} at most; this one is rated {facts.rating}."
    yield _finding(Rule.RATING, fits, (wanted.highest_rating,), (facts.rating,), why)
    yield _viewers(wanted.least_viewers, facts.average_viewers)
    beside = tuple(sorted(facts.categories & set(wanted.avoided)))
    avoided = f"The brand will not be seen beside {_listed(wanted.avoided)}" if wanted.avoided else "Nothing is avoided"
    why = f"{avoided}; this stream is about {_listed(categories)}."
    yield _finding(Rule.BRAND_SAFETY, not beside, wanted.avoided, beside, why)


def _one_of(rule: Rule, wanted: tuple[str, ...], found: Sequence[str], what: str) -> Finding:
    has = not wanted or bool(set(wanted) & set(found))
    asked = f"The campaign asks for {what} {_listed(wanted)}" if wanted else "The campaign asks for nothing here"
    return _finding(rule, has, wanted, tuple(found), f"{asked}; it is {_listed(found)}.")


def _viewers(least: int, average: int | None) -> Finding:
    wanted, found = (str(least),), () if average is None else (str(average),)
    asked = f"The campaign asks for {least} viewers on average"
    if not least:
        return Finding(Rule.AVERAGE_VIEWERS, Verdict.MET, (), found, "The campaign asks for nothing here.")
    if average is None:
        return Finding(Rule.AVERAGE_VIEWERS, Verdict.UNKNOWN, wanted, found, f"{asked}; nobody has counted them yet.")
    return _finding(Rule.AVERAGE_VIEWERS, average >= least, wanted, found, f"{asked}; there are {average}.")


def _finding(rule: Rule, fits: bool, wanted: tuple[str, ...], found: tuple[str, ...], why: str) -> Finding:
    return Finding(rule, Verdict.MET if fits else Verdict.NOT_MET, wanted, found, why)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) if values else "nothing"
