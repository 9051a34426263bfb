"""What a streamer may say of themselves, how accounts are written, and where a link may go."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.clock import system_clock
from domain.ids import BrandId, PersonId, uuid7
from domain.rights import BrandRole, Permission
from domain.streamer.model import (
    NEXT,
    Category,
    LinkId,
    LinkState,
    LinkStep,
    Platform,
    Slot,
    Streamer,
    StreamerId,
    Weekday,
)
from domain.streamer.places import COUNTRIES, LANGUAGES
from domain.streamer.platforms import account_entered, account_index, code_digest, new_code, profile_address
from domain.streamer.profile import may_see, refused_profile
from tests.fake_vault import FakeVault
from tests.streamer_stage import PROFILE

NIGHT = Slot(Weekday.FRIDAY, 20 * 60, 24 * 60)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("displayName", {"display_name": ""}),
        ("displayName", {"display_name": "x" * 51}),
        ("displayName", {"display_name": " Ani"}),
        ("displayName", {"display_name": "A\u202eni"}),
        ("categories", {"categories": ()}),
        ("categories", {"categories": (Category.ART, Category.ART)}),
        ("categories", {"categories": tuple(Category)[:6]}),
        ("language", {"language": "ID"}),
        ("language", {"language": "xx"}),
        ("country", {"country": "id"}),
        ("country", {"country": "UK"}),
        ("timeZone", {"time_zone": "Jakarta"}),
        ("schedule", {"schedule": (Slot(Weekday.MONDAY, 60, 60),)}),
        ("schedule", {"schedule": (Slot(Weekday.MONDAY, 60, 24 * 60 + 1),)}),
        ("schedule", {"schedule": (NIGHT, Slot(Weekday.FRIDAY, 23 * 60, 24 * 60))}),
        ("schedule", {"schedule": tuple(Slot(Weekday.MONDAY, at, at + 1) for at in range(29))}),
    ],
)
def test_a_profile_is_refused_by_the_part_that_is_not_right(field: str, change: dict[str, Any]) -> None:
    refused = refused_profile(replace(PROFILE, **change))
    assert refused is not None
    assert refused.field == field


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"schedule": ()},
        {"display_name": "X"},
        {"schedule": (NIGHT, Slot(Weekday.FRIDAY, 19 * 60, 20 * 60), replace(NIGHT, day=Weekday.MONDAY))},
        {"country": "GB", "language": "en", "time_zone": "Europe/London"},
    ],
)
def test_what_people_say_of_themselves_is_kept(change: dict[str, Any]) -> None:
    assert refused_profile(replace(PROFILE, **change)) is None


def test_there_are_as_many_countries_and_languages_as_the_standards_have() -> None:
    assert (len(COUNTRIES), len(LANGUAGES)) == (249, 183)


@pytest.mark.parametrize(
    ("platform", "text", "account"),
    [
        (Platform.TIKTOK, " @Ani_Plays.id ", "ani_plays.id"),
        (Platform.TIKTOK, "a", None),
        (Platform.TIKTOK, "ends.", None),
        (Platform.TIKTOK, "x" * 25, None),
        (Platform.TIKTOK, "ani plays", None),
        (Platform.TIKTOK, "\u0430ni", None),
        (Platform.FACEBOOK, "Ani.Plays", "ani.plays"),
        (Platform.FACEBOOK, "100012345678901", "100012345678901"),
        (Platform.FACEBOOK, "ani_plays", None),
        (Platform.FACEBOOK, ".....", None),
        (Platform.FACEBOOK, "https://www.facebook.com/ani", None),
    ],
)
def test_the_name_of_an_account_has_one_form(platform: Platform, text: str, account: str | None) -> None:
    assert account_entered(platform, text) == account


def test_dots_tell_accounts_apart_on_one_platform_and_not_on_the_other() -> None:
    vault = FakeVault()
    assert account_index(vault, Platform.FACEBOOK, "ani.plays") == account_index(vault, Platform.FACEBOOK, "aniplays")
    assert account_index(vault, Platform.TIKTOK, "ani.plays") != account_index(vault, Platform.TIKTOK, "aniplays")
    assert account_index(vault, Platform.TIKTOK, "aniplays") != account_index(vault, Platform.FACEBOOK, "aniplays")
    assert profile_address(Platform.TIKTOK, "ani") == "https://www.tiktok.com/@ani"


def test_a_code_is_read_as_people_write_it_and_good_for_one_link() -> None:
    vault, link = FakeVault(), LinkId(uuid7())
    code = new_code()
    kept = code_digest(vault, link, code)
    for written in (
        code.lower(),
        code.replace("-", " "),
        f" {code} ",
        code.removeprefix("GT-"),
        code.replace("0", "o"),
    ):
        assert code_digest(vault, link, written) == kept
    assert code_digest(vault, LinkId(uuid7()), code) != kept
    assert code_digest(vault, link, new_code()) != kept


def test_nothing_leads_out_of_a_link_that_is_over() -> None:
    over = {LinkState.REJECTED, LinkState.UNLINKED, LinkState.WITHDRAWN}
    assert {state for state, _ in NEXT} == set(LinkState) - over
    assert {step for _, step in NEXT} == set(LinkStep)
    decided = {(state, step) for state, step in NEXT if step in {LinkStep.CONFIRM, LinkStep.REJECT}}
    assert decided == {(LinkState.PLACED, LinkStep.CONFIRM), (LinkState.PLACED, LinkStep.REJECT)}


def test_brands_and_who_checks_see_a_streamer_who_is_not_kept_out() -> None:
    me, other = PersonId(uuid7()), PersonId(uuid7())
    shown = Streamer(StreamerId(UUID(int=1)), me, PROFILE, system_clock())
    banned = replace(shown, is_active=False)
    in_a_brand = Actor(other, brands={BrandId(uuid7()): BrandRole.VIEWER})
    checks = Actor(other, permissions=frozenset({Permission.VERIFY_STREAMERS}))
    moderates = Actor(other, permissions=frozenset({Permission.MODERATE_CONTENT}))
    assert [may_see(actor, shown) for actor in (Actor(me), in_a_brand, checks)] == [True, True, True]
    assert [may_see(actor, shown) for actor in (Actor(other), moderates)] == [False, False]
    assert [may_see(actor, banned) for actor in (Actor(me), in_a_brand, checks)] == [True, False, False]
    assert may_see(Actor(other, also=frozenset({me})), banned)
