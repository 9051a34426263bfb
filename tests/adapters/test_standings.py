"""Standings: from memory while changes are heard of, from the database otherwise, and never from yesterday."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres import standing_rows
from adapters.postgres.database import Database
from adapters.postgres.standing_memory import StandingMemory
from adapters.postgres.standings import LISTENER, Pace, PostgresStandings, StandingUnknownError
from domain.clock import Clock, system_clock
from domain.identity.model import STAFF_IDLE, PersonStatus, Portal, SignedOutError, Standing
from domain.ids import BrandId, PersonId, SessionId, uuid7
from domain.rights import BrandRole, Permission, StaffRole
from tests.people import Enrolled, enroll, open_session, session_of
from tests.waiting import PATIENCE_S, eventually

QUICK = Pace(deaf_s=0.2, retry_s=0.05, believed_s=30.0)
"""Memory is believed for longer than this machine may be busy with something else."""

DEAF = replace(QUICK, retry_s=3600)
_KILL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = $2"


class House:
    """Standings on a database, with a connection of somebody else's."""

    def __init__(self, standings: PostgresStandings, database: Database, other: asyncpg.Connection) -> None:
        self.standings, self.database, self.other = standings, database, other

    async def somebody(self, **wishes: Any) -> Enrolled:
        return await enroll(self.other, **wishes)

    async def heard(self) -> None:
        await eventually(self.standings._hears)

    async def silence(self) -> None:
        """Cut the connection that hears of changes."""
        name = await self.other.fetchval("select current_database()")
        assert await self.other.fetchval(_KILL, LISTENER, name)
        await eventually(lambda: not self.standings._hears())


@asynccontextmanager
async def house_of(
    addresses: DatabaseAddresses, pace: Pace = QUICK, clock: Clock = system_clock
) -> AsyncIterator[House]:
    other = await asyncpg.connect(addresses.superuser_url)
    async with Database(addresses.app_url) as database, PostgresStandings(database, clock, pace).running() as standings:
        house = House(standings, database, other)
        await house.heard()
        yield house
    await other.close()


@pytest.fixture
async def house(database: DatabaseAddresses) -> AsyncIterator[House]:
    async with house_of(database) as opened:
        yield opened


@contextmanager
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many sessions each statement asked for that read standings meanwhile."""
    sent: list[int] = []
    execute = Connection._execute

    async def noted(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        if query == standing_rows._READ:
            sent.append(len(arguments[0][0]))
        return await execute(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_execute", noted)
        yield sent


async def test_it_says_all_that_decides(house: House) -> None:
    brand, other_brand = BrandId(uuid7()), BrandId(uuid7())
    brands = {brand: BrandRole.OWNER, other_brand: BrandRole.VIEWER}
    me = await house.somebody(staff=StaffRole.MODERATOR, brands=brands, streamer=True)
    await house.other.execute("insert into staff_network values ('10.0.0.0/8', 'office'), ('2001:db8::/32', 'home')")
    earlier = await house.somebody()
    await house.other.execute(
        "update person set status = 'merged', survivor = $1 where id = $2", me.person, earlier.person
    )
    found = await house.standings.of(me.session.id)
    assert found == Standing(
        me.session,
        PersonStatus.ACTIVE,
        StaffRole.MODERATOR,
        frozenset({Permission.VERIFY_BRANDS, Permission.VERIFY_STREAMERS, Permission.MODERATE_CONTENT}),
        ("10.0.0.0/8", "2001:db8::/32"),
        brands,
        is_streamer=True,
        also=frozenset({earlier.person}),
    )


async def test_of_somebody_without_roles_it_says_so(house: House) -> None:
    me = await house.somebody()
    assert await house.standings.of(me.session.id) == Standing(me.session, PersonStatus.ACTIVE)
    assert await house.standings.of(SessionId(uuid7())) is None


async def test_ended_memberships_count_for_nothing(house: House) -> None:
    me = await house.somebody(staff=StaffRole.ADMIN, brands={BrandId(uuid7()): BrandRole.MANAGER}, streamer=True)
    await house.other.execute("update membership set ended_at = now() where person = $1", me.person)
    found = await house.standings.of(me.session.id)
    assert found == Standing(me.session, PersonStatus.ACTIVE)


async def test_a_super_admin_may_do_everything_whatever_the_table_says(house: House) -> None:
    await house.other.execute("update staff_role set permissions = '{}'")
    me = await house.somebody(staff=StaffRole.SUPER_ADMIN)
    you = await house.somebody(staff=StaffRole.ADMIN)
    found = await house.standings.of_all([me.session.id, you.session.id])
    assert found[me.session.id].permissions == frozenset(Permission)
    assert found[you.session.id].permissions == frozenset()


async def test_a_permission_that_nobody_knows_permits_nothing(house: House) -> None:
    await house.other.execute("update staff_role set permissions = '{fly, access_audit}' where role = 'support'")
    me = await house.somebody(staff=StaffRole.SUPPORT)
    found = await house.standings.of(me.session.id)
    assert found
    assert found.permissions == {Permission.ACCESS_AUDIT}


async def test_it_is_read_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    me = await house.somebody()

    async def is_read_once() -> bool:
        """Not yet while news of their coming is still to be heard, which have them read again."""
        house.standings._memory.forget(me.person)
        with reads(monkeypatch) as sent:
            for _ in range(5):
                assert await house.standings.of(me.session.id)
        return sent == [1]

    await eventually(is_read_once)


async def test_many_who_miss_at_once_cost_one_statement(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [await house.somebody() for _ in range(5)]
    with reads(monkeypatch) as sent:
        asked = [me.session.id for me in people] * 20
        found = await asyncio.gather(*map(house.standings.of, asked))
    assert [standing.session.id for standing in found if standing] == asked
    assert sent == [5]


CHANGES = {
    "a session that ends": "update session set ended_at = now(), end_reason = 'revoked' where person = $1",
    "a ban": "update person set status = 'banned' where id = $1",
    "a membership that ends": "update membership set ended_at = now() where person = $1 and kind = 'staff'",
    "a membership that begins": "insert into membership (id, person, kind) values (gen_random_uuid(), $1, 'streamer')",
    "another role": "update membership set role = 'support' where person = $1 and kind = 'staff'",
    "other permissions": "update staff_role set permissions = '{}' where $1::uuid is not null",
    "another network": "insert into staff_network select '10.0.0.0/8', 'office' where $1::uuid is not null",
    "a membership that an operator deletes": "delete from membership where person = $1 and kind = 'staff'",
    "a role that an operator deletes": "delete from staff_role where $1::uuid is not null",
    "a session that an operator deletes": "delete from session where person = $1",
    "a session that an operator cuts short": "update session set expires_at = now() where person = $1",
    "a step up": "update session set stepped_up_at = now() where person = $1",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_change_is_heard_of(house: House, change: str) -> None:
    me, other = await house.somebody(staff=StaffRole.ADMIN), await house.somebody(staff=StaffRole.ADMIN)
    before, others = await house.standings.of(me.session.id), await house.standings.of(other.session.id)
    told: list[PersonId | None] = []
    house.standings.watch(told.append)
    await house.other.execute(change, me.person)

    async def differs() -> bool:
        return await house.standings.of(me.session.id) != before

    await eventually(differs)
    await eventually(lambda: told)
    assert set(told) <= {me.person, None}
    assert await house.standings.of(other.session.id) == others or None in told


async def test_who_looks_through_anothers_eyes_must_remain_staff(house: House) -> None:
    staff, me = await house.somebody(staff=StaffRole.SUPPORT), await house.somebody()
    session = await open_session(house.other, me.person, impersonator=staff.person)
    found = await house.standings.of(session.id)
    assert found
    assert found.actor(system_clock(), None).impersonator == staff.person
    await house.other.execute("update membership set ended_at = now() where person = $1", staff.person)

    async def gone() -> bool:
        return await house.standings.of(session.id) is None

    await eventually(gone)


async def test_who_looks_through_anothers_eyes_began_it_in_a_session_of_their_own_that_goes_on(house: House) -> None:
    staff, other, me = await house.somebody(staff=StaffRole.SUPPORT), await house.somebody(), await house.somebody()
    for through in (None, me.session.id, other.session.id):
        session = await open_session(house.other, me.person, impersonator=staff.person, through=through)
        assert await house.standings.of(session.id) is None
    session = await open_session(house.other, me.person, impersonator=staff.person, through=staff.session.id)
    assert await house.standings.of(session.id)
    ends = "update session set ended_at = now(), end_reason = 'revoked' where id = $1"
    await house.other.execute(ends, staff.session.id)

    async def gone() -> bool:
        return await house.standings.of(session.id) is None

    await eventually(gone)


async def test_while_nothing_is_heard_every_look_reads(
    database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house_of(database, DEAF) as house:
        me = await house.somebody()
        assert await house.standings.of(me.session.id)
        await house.silence()
        with reads(monkeypatch) as sent:
            for _ in range(3):
                assert await house.standings.of(me.session.id)
            assert sent == [1, 1, 1]
        await house.other.execute("update person set status = 'banned' where id = $1", me.person)
        found = await house.standings.of(me.session.id)
        assert found
        assert found.status is PersonStatus.BANNED


async def test_while_nothing_is_heard_watchers_are_told_to_look(database: DatabaseAddresses) -> None:
    async with house_of(database, DEAF) as house:
        told: list[PersonId | None] = []
        end = house.standings.watch(told.append)
        await house.silence()
        await eventually(lambda: len(told) >= 3)
        assert set(told) == {None}
        end()
        count = len(told)
        house.standings._forget(None)
        assert len(told) == count


async def test_what_was_remembered_before_a_silence_is_not_believed_after_it(house: House) -> None:
    me = await house.somebody()
    assert await house.standings.of(me.session.id)
    await house.silence()
    await house.other.execute("update person set status = 'banned' where id = $1", me.person)
    await house.heard()
    found = await house.standings.of(me.session.id)
    assert found
    assert found.status is PersonStatus.BANNED


async def test_a_connection_that_gives_no_sign_of_life_is_not_believed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = await house.somebody()
    assert await house.standings.of(me.session.id)
    house.standings._heard_at -= QUICK.believed_s
    with reads(monkeypatch) as sent:
        assert await house.standings.of(me.session.id)
    assert sent == [1]


async def test_a_listener_that_hangs_is_given_up_and_replaced(own_database: DatabaseAddresses) -> None:
    async with house_of(own_database) as house:
        me = await house.somebody()
        assert await house.standings.of(me.session.id)
        told: list[PersonId | None] = []
        house.standings.watch(told.append)
        find = "select pid from pg_stat_activity where application_name = $1"
        hanging = await house.other.fetchval(find, LISTENER)
        os.kill(hanging, signal.SIGSTOP)
        try:
            await house.other.execute("update person set status = 'banned' where id = $1", me.person)
            await eventually(lambda: told)
            found = await house.standings.of(me.session.id)
            assert found
            assert found.status is PersonStatus.BANNED
            await house.heard()
        finally:
            os.kill(hanging, signal.SIGCONT)


async def test_what_was_being_read_when_it_changed_is_not_remembered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = await house.somebody()
    begun, go_on = asyncio.Event(), asyncio.Event()
    read = standing_rows.read_standings

    async def slowly(*arguments: Any) -> Any:
        found = await read(*arguments)
        begun.set()
        await go_on.wait()
        return found

    with monkeypatch.context() as patch:
        patch.setattr("adapters.postgres.standings.read_standings", slowly)
        early = asyncio.create_task(house.standings.of(me.session.id))
        await begun.wait()
        told: list[PersonId | None] = []
        house.standings.watch(told.append)
        await house.other.execute("update person set status = 'banned' where id = $1", me.person)
        await eventually(lambda: told)
        late = asyncio.create_task(house.standings.of(me.session.id))
        await asyncio.sleep(0)
        go_on.set()
        standings = await asyncio.gather(early, late)
    assert [standing.status for standing in standings if standing] == [PersonStatus.ACTIVE, PersonStatus.BANNED]
    again = await house.standings.of(me.session.id)
    assert again
    assert again.status is PersonStatus.BANNED


async def test_without_the_database_nobody_is_believed(house: House) -> None:
    house.database.pool.terminate()
    with pytest.raises(StandingUnknownError):
        await house.standings.of(SessionId(uuid7()))
    with pytest.raises(StandingUnknownError):
        await house.standings.of_all([SessionId(uuid7())])


class TestUse:
    async def last_used(self, house: House, me: Enrolled) -> datetime:
        found = await house.other.fetchval("select last_used_at from session where id = $1", me.session.id)
        assert isinstance(found, datetime)
        return found

    async def test_it_is_written_down_for_all_at_once_and_never_earlier_than_it_stands(self, house: House) -> None:
        me, you = await house.somebody(), await house.somebody()
        later = datetime.now(UTC) + timedelta(seconds=5)
        house.standings.used(me.session.id, later)
        house.standings.used(you.session.id, you.session.last_used_at - timedelta(seconds=5))
        await house.standings._note()
        assert await self.last_used(house, me) == later
        assert await self.last_used(house, you) == you.session.last_used_at

    async def test_at_the_end_it_is_written_down_too(self, database: DatabaseAddresses) -> None:
        async with house_of(database) as house:
            me = await house.somebody()
            later = datetime.now(UTC) + timedelta(seconds=5)
            house.standings.used(me.session.id, later)
        other = await asyncpg.connect(database.superuser_url)
        assert await other.fetchval("select last_used_at from session where id = $1", me.session.id) == later
        await other.close()

    async def test_a_session_that_somebody_holds_is_waited_for_by_nobody(self, house: House) -> None:
        me, you = await house.somebody(), await house.somebody()
        later = datetime.now(UTC) + timedelta(seconds=5)
        async with house.other.transaction():
            await house.other.execute("select from session where id = $1 for update", me.session.id)
            for one in (me, you):
                house.standings.used(one.session.id, later)
            async with asyncio.timeout(PATIENCE_S):
                await house.standings._note()
        assert await self.last_used(house, you) == later

    async def test_what_could_not_be_written_waits(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        me = await house.somebody()
        later = datetime.now(UTC) + timedelta(seconds=5)
        house.standings.used(me.session.id, later)

        async def fail(*_: object) -> None:
            raise ConnectionResetError

        with monkeypatch.context() as patch:
            patch.setattr("adapters.postgres.standings.write_used", fail)
            with pytest.raises(ConnectionResetError):
                await house.standings._note()
        await house.standings._note()
        assert await self.last_used(house, me) == later

    async def test_who_seems_idle_here_may_have_been_busy_elsewhere(self, database: DatabaseAddresses) -> None:
        now = [datetime.now(UTC)]
        async with house_of(database, clock=lambda: now[0]) as house:
            me = await house.somebody(staff=StaffRole.SUPPORT)
            assert await house.standings.of(me.session.id)
            now[0] += STAFF_IDLE + timedelta(seconds=1)
            await house.other.execute("update session set last_used_at = $2 where id = $1", me.session.id, now[0])
            found = await house.standings.of(me.session.id)
            assert found
            assert found.actor(now[0], None).person == me.person
            now[0] += STAFF_IDLE
            house.standings.used(me.session.id, now[0])
            now[0] += timedelta(minutes=1)
            found = await house.standings.of(me.session.id)
            assert found
            assert found.actor(now[0], None).person == me.person
            now[0] += STAFF_IDLE
            found = await house.standings.of(me.session.id)
            assert found
            with pytest.raises(SignedOutError):
                found.actor(now[0], None)


def test_memory_is_bounded_and_knows_whom_each_concerns() -> None:
    memory = StandingMemory(most=3)
    me, staff = PersonId(uuid7()), PersonId(uuid7())
    mine = [Standing(session_of(me), PersonStatus.ACTIVE) for _ in range(2)]
    looking = Standing(session_of(PersonId(uuid7()), impersonator=staff), PersonStatus.ACTIVE)
    for standing in (*mine, looking):
        memory.put(standing)
    assert memory.get(mine[0].session.id) is mine[0]
    memory.put(replace(looking))
    memory.put(Standing(session_of(PersonId(uuid7()), Portal.BRAND), PersonStatus.ACTIVE))
    assert memory.get(mine[1].session.id) is None
    assert len(memory) == 3
    memory.forget(staff)
    assert memory.get(looking.session.id) is None
    memory.forget(me)
    assert len(memory) == 1
    memory.forget(None)
    assert (len(memory), memory._of) == (0, {})


async def test_the_read_stays_a_look_by_keys(house: House) -> None:
    await house.other.execute(
        "insert into person (id) select gen_random_uuid() from generate_series(1, 3000);"
        "insert into session (id, person, portal, created_at, authenticated_at, last_used_at, expires_at)"
        " select gen_random_uuid(), id, 'player', now(), now(), now(), now() from person;"
        "insert into membership (id, person, kind) select gen_random_uuid(), id, 'player' from person; analyze"
    )
    me = await house.somebody()
    await house.other.execute("set plan_cache_mode = force_generic_plan")
    await house.other.execute(f"prepare look (uuid[]) as {standing_rows._READ}")
    plan = await house.other.fetch(f"explain execute look ('{{{me.session.id}}}')")
    scans = [line[0] for line in plan if "Seq Scan" in line[0]]
    assert plan
    assert all("staff_role" in scan or "staff_network" in scan for scan in scans), "\n".join(line[0] for line in plan)
