"""The audit log on PostgreSQL: what is written of a deed, what can be read of it, and what an erasure leaves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.deeds import DETAIL, ORIGIN, NoVault, PostgresDeeds
from adapters.postgres.work import Works
from domain.actor import Actor, Origin
from domain.audit_log import Deed, DeedFilter, KeptDeed, Told
from domain.clock import system_clock
from domain.errors import KeyDestroyedError, UnavailableError
from domain.ids import PersonId, SessionId, uuid7
from domain.ledger.chart import Kind
from domain.vault import PLATFORM, Sealed
from tests.adapters.ledger_history import CLEARING, CREDIT, KEY, Bench, bench_of
from tests.adapters.tampering import ruling
from tests.fake_vault import FakeVault
from tests.vaults import open_vault

ANI, BUDI, STAFF, NOBODY = (PersonId(uuid7()) for _ in range(4))
SESSION = SessionId(uuid7())
HOME = Origin("203.0.113.7", "request-1", "Firefox")
OFFICE = Origin("198.51.100.4", "request-2", "Safari")
EVERYTHING = DeedFilter()


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        for person in (ANI, BUDI, STAFF, PLATFORM):
            await bench.vault.create_key(person)
        yield bench


@pytest.fixture
def deeds(bench: Bench) -> PostgresDeeds:
    return PostgresDeeds(bench.database, bench.vault, KEY)


async def only_one(deeds: PostgresDeeds) -> KeptDeed:
    (kept,) = await deeds.page(EVERYTHING, 2)
    return kept


RENAMED = Deed(
    "person.renamed", f"person:{BUDI}", Actor(STAFF, SESSION, origin=OFFICE), BUDI, {"name": "Budi", "age": 41},
    {"name": "Budi \ud83d\0", "age": None, "known": True}, "he asked for it",
)  # fmt: skip


async def test_a_deed_is_read_back_as_it_was_recorded(bench: Bench, deeds: PostgresDeeds) -> None:
    began = datetime.now(UTC)
    await bench.record(RENAMED)
    kept = await only_one(deeds)
    assert began - timedelta(seconds=5) < kept.recorded_at < datetime.now(UTC) + timedelta(seconds=5)
    assert kept == KeptDeed(
        position=1, id=RENAMED.id, recorded_at=kept.recorded_at, action="person.renamed", target=f"person:{BUDI}",
        actor=STAFF, session=SESSION, impersonator=None, about=BUDI, request_id="request-2", origin=OFFICE,
        told=Told(RENAMED.before, RENAMED.after, "he asked for it"), erased=False,
    )  # fmt: skip


async def test_what_is_personal_never_meets_the_database_in_the_clear(bench: Bench) -> None:
    await bench.record(RENAMED)
    row = await bench.database.pool.fetchrow("select deed::text, * from deed")
    assert row["detail"] is None
    for word in ("Budi ", '"Budi"', "asked", "198.51", "Safari"):
        assert word not in row[0]
    assert [(person, field) for person, field, _ in bench.vault.texts] == [(BUDI, DETAIL), (STAFF, ORIGIN)]


async def test_a_deed_about_nobody_keeps_its_details_in_the_clear(bench: Bench, deeds: PostgresDeeds) -> None:
    staff = Actor(STAFF, origin=OFFICE)
    await bench.record(Deed("role.changed", "role:support", staff, after={"may": True}, reason="review"))
    kept = await only_one(deeds)
    assert (kept.told, kept.origin) == (Told({}, {"may": True}, "review"), OFFICE)
    assert await bench.database.pool.fetchval("select detail from deed") == '[{},{"may":true},"review"]'


async def test_a_deed_with_nothing_to_tell_holds_nothing(bench: Bench, deeds: PostgresDeeds) -> None:
    await bench.record(Deed("job.ran", "job:sweep", about=ANI))
    kept = await only_one(deeds)
    assert (kept.told, kept.origin, kept.request_id, kept.erased) == (Told({}, {}, ""), None, None, False)
    assert bench.vault.texts == []


@pytest.mark.parametrize(
    ("deed", "person"),
    [
        (Deed("it.done", "it", Actor(ANI, origin=HOME), BUDI), ANI),
        (Deed("it.done", "it", Actor(ANI, impersonator=STAFF, origin=HOME), BUDI), STAFF),
        (Deed("it.done", "it", about=BUDI, origin=HOME), BUDI),
        (Deed("it.done", "it", Actor(NOBODY), origin=HOME), None),
        (Deed("it.done", "it", origin=HOME), PLATFORM),
    ],
    ids=["the actor's", "the impersonator's", "of whom it is about", "of somebody without a key", "nobody's"],
)
async def test_whose_an_address_is(bench: Bench, deeds: PostgresDeeds, deed: Deed, person: PersonId | None) -> None:
    await bench.record(replace(deed, id=uuid7()))
    kept = await only_one(deeds)
    assert [(person, field) for person, field, _ in bench.vault.texts] == ([(person, ORIGIN)] if person else [])
    assert kept.origin == (HOME if person else None)
    assert kept.request_id == "request-1"
    assert kept.erased is (deed.actor is not None and deed.actor.person == NOBODY)


async def test_of_somebody_without_a_key_the_line_says_so(bench: Bench, deeds: PostgresDeeds) -> None:
    await bench.record(Deed("sign_in.failed", "it", about=NOBODY, origin=HOME, reason="no such person"))
    await bench.record(Deed("sign_in.failed", "it", about=NOBODY))
    rows = await bench.database.pool.fetch("select encrypted_detail, encrypted_origin from deed order by position")
    assert [tuple(row) for row in rows] == [(b"", b""), (None, None)]
    newer, older = await deeds.page(EVERYTHING, 2)
    assert (older.told, older.origin, older.erased) == (None, None, True)
    assert (newer.told, newer.erased) == (Told({}, {}, ""), False)
    await bench.seal()
    assert (await bench.audit()).clean


async def test_an_erased_persons_deeds_stay_without_what_was_personal(bench: Bench, deeds: PostgresDeeds) -> None:
    await bench.record(RENAMED)
    await bench.record(Deed("session.ended", f"session:{SESSION}", Actor(BUDI, SESSION, origin=HOME), ANI, reason="x"))
    await bench.seal()
    await bench.vault.destroy_key(BUDI)
    ended, renamed = await deeds.page(EVERYTHING, 9)
    assert (renamed.told, renamed.origin, renamed.erased) == (None, OFFICE, True)
    assert (ended.told, ended.origin, ended.erased) == (Told({}, {}, "x"), None, True)
    assert (renamed.actor, renamed.about, renamed.action) == (STAFF, BUDI, "person.renamed")
    report = await bench.audit(await bench.head())
    assert (report.clean, report.deeds, report.unsealed) == (True, 2, 0)
    assert (await deeds.verify()).intact


async def test_with_the_real_vault(bench: Bench, database: DatabaseAddresses) -> None:
    async with open_vault(database) as vault:
        deeds = PostgresDeeds(bench.database, vault, KEY)
        for person in (BUDI, STAFF):
            await vault.create_key(person)
        async with Works(bench.database, AccountIndex(), system_clock, vault=vault)() as work:
            await work.record(RENAMED)
        kept = await only_one(deeds)
        assert (kept.told, kept.origin) == (Told(RENAMED.before, RENAMED.after, RENAMED.reason), OFFICE)
        async with ruling(bench) as ruler:
            await ruler.execute("update deed set encrypted_origin = set_byte(encrypted_origin, 20, 0) || '\\x00'")
        kept = await only_one(deeds)
        assert (kept.told is None, kept.origin, kept.erased) == (False, None, True)
        await vault.destroy_key(BUDI)
        assert (await only_one(deeds)).told is None


async def test_without_a_vault_nothing_personal_is_kept(bench: Bench) -> None:
    vault = NoVault()
    async with Works(bench.database, AccountIndex(), system_clock, vault=vault)() as work:
        await work.record(RENAMED)
    kept = await only_one(PostgresDeeds(bench.database, vault, KEY))
    assert (kept.told, kept.origin, kept.erased) == (None, None, True)
    for refused in (vault.create_key(ANI), vault.seal(ANI, DETAIL, "x")):
        with pytest.raises(KeyDestroyedError):
            await refused
    with pytest.raises(KeyDestroyedError):
        vault.index("mail", "ani@example.com")
    await vault.destroy_key(ANI)
    assert await vault.open([Sealed(ANI, DETAIL, b"x")]) == [None]


async def test_a_deed_stands_and_falls_with_its_unit_of_work_and_is_there_once(bench: Bench) -> None:
    works = Works(bench.database, AccountIndex(), system_clock, vault=bench.vault)

    async def fail() -> None:
        async with works() as work:
            await work.record(RENAMED)
            raise RuntimeError("after all")

    with pytest.raises(RuntimeError, match="after all"):
        await fail()
    assert await bench.database.pool.fetchval("select count(*) from deed") == 0
    for _ in range(2):
        async with works() as work:
            await work.record(RENAMED)
    assert await bench.database.pool.fetchval("select count(*) from deed") == 1


async def test_nobody_writes_a_second_line_under_an_id(bench: Bench) -> None:
    await bench.record(RENAMED)
    with pytest.raises(asyncpg.UniqueViolationError):
        await bench.database.pool.execute("insert into deed (id, action, target) select id, 'x', 'x' from deed")


async def test_many_writers_at_once_make_one_chain_with_the_ledger(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)

    async def live(number: int) -> None:
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1 + number)
        await bench.record(Deed("kettle.boiled", f"kettle:{number}", Actor(ANI, origin=HOME), ANI, after={"n": number}))

    writing = asyncio.gather(*(live(number) for number in range(60)))
    while not writing.done():
        await bench.sealer.seal_all()
    await writing
    await bench.seal()
    report = await bench.audit(await bench.head())
    assert report.clean
    assert (report.rows, report.deeds, report.unsealed) == (60, 60, 0)
    verified = await PostgresDeeds(bench.database, bench.vault, KEY).verify()
    assert (verified.intact, verified.deeds, verified.unsealed) == (True, 60, 0)


class CountingVault(FakeVault):
    """Counts openings, and neither opens nor seals once it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.opened, self.away = 0, False
        self.trouble: Exception = UnavailableError("the vault is away")

    async def seal(self, person: PersonId, field: str, text: str) -> bytes:
        if self.away:
            raise self.trouble
        return await super().seal(person, field, text)

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[str | None]:
        if self.away:
            raise UnavailableError("the vault is away")
        self.opened += 1
        return await super().open(sealed)


async def test_a_page_opens_the_vault_once_and_an_empty_one_not_at_all(bench: Bench) -> None:
    bench.vault = vault = CountingVault()
    deeds = PostgresDeeds(bench.database, vault, KEY)
    assert await deeds.page(EVERYTHING, 5) == []
    assert vault.opened == 0
    for person in (ANI, BUDI, STAFF):
        await vault.create_key(person)
    for _ in range(9):
        await bench.record(replace(RENAMED, id=uuid7()))
    assert len(await deeds.page(EVERYTHING, 9)) == 9
    assert vault.opened == 1
    vault.away = True
    with pytest.raises(UnavailableError):
        await deeds.page(EVERYTHING, 9)


@pytest.mark.parametrize(
    "trouble",
    [
        UnavailableError("busy"),
        ConnectionRefusedError("nobody listens"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.InterfaceError("closed"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_without_the_vault_sessions_end_all_the_same_and_nothing_loses_its_reason(
    bench: Bench, trouble: Exception
) -> None:
    bench.vault = vault = CountingVault()
    vault.trouble = trouble
    deeds = PostgresDeeds(bench.database, vault, KEY)
    for person in (ANI, BUDI, STAFF):
        await vault.create_key(person)
    vault.away = True
    await bench.record(Deed("session.revoked", f"session:{SESSION}", Actor(ANI, SESSION, origin=HOME)))
    with pytest.raises(type(trouble)):
        await bench.record(RENAMED)
    vault.away = False
    kept = await only_one(deeds)
    assert (kept.action, kept.actor, kept.request_id) == ("session.revoked", ANI, "request-1")
    assert (kept.origin, kept.erased) == (None, False)


@pytest.mark.parametrize("spoiled", ["encrypted_detail = '\\x01'", "encrypted_origin = '\\x01'"])
async def test_a_line_that_somebody_spoiled_hides_no_other(bench: Bench, deeds: PostgresDeeds, spoiled: str) -> None:
    for _ in range(3):
        await bench.record(replace(RENAMED, id=uuid7()))
    async with ruling(bench) as ruler:
        await ruler.execute(f"update deed set {spoiled} where position = 2")
    assert [kept.erased for kept in await deeds.page(EVERYTHING, 3)] == [False, True, False]


@pytest.mark.parametrize("detail", ["", "{}", "[1]", "[", "nonsense"])
async def test_a_detail_that_is_none_is_shown_as_unreadable(bench: Bench, deeds: PostgresDeeds, detail: str) -> None:
    await bench.record(Deed("role.changed", "role:support", reason="review"))
    async with ruling(bench) as ruler:
        await ruler.execute("update deed set detail = $1", detail)
    kept = await only_one(deeds)
    assert (kept.told, kept.erased) == ((None, True) if detail else (Told({}, {}, ""), False))
