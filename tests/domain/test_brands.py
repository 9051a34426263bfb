"""A brand's rules on paper: what it may say of itself, and how its verification moves."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from domain.brand.model import NEXT, Billing, Brand, Company, Preferences, Profile, Size, Step, Verification
from domain.ids import BrandId, uuid7
from domain.money import Currency, Money

NOW = datetime(2026, 11, 21, tzinfo=UTC)
COMPANY = Company("Baterai Jaya", "batteries", Size.SMALL, "https://baterai.example")
RUPIAH = [Money.whole(units, Currency.IDR) for units in (0, 5)]
DOLLARS = Money.whole(5, Currency.USD)


def brand(state: Verification = Verification.PENDING) -> Brand:
    decided_at = None if state is Verification.PENDING else NOW
    return Brand(BrandId(uuid7()), Profile(COMPANY), None, NOW, state, "", decided_at)


def wanting(**wishes: Any) -> Profile:
    return Profile(COMPANY, preferences=replace(Preferences(), **wishes))


@pytest.mark.parametrize(
    ("profile", "fault"),
    [
        (Profile(COMPANY), None),
        (Profile(replace(COMPANY, website="")), None),
        (Profile(COMPANY, Billing("Jalan Satu 1\nJakarta")), None),
        (wanting(categories=("Racing",) * 20, budget_least=RUPIAH[0], budget_most=RUPIAH[1]), None),
        (Profile(replace(COMPANY, name="")), "name"),
        (Profile(replace(COMPANY, name=" ")), "name"),
        (Profile(replace(COMPANY, name="n" * 101)), "name"),
        (Profile(replace(COMPANY, name="two\nlines")), "name"),
        (Profile(replace(COMPANY, industry="")), "industry"),
        (Profile(replace(COMPANY, website="javascript:alert(1)")), "website"),
        (Profile(COMPANY, Billing("a" * 501)), "address"),
        (Profile(COMPANY, Billing("a\x00b")), "address"),
        (Profile(COMPANY, Billing(tax_id="1" * 61)), "taxId"),
        (wanting(audience="a" * 201), "audience"),
        (wanting(categories=("Racing",) * 21), "categories"),
        (wanting(regions=("Java", "")), "regions"),
        (wanting(budget_least=RUPIAH[0]), "budget"),
        (wanting(budget_least=RUPIAH[1], budget_most=RUPIAH[0]), "budget"),
        (wanting(budget_least=RUPIAH[0], budget_most=DOLLARS), "budget"),
        (wanting(budget_least=-RUPIAH[1], budget_most=RUPIAH[1]), "budget"),
    ],
)
def test_what_a_brand_may_say_of_itself(profile: Profile, fault: str | None) -> None:
    assert profile.fault == fault


@pytest.mark.parametrize(("state", "step"), list(product(Verification, [Step.VERIFY, Step.REJECT])))
def test_a_decision_is_in_the_table_or_is_none(state: Verification, step: Step) -> None:
    found = brand(state).decided(step, "why", NOW)
    if (state, step) not in NEXT:
        assert found is None
        return
    assert found is not None
    assert (found.verification, found.reason, found.decided_at) == (NEXT[state, step], "why", NOW)


def test_nothing_is_decided_twice() -> None:
    absent = set(product(Verification, Step)) - set(NEXT)
    assert absent == {(Verification.VERIFIED, Step.VERIFY), (Verification.REJECTED, Step.REJECT)}


@pytest.mark.parametrize("state", list(Verification))
def test_staff_looks_again_at_what_it_looked_at(state: Verification) -> None:
    before = brand(state)
    same = before.changed(wanting(audience="everybody"), None)
    assert (same.verification, same.revision, same.decided_at) == (state, 1, before.decided_at)
    for changed in (
        Profile(replace(COMPANY, name="Baterai Maju")),
        Profile(replace(COMPANY, website="")),
        Profile(COMPANY, Billing(tax_id="01")),
        Profile(COMPANY, Billing(address="Jalan Satu 1")),
    ):
        after = before.changed(changed, None)
        assert (after.verification, after.revision, after.decided_at) == (Verification.PENDING, 2, None)
