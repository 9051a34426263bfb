"""Whoever loses a session or a right loses it at once: on every process, on open sockets too, whatever is broken."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from adapters.postgres.standings import LISTENER
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from gql.doorkeeper import CHANGED, ENDED
from gql.node import global_id
from tests.gql.house import Socket
from tests.journeys import asking
from tests.journeys.house import House, Journey, Person
from tests.people import open_session
from tests.waiting import eventually

WITHIN_S = 15.0
"""We promise five seconds, on a machine that has nothing else to do."""
VIEWER = "{ viewer { id } }"

ENDINGS = {
    "revoked": "update session set ended_at = now(), end_reason = 'revoked' where person = $1",
    "banned": "update person set status = 'banned' where id = $1",
}
CHANGES = {
    "a membership of staff that ends": "update membership set ended_at = now() where person = $1 and kind = 'staff'",
    "a membership of a brand that ends": "update membership set ended_at = now() where person = $1 and kind = 'brand'",
    "a role that is another": "update membership set role = 'viewer' where person = $1 and kind = 'brand'",
    "permissions of a role": "update staff_role set permissions = permissions[2:] where $1::uuid is not null",
    "a network for staff": "insert into staff_network select '10.0.0.0/8', 'office' where $1::uuid is not null",
}


@contextmanager
def another_server(house: House, folder: Path, **more: str) -> Iterator[House]:
    """Another server of the same house."""
    same = {"TOKEN_KEY_FILE": str(house.folder / "token-key.pem"), "PUBLIC_URL": house.url}
    other = House(folder, house.database, house.valkey, more={**house.more, **same, **more})
    other.tokens = house.tokens
    try:
        other.start_server()
        yield other
    finally:
        other.stop()


@pytest.fixture(scope="module")
def second(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that is like the first."""
    with another_server(house, tmp_path_factory.mktemp("second")) as server:
        yield server


@pytest.fixture
def deaf(house: House, tmp_path: Path) -> Iterator[House]:
    """A server that can open no connection to hear of changes."""
    with another_server(house, tmp_path, DIRECT_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as server:
        yield server


@pytest.fixture
async def elsewhere(journey: Journey, second: House) -> AsyncIterator[Journey]:
    """The same people at the other server."""
    yield replace(journey, house=second)
    await journey.connection.execute("delete from staff_network")


async def somebody(journey: Journey) -> Person:
    """Staff of ours, and of a brand, with a wallet."""
    found = await journey.enroll(staff=StaffRole.ADMIN, brands={BrandId(uuid7()): BrandRole.MANAGER})
    made = await journey.ask(found.actor, asking.OPEN_WALLET, input={"purpose": "HOSTING_CREDIT", "currency": "IDR"})
    return Person(found.actor, made.data["openWallet"]["id"])


@asynccontextmanager
async def watching(journey: Journey, person: Person) -> AsyncIterator[Socket]:
    """An open subscription."""
    async with journey.conversation(person) as socket:
        await socket.subscribe("1", asking.FOLLOW, id=person.wallet)
        assert (await socket.data("1"))["walletChanged"]["__typename"] == "WalletSnapshot"
        yield socket


async def closes(socket: Socket, reason: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        assert await socket.closing() == (4403, reason)


async def refused_everywhere(person: Person, *journeys: Journey) -> None:
    """Each server hears of it by itself, within the time that we promise."""
    for journey in journeys:
        await eventually(partial(is_refused, journey, person), WITHIN_S)


async def is_refused(journey: Journey, person: Person) -> bool:
    reply = await journey.ask(person.actor, VIEWER)
    return (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])


async def stays(socket: Socket) -> None:
    await socket.send({"type": "ping"})
    assert await socket.next() == {"type": "pong"}


@pytest.mark.parametrize("change", ENDINGS.values(), ids=ENDINGS.keys())
async def test_an_end_is_heard_of_on_every_process(journey: Journey, elsewhere: Journey, change: str) -> None:
    me, other = await somebody(journey), await somebody(journey)
    async with (
        watching(journey, me) as here, watching(elsewhere, me) as there, watching(elsewhere, other) as others,
    ):  # fmt: skip
        await journey.connection.execute(change, me.actor.person)
        await closes(there, ENDED)
        await closes(here, ENDED)
        await stays(others)
    await refused_everywhere(me, journey, elsewhere)
    assert (await elsewhere.ask(other.actor, VIEWER)).status == 200


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_other_rights_are_heard_of_on_every_process(journey: Journey, elsewhere: Journey, change: str) -> None:
    me = await somebody(journey)
    async with watching(journey, me) as here, watching(elsewhere, me) as there:
        await journey.connection.execute(change, me.actor.person)
        await closes(there, CHANGED)
        await closes(here, CHANGED)
    async with watching(elsewhere, me) as again:
        await stays(again)


END = "mutation ($id: ID!) { endSession(input: {sessionId: $id}) { __typename } }"
SIGN_OUT = "mutation { signOut(input: {}) { __typename } }"
END_OTHERS = "mutation { endOtherSessions(input: {}) { ... on SessionsEnded { ended } } }"


async def test_who_signs_out_here_has_left_there(journey: Journey, elsewhere: Journey) -> None:
    me = await somebody(journey)
    async with watching(elsewhere, me) as there:
        assert (await journey.told(me, SIGN_OUT))["__typename"] == "SessionsEnded"
        await closes(there, ENDED)
    await refused_everywhere(me, journey, elsewhere)


async def test_one_device_ends_the_sessions_of_another(journey: Journey, elsewhere: Journey) -> None:
    me = await somebody(journey)
    phone = journey.enrolled[me.actor.person]
    async with watching(elsewhere, me) as on_phone:
        laptop = replace(phone, session=await open_session(journey.connection, phone.person))
        journey.enrolled[phone.person] = laptop
        ended = await journey.told(me, END, id=global_id("Session", phone.session.id))
        assert ended["__typename"] == "SessionsEnded"
        await closes(on_phone, ENDED)
    journey.enrolled[phone.person] = tablet = replace(
        phone, session=await open_session(journey.connection, phone.person)
    )
    async with watching(elsewhere, me) as on_tablet:
        journey.enrolled[phone.person] = laptop
        assert (await journey.told(me, END_OTHERS))["ended"] == 1
        await closes(on_tablet, ENDED)
    assert (await elsewhere.ask(me.actor, VIEWER)).status == 200
    for gone in (phone, tablet):
        journey.enrolled[phone.person] = gone
        await refused_everywhere(me, journey, elsewhere)


async def test_without_valkey_too(journey: Journey, elsewhere: Journey) -> None:
    me = await somebody(journey)
    async with watching(elsewhere, me) as there:
        await asyncio.to_thread(journey.house.valkey.kill)
        try:
            await journey.connection.execute(ENDINGS["revoked"], me.actor.person)
            await closes(there, ENDED)
            await refused_everywhere(me, journey, elsewhere)
        finally:
            await asyncio.to_thread(journey.house.valkey.restart)


async def test_when_the_connection_that_hears_is_cut_too(journey: Journey, elsewhere: Journey) -> None:
    cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = $1 and datname = $2"
    name = await journey.connection.fetchval("select current_database()")
    me = await somebody(journey)
    async with watching(journey, me) as here, watching(elsewhere, me) as there:
        assert await journey.connection.fetchval(cut, LISTENER, name) >= 2
        await journey.connection.execute(ENDINGS["banned"], me.actor.person)
        await closes(there, ENDED)
        await closes(here, ENDED)
        await refused_everywhere(me, journey, elsewhere)


async def test_a_server_that_never_hears_looks_for_itself(journey: Journey, deaf: House) -> None:
    elsewhere, me, other = replace(journey, house=deaf), await somebody(journey), await somebody(journey)
    async with watching(elsewhere, me) as there, watching(elsewhere, other) as others:
        assert "standing_unheard" in deaf.log("server")
        await journey.connection.execute(ENDINGS["revoked"], me.actor.person)
        await refused_everywhere(me, elsewhere)
        await closes(there, ENDED)
        await stays(others)


async def test_a_session_ends_alone(journey: Journey, elsewhere: Journey) -> None:
    me = await somebody(journey)
    phone = journey.enrolled[me.actor.person]
    async with watching(elsewhere, me) as there:
        laptop = await open_session(journey.connection, me.actor.person)
        journey.enrolled[me.actor.person] = replace(phone, session=laptop)
        async with watching(elsewhere, me) as on_laptop:
            end = "update session set ended_at = now(), end_reason = 'revoked' where id = $1"
            await journey.connection.execute(end, phone.session.id)
            await closes(there, ENDED)
            await stays(on_laptop)
    assert (await elsewhere.ask(me.actor, VIEWER)).status == 200
