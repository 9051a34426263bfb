"""Recomputes the whole ledger and the audit log from their rows, and names the first one that is wrong or missing.

The digests and the chain are computed here, the figures by `domain.ledger.replay`; nothing is believed because a
function, a constraint or an index of the database says so. It reads one snapshot, a window of positions at a time, and
keeps in memory what it knows of each account and of each live hold.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from asyncpg import Connection

from adapters.postgres.audit.chain import Checked, Link, check, ends_of, seal_finding
from adapters.postgres.audit.projections import against_projections
from adapters.postgres.audit.rows import FIRST_OF_ALL, LAST_OF_ALL, PlatformEntry, Rows, WrittenSeal
from adapters.postgres.seal import MOST_IN_A_SEAL, Head
from domain.ledger.audit import Finding, Report
from domain.ledger.replay import Replay
from domain.ledger.written import WrittenChange, WrittenRow

_MORE_THAN_A_SEAL = 2 * MOST_IN_A_SEAL

Progress = Callable[[int, int], None]
"""Told the position that was reached, and the last one."""


async def audit(
    connection: Connection, seal_key: bytes, exported: Iterable[Head] = (), *, progress: Progress | None = None
) -> Report:
    """Audit ledger and audit log over a connection that is not in a database transaction; only reads, locks nothing.

    `exported` are heads of the chain that were kept elsewhere: without them nobody can tell that its end was cut off.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # Without fresh statistics a bitmap scan would sort all that is left for every window of it.
        await connection.execute("set local enable_bitmapscan = off")
        walk = _Walk(Rows(connection), seal_key, exported, progress or (lambda _reached, _last: None))
        await walk.through()
        async for findings in against_projections(connection, walk.replay, walk.report):
            walk.report.add(findings)
    return walk.report


class _Walk:
    """One way through all rows in the order of their positions, seal by seal."""

    def __init__(self, rows: Rows, key: bytes, exported: Iterable[Head], progress: Progress) -> None:
        self._rows, self._key, self._progress = rows, key, progress
        self._exported: dict[int, set[bytes]] = {}
        for head in exported:
            self._exported.setdefault(head.number, set()).add(head.head)
        self._reached = FIRST_OF_ALL
        self._last = 0
        self.replay = Replay()
        self.report = Report()

    async def through(self) -> None:
        """Walk through everything."""
        self._last = await self._rows.last_position()
        link, number = Link(), FIRST_OF_ALL
        while seal := await self._rows.seal_after(number):
            number = seal.says.number
            link = await self._seal(seal, link)
        for missing in sorted(self._exported):
            self.report.add([seal_finding(missing, "its head was exported, and it is missing")])
        await self._unsealed(LAST_OF_ALL, numbered=False)
        self.report.add(self.replay.end())

    async def _seal(self, seal: WrittenSeal, link: Link) -> Link:
        """Check one seal and walk through its rows."""
        says = seal.says
        self.report.seals += 1
        self._against_exported(seal)
        if says.number <= link.number:
            self.report.add([seal_finding(says.number, "its number is wrong", link.number + 1, says.number)])
            return link
        if says.number > link.number + 1:
            self.report.add([seal_finding(link.number + 1, "it is missing")])
            link = Link(says.number - 1, max(link.position, says.first_position - 1), None)
            await self._unsealed(link.position, numbered=True)
        windows = [await self._rows.window(self._reached, end, _MORE_THAN_A_SEAL) for end in ends_of(seal)]
        checked = check(self._key, seal, link, windows)
        until = checked.rows[-1].row.position if len(checked.rows) == _MORE_THAN_A_SEAL else checked.link.position
        await self._tell(checked, until)
        return checked.link

    def _against_exported(self, seal: WrittenSeal) -> None:
        exported = self._exported.pop(seal.says.number, None)
        if exported and exported != {seal.head}:
            self.report.add([seal_finding(seal.says.number, "another head was exported of it")])

    async def _unsealed(self, until: int, *, numbered: bool) -> None:
        """Walk through rows that no seal covers. `numbered`: the platform's entries should be there all the same."""
        while rows := await self._rows.window(self._reached, until, MOST_IN_A_SEAL):
            self.report.unsealed += len(rows)
            await self._tell(Checked(Link(), rows), rows[-1].row.position, numbered=numbered)
        await self._tell(Checked(Link(), ()), until, numbered=numbered)

    async def _tell(self, checked: Checked, until: int, *, numbered: bool = True) -> None:
        """Replay rows, each after what the chain found about it; then what was found about their seal."""
        entries = await self._rows.platform_entries(self._reached, until)
        originals = await self._rows.originals(checked.rows)
        wrong = iter(sorted(checked.of_rows, key=lambda finding: finding.position or 0))
        waiting = next(wrong, None)
        for row, *_ in checked.rows:
            while waiting is not None and (waiting.position or 0) <= row.position:
                self.report.add([waiting])
                waiting = next(wrong, None)
            if isinstance(row, WrittenRow):
                self.report.rows += 1
                self.report.add(_sensible(row, self.replay.tell(row, originals)))
                numbers = self._against_platform(row, entries.pop(row.position, ()), numbered=numbered)
                self.report.add(_sensible(row, numbers))
            elif isinstance(row, WrittenChange):
                self.report.changes += 1
                self.report.add(_sensible(row, self.replay.tell_change(row)))
            else:
                self.report.deeds += 1
        self.report.add([waiting] if waiting is not None else [])
        self.report.add(wrong)
        self.report.add(checked.of_seal)
        for left in entries.values():
            self.report.add(_entry(entry, "there is no such entry to number") for entry in left)
        self._reached = max(self._reached, until)
        self._progress(min(self._reached, self._last), self._last)

    def _against_platform(
        self, row: WrittenRow, entries: Sequence[PlatformEntry], *, numbered: bool
    ) -> Iterator[Finding]:
        """The platform's sides of a row must have been numbered in order, and nothing else."""
        found = {entry.account: entry for entry in entries}
        for number in self.replay.platform_sides(row) if numbered else ():
            account = self.replay.accounts[number]
            expected = PlatformEntry(row.position, number, account.seq, account.posted)
            entry = found.pop(number, None)
            if entry is None:
                yield _entry(expected, "it is missing")
            elif entry != expected:
                yield _entry(entry, "it does not follow (position, account, seq, posted)", expected)
                if entry.posted is not None:
                    account.seq, account.posted = entry.seq, entry.posted
        for entry in found.values():
            yield _entry(entry, "there is no such entry to number")


def _sensible(row: WrittenRow | WrittenChange, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings about a row, even where a value in it is none that its column could rightly have."""
    try:
        yield from findings
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        yield row.finding(f"it makes no sense: {error!r}")


def _entry(entry: PlatformEntry, what: str, expected: PlatformEntry | None = None) -> Finding:
    figures = (str(tuple(expected)), str(tuple(entry))) if expected else ()
    return Finding("platform_entry", entry.key, entry.position, what, *figures)


__all__ = ["Progress", "audit"]
