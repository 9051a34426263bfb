"""Invoices: numbered without a gap whatever runs at once or dies, never changed, and the ledger's to the unit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.audit.invoices import against_invoices
from adapters.postgres.invoice.reads import SPENT
from domain.earning.dispute import Dispute, Ruling
from domain.earning.disputing import open_dispute
from domain.ids import BrandId, uuid7
from domain.invoice.addresses import address_of, invoice_at
from domain.invoice.issuing import issue_invoices
from domain.invoice.model import (
    ADDRESS_LIFETIME,
    Invoice,
    LineKind,
    Party,
    Serial,
    first_month,
    month_after,
)
from domain.money import Currency
from tests.adapters.test_ledger_plans import filled, plan_of, reads
from tests.invoice_stage import SELLER, Books, kept_books
from tests.ledger_on_postgres import breaches
from tests.servers import Addresses
from tests.staff_stage import WHY
from tests.waiting import eventually

BUYER = Party("PT Baterai", "Jl. Sudirman 1\nJakarta", "01.234.567.8")
SUMS = """
select coalesce(sum(case operation when 'hold' then amount else -amount end), 0)::bigint
from journal join account on account.id = source
where purpose = 'campaign_escrow' and operation in ('hold', 'void') and refusal is null
"""
MONTH = timedelta(days=32)


@pytest.fixture(scope="module")
def full(servers: Addresses) -> Iterator[str]:
    with filled(servers, 100_000) as url:
        yield url


@pytest.fixture
async def books(database: DatabaseAddresses) -> AsyncIterator[Books]:
    async with kept_books(database) as books:
        yield books


async def brands(books: Books, many: int) -> list[BrandId]:
    """So many brands that spent something this month."""
    found = []
    for _ in range(many):
        campaign = await books.earnings.campaign()
        found.append(await books.invoices.brand_of(campaign))
        await books.shown(await books.earnings.part(campaign))
    return found


def gap_free(invoices: list[Invoice]) -> bool:
    """Whether numbers run from 1 in each year."""
    years = Counter(invoice.serial.year for invoice in invoices)
    expected = {Serial(year, number) for year, most in years.items() for number in range(1, most + 1)}
    return {invoice.serial for invoice in invoices} == expected and len(expected) == len(invoices)


async def findings(books: Books) -> list[str]:
    """What the audit finds of invoices."""
    async with books.invoices.database.direct() as connection:
        return [str(each) async for some in against_invoices(connection.fetch) for each in some]


class TestMonths:
    def test_turn_by_the_sites_clock(self) -> None:
        month = first_month(datetime(2026, 11, 30, 16, 59, 59, tzinfo=UTC), "Asia/Jakarta")
        assert (month.first_day.isoformat(), month.until) == ("2026-11-01", datetime(2026, 11, 30, 17, tzinfo=UTC))
        assert first_month(month.until, "Asia/Jakarta") == month_after(month, "Asia/Jakarta")

    def test_follow_one_another_also_where_the_site_moves(self) -> None:
        month = first_month(datetime(2026, 12, 5, tzinfo=UTC), "Asia/Jakarta")
        moved = month_after(month, "UTC")
        assert (moved.first_day.isoformat(), moved.since) == ("2027-01-01", month.until)
        assert moved.until == datetime(2027, 2, 1, tzinfo=UTC)


class TestIssuing:
    async def test_a_brand_gets_one_invoice_of_what_it_spent(self, books: Books) -> None:
        (brand,) = await brands(books, 1)
        await books.invoices.issue(books.invoices.clock() + timedelta(minutes=1))
        assert await books.invoices.invoices() == []
        for _ in range(2):
            await books.invoices.issue()
        (invoice,) = await books.invoices.invoices(brand)
        (line,) = invoice.lines
        assert (invoice.seller, invoice.buyer, invoice.serial.number) == (SELLER, BUYER, 1)
        assert (line.kind, line.minutes, line.net, line.tax) == (LineKind.SPENT, 1, 50_000_00, 5_500_00)
        assert (invoice.total.minor, invoice.total.currency) == (55_500_00, Currency.IDR)
        assert invoice.total.minor == await books.invoices.value(SUMS)
        assert await findings(books) == []

    async def test_what_a_brand_says_later_changes_no_invoice(self, books: Books) -> None:
        (brand,) = await brands(books, 1)
        await books.invoices.issue()
        before = await books.invoices.invoices(brand)
        await books.ruler.execute("update brand set name = 'Another', tax_id = '' where id = $1", brand)
        await books.invoices.issue()
        assert await books.invoices.invoices(brand) == before

    async def test_what_a_dispute_gives_back_is_credited_in_the_month_of_the_ruling(self, books: Books) -> None:
        campaign = await books.earnings.campaign()
        brand, part = await books.invoices.brand_of(campaign), await books.earnings.part(campaign)
        await books.shown(part, 2)
        first, _ = await books.earnings.minutes(part)
        await books.date_back("update journal set recorded_at = recorded_at - interval '40 days'")
        await books.ruler.execute("update campaign set launched_at = launched_at - interval '40 days'")
        dispute = await open_dispute(
            books.earnings, await books.earnings.manager(part), part.id, [first.minute], WHY, "1"
        )
        assert isinstance(dispute, Dispute)
        await books.ruled(dispute, Ruling.UPHELD)
        await books.invoices.issue()
        spent, credited = await books.invoices.invoices(brand)
        assert spent.total.minor == 2 * 55_500_00
        assert [(line.kind, line.minutes, line.net, line.tax) for line in credited.lines] == [
            (LineKind.GIVEN_BACK, 1, -50_000_00, -5_500_00),
        ]  # fmt: skip
        assert (spent.month.until, credited.serial) == (credited.month.since, Serial(spent.serial.year, 2))
        assert spent.total.minor + credited.total.minor == await books.invoices.value(SUMS)
        assert await findings(books) == []

    async def test_months_are_made_up_for_after_days_away(self, books: Books) -> None:
        campaign = await books.earnings.campaign()
        brand, part = await books.invoices.brand_of(campaign), await books.earnings.part(campaign)
        for _ in range(3):
            await books.shown(part)
            await books.date_back("update journal set recorded_at = recorded_at - interval '31 days'")
        await books.ruler.execute("update campaign set launched_at = launched_at - interval '100 days'")
        await books.invoices.issue()
        found = await books.invoices.invoices(brand)
        assert [invoice.total.minor for invoice in found] == [55_500_00] * 3
        assert sorted({invoice.month.first_day for invoice in found}) == [each.month.first_day for each in found]
        assert gap_free(found)
        assert await findings(books) == []

    async def test_a_letter_tells_the_brands_contact_once(self, books: Books) -> None:
        (brand,) = await brands(books, 1)
        contact = await books.invoices.member()
        await books.ruler.execute("update brand set contact = $2 where id = $1", brand, contact.person)
        for _ in range(2):
            await books.invoices.issue()
        await books.invoices.post()
        told = [letter for letter in books.invoices.mailer.letters if letter.subject == "InvoiceIssued"]
        assert [letter.text for letter in told] == [f"https://portal.example/brands/{brand}"]

    async def test_an_empty_site_has_no_months(self, books: Books) -> None:
        await books.invoices.issue()
        assert await books.invoices.value("select count(*) from invoice_month") == 0


class TestNumbers:
    async def test_many_at_once_leave_no_gap_and_issue_nothing_twice(self, books: Books) -> None:
        asked = await brands(books, 5)
        now = books.invoices.clock() + MONTH
        swept = await asyncio.gather(*(issue_invoices(books.invoices, now) for _ in range(6)))
        assert [each.failed for each in swept] == [[]] * 6
        assert sum(each.looked_at for each in swept) == len(asked)
        found = await books.invoices.invoices()
        assert sorted(invoice.brand for invoice in found) == sorted(asked)
        assert gap_free(found)
        assert await findings(books) == []

    async def test_what_is_rolled_back_gives_its_number_back(self, books: Books) -> None:
        await brands(books, 2)
        year = first_month(books.invoices.clock() + MONTH, books.invoices.policy.time_zone).first_day.year

        async def given_up() -> None:
            async with books.invoices.works() as work:
                assert (await work.invoices.next_serial(year)).number == 1
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await given_up()
        await books.invoices.issue()
        assert gap_free(await books.invoices.invoices())

    async def test_a_killed_process_gives_its_number_back_to_those_who_wait_for_it(
        self, books: Books, database: DatabaseAddresses
    ) -> None:
        await brands(books, 2)
        now = books.invoices.clock() + MONTH
        year = first_month(now, books.invoices.policy.time_zone).first_day.year
        dying = await asyncpg.connect(database.app_url)
        transaction = dying.transaction()
        await transaction.start()
        taken = "insert into invoice_year values ($1, 1) on conflict (year) do update set last = invoice_year.last + 1"
        await dying.execute(taken, year)
        pid = dying.get_server_pid()
        issuing = asyncio.create_task(issue_invoices(books.invoices, now))
        waits = "select count(*) > 0 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))"
        await eventually(lambda: books.ruler.fetchval(waits, pid))
        assert await books.invoices.invoices() == []
        await books.ruler.fetchval("select pg_terminate_backend($1)", pid)
        assert (await issuing).failed == []
        dying.terminate()
        found = await books.invoices.invoices()
        assert len(found) == 2
        assert gap_free(found)
        assert await findings(books) == []

    async def test_one_brands_trouble_keeps_nobody_else_and_is_made_up_for(self, books: Books) -> None:
        first, *others = sorted(await brands(books, 3))
        await books.ruler.execute(f"alter table invoice add constraint trouble check (brand <> '{first}') not valid")
        now = books.invoices.clock() + MONTH
        swept = await issue_invoices(books.invoices, now)
        assert [which.partition(" ")[0] for which, _ in swept.failed] == [str(first)]
        assert sorted(invoice.brand for invoice in await books.invoices.invoices()) == others
        await books.ruler.execute("alter table invoice drop constraint trouble")
        await books.invoices.issue(now)
        found = await books.invoices.invoices()
        assert (found[-1].brand, gap_free(found)) == (first, True)


class TestForEver:
    @pytest.mark.parametrize("table", ["invoice", "invoice_line"])
    async def test_an_issued_invoice_is_changed_by_nobody(
        self, books: Books, database: DatabaseAddresses, table: str
    ) -> None:
        await brands(books, 1)
        await books.invoices.issue()
        owner = await asyncpg.connect(database.owner_url)
        try:
            for change in (f"update {table} set currency = currency", f"delete from {table}", f"truncate {table}"):
                statement = change.replace("currency", "title") if table == "invoice_line" else change
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await books.invoices.database.pool.execute(statement)
                with pytest.raises((asyncpg.RestrictViolationError, asyncpg.FeatureNotSupportedError)):
                    await owner.execute(statement)
        finally:
            await owner.close()

    @pytest.mark.parametrize(
        ("harm", "what"),
        [
            ("update invoice set buyer_tax_id = 'another'", "it is not what was issued"),
            ("update invoice_line set net = net + 1", "the entries of its month come to something else"),
            ("update invoice set number = 2", "without a gap"),
            ("delete from invoice_line; delete from invoice", "the entries of its month come to something else"),
            ("update invoice_year set last = 2", "without a gap"),
            ("insert into invoice_month values ('2030-01-01', '2030-01-01Z', '2030-02-01Z')", "does not begin where"),
        ],
    )
    async def test_the_audit_names_what_was_changed_all_the_same(self, books: Books, harm: str, what: str) -> None:
        await brands(books, 1)
        await books.invoices.issue()
        assert await findings(books) == []
        await books.date_back(harm)
        assert any(what in found for found in await findings(books))

    async def test_the_whole_audit_is_clean(self, books: Books, database: DatabaseAddresses) -> None:
        await brands(books, 2)
        await books.invoices.issue()
        assert await breaches(database.superuser_url) == {}


@pytest.mark.parametrize("seed", range(3))
async def test_random_minutes_and_disputes_over_months_come_to_their_entries(books: Books, seed: int) -> None:
    chance = Random(seed)
    campaign, other = await books.earnings.campaign(), await books.earnings.campaign()
    for each in (campaign, other):
        await books.invoices.brand_of(each)
    parts = [await books.earnings.part(each, chance.randrange(1, 10**8)) for each in (campaign, campaign, other)]
    for _ in range(8):
        part = chance.choice(parts)
        books.earnings.samples.viewers = chance.randrange(190)
        await books.shown(part, chance.randrange(1, 4))
        if chance.random() < 0.6:
            held = [minute.minute for minute in await books.earnings.minutes(part) if minute.state == "held"]
            named, key = chance.sample(held, chance.randrange(1, len(held) + 1)), str(uuid7())
            manager = await books.earnings.manager(part)
            dispute = await open_dispute(books.earnings, manager, part.id, named, WHY, key)
            assert isinstance(dispute, Dispute)
            ruling = chance.choice(list(Ruling))
            thousandths = chance.randrange(1, 1_000) if ruling is Ruling.REDUCED else 0
            await books.ruled(dispute, ruling, thousandths)
        back = timedelta(days=chance.randrange(40))
        await books.date_back("update journal set recorded_at = recorded_at - $1::interval", back)
    await books.ruler.execute("update campaign set launched_at = (select min(recorded_at) from journal)")
    await books.invoices.issue()
    found = await books.invoices.invoices()
    assert sum(invoice.total.minor for invoice in found) == await books.invoices.value(SUMS)
    assert len({(invoice.brand, invoice.month.first_day) for invoice in found}) == len(found) > 1
    assert gap_free(found)
    assert await findings(books) == []


async def test_what_a_brand_spent_is_read_by_its_escrows_alone(full: str) -> None:
    found = reads(await plan_of(full, SPENT), "journal")
    assert found == {"journal_source"}


class TestAddresses:
    async def test_an_address_is_good_for_a_while_and_for_one(self, books: Books) -> None:
        await brands(books, 2)
        await books.invoices.issue()
        one, other = await books.invoices.invoices()
        address = address_of(books.invoices, one.id).rpartition("/")[2]
        assert await invoice_at(books.invoices, address) == one
        swapped = address.replace(one.id.hex, other.id.hex)
        for wrong in (swapped, address[:-1], address + "A", f"{uuid7().hex}-1-{'A' * 43}", ""):
            assert await invoice_at(books.invoices, wrong) is None
        books.invoices.turn(minutes=ADDRESS_LIFETIME.total_seconds() / 60 + 1)
        assert await invoice_at(books.invoices, address) is None


def test_a_digest_is_of_all_that_an_invoice_says() -> None:
    month = first_month(datetime(2026, 11, 5, tzinfo=UTC), "Asia/Jakarta")
    now = datetime(2026, 12, 1, tzinfo=UTC)
    invoice = Invoice(BrandId(uuid7()), month, Currency.IDR, Serial(2026, 1), now, SELLER, BUYER, ())
    others = (
        replace(invoice, buyer=SELLER), replace(invoice, serial=Serial(2026, 2)),
        replace(invoice, issued_at=month.since), replace(invoice, currency=Currency.USD),
        replace(invoice, brand=BrandId(uuid7())),
    )  # fmt: skip
    assert len({invoice.digest, *(each.digest for each in others)}) == 1 + len(others)
