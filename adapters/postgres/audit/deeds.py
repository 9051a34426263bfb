"""Holds a part of the audit log against the sealed chain, without reading what else the chain covers.

A seal's head vouches for its marks, and each mark for one row: where heads follow from each other, the rows of one
table can be held against their own marks alone. It ends at the first thing that is wrong; a whole audit tells them all.
"""

from collections.abc import Iterable
from hmac import compare_digest

from asyncpg import Connection

from adapters.postgres.audit.chain import Link, following, seal_finding, wrong_rows
from adapters.postgres.audit.rows import FIRST_OF_ALL, LAST_OF_ALL, Rows, WrittenSeal
from adapters.postgres.digest import DEED, Mark, head_of, unpacked
from adapters.postgres.seal import MOST_IN_A_SEAL, Head
from domain.audit_log import Verification
from domain.ledger.audit import Finding

_MORE_THAN_A_SEAL = 2 * MOST_IN_A_SEAL
BEFORE = """
with recursive search (low, high) as (
    select 0::bigint, coalesce((select max(number) from seal), 0)
    union all
    select case when last_position < $1 then half.number else low end,
        case when last_position < $1 then high else half.number - 1 end
    from (select low, high, high - (high - low) / 2 as number from search where low < high) as half
    left join seal using (number)
)
select low from search where low = high
"""
"""The last seal that ends before a position, found by halving; an earlier one where seals are missing."""


async def verify_deeds(
    connection: Connection, seal_key: bytes, first: int | None, last: int | None, exported: Iterable[Head] = (),
    seals: int | None = None,
) -> Verification:  # fmt: skip
    """Verify the deeds from one position to another, both included, along so many seals; None is all there are.

    The connection is not in a database transaction; this only reads, and locks nothing. `exported` are heads of the
    chain that were kept elsewhere: without them nobody can tell that its end was cut off.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        span = _Span(Rows(connection), seal_key, exported, LAST_OF_ALL if last is None else last)
        if first is None:
            return await span.verified(Link(), FIRST_OF_ALL, seals)
        before = await span.seal_before(await connection.fetchval(BEFORE, first))
        if isinstance(before, Finding):
            return Verification(0, 0, str(before))
        return await span.verified(before, first - 1, seals)


class _Span:
    """A part of the log up to a last position."""

    def __init__(self, rows: Rows, key: bytes, exported: Iterable[Head], last: int) -> None:
        self._rows, self._key, self._last = rows, key, last
        self._exported = {(head.number, head.head) for head in exported}

    async def seal_before(self, number: int) -> Link | Finding:
        """Where the chain stands after a seal that covers nothing yet, or what is wrong with it; 0 is the beginning."""
        seal = await self._rows.seal_after(number - 1) if number else None
        if seal is None:
            return Link()
        if not self._signed(seal):
            return _unsigned(seal)
        return Link(seal.says.number, seal.says.last_position, seal.head)

    async def verified(self, link: Link, reached: int, seals: int | None) -> Verification:
        """Walk along so many seals from a link, and along the deeds after a position."""
        deeds, end_of_walk = 0, None if seals is None else link.number + seals
        while reached < self._last:
            if link.number == end_of_walk:
                return Verification(deeds, 0, None, reached + 1)
            seal = await self._rows.seal_after(link.number)
            if seal is None:
                return await self._fresh(link, reached, deeds, whole=seals is None)
            if wrong := self._wrong_seal(seal, link):
                return Verification(deeds, 0, str(wrong))
            end = min(seal.says.last_position, self._last)
            found = await self._rows.deeds(reached, end, _MORE_THAN_A_SEAL)
            links = [
                (before, mark)
                for before, mark in following(seal.says.previous, _marks_of_deeds(seal))
                if mark.place.table is DEED and reached < mark.place.position <= end
            ]
            if wrong := next(wrong_rows(self._key, links, found), None):
                return Verification(deeds, 0, str(wrong))
            deeds += len(found)
            link = Link(seal.says.number, seal.says.last_position, seal.head)
            reached = max(reached, end)
        return Verification(deeds, 0, None)

    async def _fresh(self, link: Link, reached: int, deeds: int, *, whole: bool) -> Verification:
        """The end of the chain, and the deeds that no seal covers yet: all, or no more than a seal may cover."""
        cut_off = min((number for number, _ in self._exported if number > link.number), default=None)
        if cut_off is not None:
            return Verification(deeds, 0, str(seal_finding(cut_off, "its head was exported, and it is missing")))
        fresh = 0
        while found := await self._rows.deeds(reached, self._last, _MORE_THAN_A_SEAL):
            fresh += len(found)
            reached = found[-1].place.position
            if not whole and len(found) == _MORE_THAN_A_SEAL:
                return Verification(deeds + fresh, fresh, None, reached + 1)
        return Verification(deeds + fresh, fresh, None)

    def _wrong_seal(self, seal: WrittenSeal, link: Link) -> Finding | None:
        """What is wrong with the seal that should follow from a link."""
        says = seal.says
        if says.number != link.number + 1:
            return seal_finding(link.number + 1, "it is missing")
        if not self._signed(seal):
            return _unsigned(seal)
        if (says.previous, says.first_position) != (link.head, link.position + 1):
            return seal_finding(says.number, "it does not follow from the seal before it")
        heads = {head for number, head in self._exported if number == says.number}
        return seal_finding(says.number, "another head was exported of it") if heads - {seal.head} else None

    def _signed(self, seal: WrittenSeal) -> bool:
        return compare_digest(head_of(self._key, seal.says), seal.head)


def _unsigned(seal: WrittenSeal) -> Finding:
    return seal_finding(seal.says.number, "its head was not made with the key from what it says")


def _marks_of_deeds(seal: WrittenSeal) -> list[Mark]:
    """The marks of a seal that was signed; none where no deed is among them, which is cheap to see."""
    return (unpacked(seal.says.marks) or []) if DEED.is_among(seal.says.marks) else []
