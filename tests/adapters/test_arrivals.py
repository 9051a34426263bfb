"""Sign-ins from where a person was not seen before: told once for each device and network, to who proved an address."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Origin
from domain.identity.arrivals import place_of
from domain.identity.letters import send_letters
from domain.identity.model import Portal
from domain.identity.passwords import sign_in_with_password
from domain.identity.refusals import PersonBanned, SignInRefused, TooManyTries
from domain.identity.resets import request_password_reset, reset_password
from domain.identity.second_factors import answer_second_factor
from domain.identity.sessions import SignedIn, end_session
from domain.identity.sign_in import SecondFactorNeeded, SignInAnswer
from tests.accounts_stage import ENGLISH, PASSWORD, AccountsStage, origin, staged_accounts
from tests.factor_stage import WRONG, enrolled

HOME = "203.0.113.7"
FAR = "198.51.100.66"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
NEWER_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0.1"
ANI = "ani@mail.example"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def come(
    stage: AccountsStage, address: str = HOME, device: str = "a browser", **more: str
) -> SignInAnswer | TooManyTries:
    """Sign in from somewhere; what is answered."""
    place, password = Origin(address, "request-1", device), more.get("password", PASSWORD)
    return await sign_in_with_password(stage, ANI, password, Portal.PLAYER, place)


async def told(stage: AccountsStage) -> int:
    """How many letters of new sign-ins somebody has got by now."""
    await send_letters(stage, stage.clock())
    return stage.subjects.count("NewSignIn")


async def test_the_first_session_ever_is_no_news_and_neither_is_the_same_place_again(stage: AccountsStage) -> None:
    await stage.member()
    assert isinstance(await come(stage), SignedIn)
    assert await told(stage) == 0


@pytest.mark.parametrize(
    ("address", "device"), [(FAR, "a browser"), (HOME, "another browser"), ("2001:db8::1", "a browser"), (FAR, "")]
)
async def test_another_device_or_network_is_told_once_by_a_letter(
    stage: AccountsStage, address: str, device: str
) -> None:
    await stage.member()
    assert isinstance(await come(stage, address, device), SignedIn)
    assert await told(stage) == 1
    assert stage.mailer.letters[-1].to == ANI
    assert stage.mailer.letters[-1].text == stage.pages.sessions
    for _ in range(2):
        await come(stage, address, device)
        await come(stage)
    assert await told(stage) == 1


async def test_each_new_pair_of_device_and_network_is_news(stage: AccountsStage) -> None:
    await stage.member()
    for address, device in [(FAR, "a browser"), (HOME, "another"), (FAR, "another")]:
        await come(stage, address, device)
    assert await told(stage) == 3


async def test_a_place_stays_known_when_its_session_is_over(stage: AccountsStage) -> None:
    await stage.member()
    found = await come(stage, FAR)
    assert isinstance(found, SignedIn)
    await end_session(stage, stage.actor(found), found.session.id)
    await come(stage, FAR)
    assert await told(stage) == 1


async def test_two_who_arrive_at_once_from_one_new_place_make_one_letter(stage: AccountsStage) -> None:
    await stage.member()
    found = await asyncio.gather(*(come(stage, FAR) for _ in range(4)))
    assert all(isinstance(each, SignedIn) for each in found)
    assert await stage.count("session") == 5
    assert await told(stage) == 1


async def test_who_is_not_let_in_is_no_arrival(stage: AccountsStage) -> None:
    me = await stage.member()
    assert await come(stage, FAR, password="not the password of it") == SignInRefused()
    await stage.database.pool.execute("update person set status = 'banned' where id = $1", me.person)
    assert await come(stage, FAR) == PersonBanned()
    assert await told(stage) == await stage.count("letter", "template = 'NewSignIn'") == 0


async def test_it_is_told_to_no_address_that_was_not_proven(stage: AccountsStage) -> None:
    me = await stage.member()
    await stage.database.pool.execute("update person set mail_verified_at = null where id = $1", me.person)
    assert isinstance(await come(stage, FAR), SignedIn)
    assert await told(stage) == 0


async def test_a_link_that_lets_somebody_in_far_away_is_told_too(stage: AccountsStage) -> None:
    await stage.member()
    await request_password_reset(stage, ANI, ENGLISH, origin(FAR))
    await stage.post()
    link, place = stage.token("ResetPassword"), replace(origin(FAR), device="another")
    assert isinstance(
        await reset_password(stage, link, "another horse, other batteries", Portal.PLAYER, place), SignedIn
    )
    assert await told(stage) == 1


async def test_who_has_a_second_factor_is_told_when_it_was_right_and_not_before(stage: AccountsStage) -> None:
    app, _ = await enrolled(stage, await stage.member())
    before = await told(stage)
    asked = await come(stage, FAR)
    assert isinstance(asked, SecondFactorNeeded)
    assert await answer_second_factor(stage, asked.challenge, WRONG, origin(FAR)) == SignInRefused()
    assert await told(stage) == before == 0
    assert isinstance(await answer_second_factor(stage, asked.challenge, app.next(), origin(FAR)), SignedIn)
    assert await told(stage) == 1


async def test_neither_the_place_nor_a_guess_at_it_can_be_read_from_the_queue(stage: AccountsStage) -> None:
    await stage.member()
    await come(stage, FAR, "a rare device")
    rows = await stage.database.pool.fetch("select to_jsonb(letter)::text as row from letter")
    assert not any(secret in row["row"] for row in rows for secret in (FAR, "a rare device"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((HOME, FIREFOX), (HOME, NEWER_FIREFOX)),
        ((HOME, FIREFOX), ("203.0.113.250", FIREFOX)),
        (("2001:db8:7:1::1", FIREFOX), ("2001:db8:7:ffff::2", FIREFOX)),
        (("no address", ""), ("no address", "")),
    ],
)
def test_newer_programs_and_changing_addresses_of_one_network_are_one_place(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert place_of(*one) == place_of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((HOME, FIREFOX), (HOME, FIREFOX.replace("Linux", "Windows"))),
        ((HOME, FIREFOX), ("203.0.114.7", FIREFOX)),
        (("2001:db8:7::1", FIREFOX), ("2001:db8:8::1", FIREFOX)),
        ((HOME, ""), (HOME, FIREFOX)),
    ],
)
def test_others_are_another(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert place_of(*one) != place_of(*other)
