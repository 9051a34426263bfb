"""Whoever signs up with another's address gets nothing by it, not even where the owner follows the link."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.errors import UnavailableError
from domain.identity.refusals import LinkRefused, SignInRefused, TooManyTries
from domain.identity.secrets import Verdict
from domain.identity.sessions import SignedIn
from domain.quotas import SIGN_IN
from tests.accounts_stage import PASSWORD, AccountsStage, staged_accounts
from tests.fake_quotas import FakeQuotas

STRANGERS = "what a stranger made up"
ANI = "ani@mail.example"
CHOSEN = "\u00e9clairs, many of them"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def made(stage: AccountsStage) -> list[int]:
    """How many people, passwords and sessions there are."""
    return [await stage.count(table) for table in ("person", "password", "session", "sign_in_identity")]


async def test_the_owner_of_a_mailbox_makes_no_account_that_a_stranger_can_open(stage: AccountsStage) -> None:
    await stage.ask(ANI, STRANGERS)
    assert await stage.confirm(PASSWORD) == SignInRefused()
    assert await made(stage) == [0, 0, 0, 0]
    assert isinstance(await stage.sign_in(password=STRANGERS), SignInRefused)
    await stage.ask(ANI, PASSWORD)
    assert isinstance(await stage.confirm(PASSWORD), SignedIn)
    assert await stage.sign_in(password=STRANGERS) == SignInRefused()
    assert isinstance(await stage.sign_in(password=PASSWORD), SignedIn)


async def test_whoever_signs_up_themselves_makes_a_strangers_link_worthless(stage: AccountsStage) -> None:
    await stage.ask(ANI, STRANGERS)
    strangers = stage.token("ConfirmSignUp")
    await stage.ask(ANI, PASSWORD)
    assert await stage.confirm(STRANGERS) == SignInRefused()
    assert await stage.confirm(PASSWORD, strangers) == SignInRefused()
    assert isinstance(await stage.confirm(PASSWORD), SignedIn)
    assert await stage.confirm(STRANGERS, strangers) == LinkRefused()


async def test_the_password_is_that_of_the_link_and_not_of_any_other_sign_up(stage: AccountsStage) -> None:
    await stage.ask(ANI, PASSWORD)
    await stage.ask("budi@mail.example", STRANGERS)
    assert await stage.confirm(PASSWORD) == SignInRefused()
    found = await stage.confirm(STRANGERS)
    assert isinstance(found, SignedIn)
    assert (await stage.people.people([found.session.person]))[found.session.person].mail == "budi@mail.example"


async def test_one_keyboard_or_another_types_the_same_password(stage: AccountsStage) -> None:
    await stage.ask(ANI, CHOSEN)
    assert isinstance(await stage.confirm("e\u0301clairs, many of them"), SignedIn)


@pytest.mark.parametrize("wrong", ["", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "\x00", "a" * 100_000])
async def test_what_is_not_the_password_makes_nobody_and_uses_nothing_up(stage: AccountsStage, wrong: str) -> None:
    await stage.ask(ANI)
    assert await stage.confirm(wrong) == SignInRefused()
    assert await made(stage) == [0, 0, 0, 0]
    assert await stage.count("ticket", "used_at is null and tries = 1") == 1
    assert isinstance(await stage.confirm(), SignedIn)


async def test_after_five_tries_a_link_is_no_good_wherever_they_came_from(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    for number in range(5):
        assert await stage.confirm(STRANGERS, address=f"198.51.100.{number}") == SignInRefused()
    hashed = stage.passwords.calls["verify"]
    assert await stage.confirm(address="198.51.100.9") == LinkRefused()
    assert stage.passwords.calls["verify"] == hashed == 5
    assert await made(stage) == [0, 0, 0, 0]
    await stage.ask(ANI)
    assert isinstance(await stage.confirm(), SignedIn)


async def test_the_fifth_try_is_one_still(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    for _ in range(4):
        assert await stage.confirm(STRANGERS) == SignInRefused()
    assert isinstance(await stage.confirm(), SignedIn)


async def test_many_tries_at_once_are_no_more_than_one_by_one(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    token = stage.token("ConfirmSignUp")
    found = await asyncio.gather(
        *(stage.confirm(STRANGERS, token, f"198.51.100.{number}") for number in range(12)), stage.confirm(STRANGERS)
    )
    assert found.count(SignInRefused()) == stage.passwords.calls["verify"] == 5
    assert found.count(LinkRefused()) == 8


async def test_a_place_that_tries_too_often_waits_and_burns_no_link(stage: AccountsStage) -> None:
    stage.quotas = FakeQuotas(stage.clock, {SIGN_IN.name: replace(SIGN_IN, times=2)})
    await stage.ask(ANI)
    for _ in range(2):
        assert await stage.confirm(STRANGERS) == SignInRefused()
    for _ in range(6):
        assert isinstance(await stage.confirm(), TooManyTries)
    assert await stage.count("ticket", "tries = 2") == 1
    assert isinstance(await stage.confirm(address="198.51.100.9"), SignedIn)


async def test_who_tries_passwords_of_the_address_keeps_nobody_from_confirming_it(stage: AccountsStage) -> None:
    stage.quotas = FakeQuotas(stage.clock, {SIGN_IN.name: replace(SIGN_IN, times=2)})
    await stage.ask(ANI)
    for _ in range(3):
        await stage.sign_in(password=STRANGERS)
    assert isinstance(await stage.sign_in(), TooManyTries)
    assert isinstance(await stage.confirm(), SignedIn)


async def test_a_wrong_password_is_written_down_without_it(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    await stage.confirm(STRANGERS)
    assert (await stage.deeds())[-1] == "sign_up.wrong_password"
    rows = await stage.database.pool.fetch("select to_jsonb(deed)::text as row from deed")
    assert not any(secret in row["row"] for row in rows for secret in (STRANGERS, "ani@"))


async def test_a_password_is_tried_outside_of_every_unit_of_work(
    stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.ask(ANI)
    verify, busy = stage.passwords.verify, list[object]()

    async def watched(text: str, kept: str | None) -> Verdict:
        busy.append(
            await stage.value(
                "select count(*) from pg_stat_activity where state like 'idle in transaction%' and datname ="
                " current_database()"
            )
        )
        return await verify(text, kept)

    monkeypatch.setattr(stage.passwords, "verify", watched)
    assert isinstance(await stage.confirm(), SignedIn)
    assert busy == [0]


async def test_while_too_many_passwords_wait_nothing_is_made(
    stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.ask(ANI)

    async def overloaded(_: str, __: str | None) -> Verdict:
        raise UnavailableError("too many wait")

    with monkeypatch.context() as patch:
        patch.setattr(stage.passwords, "verify", overloaded)
        with pytest.raises(UnavailableError):
            await stage.confirm()
    assert await made(stage) == [0, 0, 0, 0]
    assert isinstance(await stage.confirm(), SignedIn)
