"""Staff at work on a real database: people with roles, fresh codes, and what the database tells of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.identity.model import STEP_UP_LIFETIME, Session
from domain.ids import PersonId
from domain.rights import StaffRole
from tests.accounts_stage import AccountsStage, origin
from tests.people import enroll
from tests.waiting import eventually

HERE = "127.0.0.1"
WHY = "somebody wrote to support"


async def staffer(
    stage: AccountsStage, role: StaffRole = StaffRole.SUPER_ADMIN, person: PersonId | None = None
) -> Actor:
    """Somebody of staff, behind their second factor and with a fresh code, as the database knows them."""
    enrolled = await enroll(stage.database.pool, person, staff=role)
    await stage.vault.create_key(enrolled.person)
    actor = await as_known(stage, enrolled.session)
    return replace(actor, stepped_up_until=stage.clock() + STEP_UP_LIFETIME)


async def as_known(stage: AccountsStage, session: Session, address: str = HERE) -> Actor:
    """Who calls in a session."""
    standing = await stage.standings.of(session.id)
    assert standing is not None
    return standing.actor(stage.clock(), origin(address))


async def nobody_special(stage: AccountsStage) -> PersonId:
    """A player, who never signed in by any means."""
    enrolled = await enroll(stage.database.pool)
    await stage.vault.create_key(enrolled.person)
    return enrolled.person


@asynccontextmanager
async def told_of_standing(database: DatabaseAddresses) -> AsyncIterator[list[str]]:
    """Whose standing the database says has changed, meanwhile."""
    told: list[str] = []

    def note(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
        told.append(str(payload))

    connection = await asyncpg.connect(database.app_url)
    try:
        await connection.add_listener("standing", note)
        yield told
    finally:
        await connection.close()


async def hears(told: list[str], payload: object) -> None:
    """Wait until the database has told of somebody."""
    await eventually(lambda: str(payload) in told)


async def at_once(*actions: Any) -> list[Any]:
    """What several actions come to that begin together; an exception is an answer, too."""
    return await asyncio.gather(*actions, return_exceptions=True)
