"""What people agreed to, on a real database: a history that only grows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.identity.consents import give_consent, withdraw_consent
from domain.identity.privacy import Consent, ConsentPurpose
from domain.identity.privacy_refusals import ConsentLasts, DocumentChanged
from domain.identity.refusals import NotWhileImpersonating
from domain.ids import PersonId, uuid7
from tests.privacy_stage import PrivacyStage, staged_privacy

MARKETING, TERMS = ConsentPurpose.MARKETING_MAIL, ConsentPurpose.TERMS


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[PrivacyStage]:
    async with staged_privacy(database) as staged:
        yield staged


async def test_the_history_keeps_every_word_and_the_last_one_holds(stage: PrivacyStage) -> None:
    me = await stage.member()
    given = await give_consent(stage, me, MARKETING, "1")
    assert isinstance(given, Consent)
    assert given.given
    stage.turn(hours=1)
    withdrawn = await withdraw_consent(stage, me, MARKETING)
    assert isinstance(withdrawn, Consent)
    assert (withdrawn.given, withdrawn.version, withdrawn.at) == (False, "1", stage.clock())
    history = await stage.reads.consent_history([me.person], None, 10)
    assert list(history) == [withdrawn, given]
    assert list(await stage.reads.consent_history([me.person], withdrawn.position, 10)) == [given]
    assert list(await stage.reads.consents_of([me.person])) == [withdrawn]
    assert (await stage.deeds())[-2:] == ["consent.given", "consent.withdrawn"]


async def test_saying_it_twice_is_saying_it_once_whoever_comes_first(stage: PrivacyStage) -> None:
    me = await stage.member()
    said = await asyncio.gather(*(give_consent(stage, me, MARKETING, "1") for _ in range(4)))
    assert len({each.position for each in said if isinstance(each, Consent)}) == 1
    assert await stage.count("consent") == 1
    assert await withdraw_consent(stage, me, ConsentPurpose.PROFILING) == Consent(
        ConsentPurpose.PROFILING, "1", given=False, at=stage.clock()
    )
    assert await stage.count("consent") == 1


async def test_nobody_agrees_to_what_is_not_in_force_nor_takes_back_what_an_account_rests_on(
    stage: PrivacyStage,
) -> None:
    me = await stage.member()
    assert isinstance(await give_consent(stage, me, TERMS, "0"), DocumentChanged)
    assert isinstance(await give_consent(stage, me, TERMS, "1"), Consent)
    assert isinstance(await withdraw_consent(stage, me, TERMS), ConsentLasts)
    staff = replace(me, impersonator=PersonId(uuid7()))
    assert isinstance(await give_consent(stage, staff, MARKETING, "1"), NotWhileImpersonating)
    assert isinstance(await withdraw_consent(stage, staff, MARKETING), NotWhileImpersonating)
    assert await stage.count("consent") == 1


async def test_a_newer_version_is_agreed_to_anew(stage: PrivacyStage) -> None:
    me = await stage.member()
    await give_consent(stage, me, TERMS, "1")
    stage.policy = replace(stage.policy, documents={**stage.policy.documents, TERMS: "2"})
    newer = await give_consent(stage, me, TERMS, "2")
    assert isinstance(newer, Consent)
    assert newer.version == "2"
    assert await stage.count("consent") == 2


@pytest.mark.parametrize(
    "forgery",
    [
        "update consent set given = not given",
        "update consent set origin = '\\x00'",
        "update consent set at = at - interval '1 day', origin = null",
        "delete from consent",
        "truncate consent",
    ],
)
async def test_the_history_is_not_rewritten_even_by_its_owner(
    stage: PrivacyStage, database: DatabaseAddresses, forgery: str
) -> None:
    await give_consent(stage, await stage.member(), MARKETING, "1")
    connection = await asyncpg.connect(database.superuser_url)
    try:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(forgery)
        await connection.execute("update consent set origin = null")
    finally:
        await connection.close()
