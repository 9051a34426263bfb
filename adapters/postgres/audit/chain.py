"""Holds a seal against the rows that it should cover, and says which of them is wrong: the seal or a row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from adapters.postgres.audit.rows import Read, WrittenSeal
from adapters.postgres.digest import GENESIS, Mark, Sealed, head_of, next_mark, packed, unpacked
from domain.ledger.audit import Finding


@dataclass(slots=True)
class Link:
    """Where the chain stands: what the next seal must follow from."""

    number: int = 0
    position: int = 0
    head: bytes | None = GENESIS
    """None: it cannot be known, because the seal before says what the key did not sign."""


@dataclass(slots=True)
class Checked:
    """What came of one seal: findings about it, and findings about rows by position."""

    link: Link
    rows: Sequence[Read]
    of_seal: list[Finding] = field(default_factory=list)
    of_rows: list[Finding] = field(default_factory=list)


def seal_finding(number: int, what: str, expected: object = None, found: object = None) -> Finding:
    """Something is wrong with a seal, or it is missing."""
    said = [None if value is None else str(value) for value in (expected, found)]
    return Finding("seal", str(number), None, what, *said)


def ends_of(seal: WrittenSeal) -> list[int]:
    """Where a seal may end: where it says so and, if that is elsewhere, where its marks end."""
    marks = unpacked(seal.says.marks)
    ends = [marks[-1].place.position] if marks else []
    return ends if seal.says.last_position in ends else [seal.says.last_position, *ends]


def check(key: bytes, seal: WrittenSeal, before: Link, windows: Sequence[Sequence[Read]]) -> Checked:
    """Check a seal that should follow from a link. `windows` has the rows up to each of `ends_of(seal)`.

    Where the head fits what the rows themselves give, every row is right, and a column of the seal that says otherwise
    is wrong. Where it does not, the marks say which row is not the one that was sealed: nobody can make a mark
    without the key.
    """
    says = seal.says
    previous = says.previous if before.head is None else before.head
    for end, window in zip(ends_of(seal), windows, strict=True):
        marks = _marks(key, previous, window)
        given = Sealed(before.number + 1, before.position + 1, end, marks, previous, says.sealed_at)
        if compare_digest(head_of(key, given), seal.head):
            link = Link(given.number, end, seal.head)
            return Checked(link, window, list(_differences(says, given)))
    end, window = ends_of(seal)[-1], windows[-1]
    head_fits = compare_digest(head_of(key, says), seal.head)
    checked = Checked(Link(before.number + 1, end, seal.head if head_fits else None), window)
    given = Sealed(before.number + 1, before.position + 1, end, says.marks, previous, says.sealed_at)
    checked.of_seal += _differences(says, given)
    kept = unpacked(says.marks)
    if kept is None:
        checked.of_seal.append(seal_finding(says.number, "its marks are cut off or out of order"))
    else:
        checked.of_rows += wrong_rows(key, following(previous, kept), window)
    if not head_fits:
        checked.of_seal.append(seal_finding(says.number, "its head was not made with the key from what it says"))
    return checked


def _marks(key: bytes, before: bytes, rows: Sequence[Read]) -> bytes:
    marks = []
    for _, place, digest in rows:
        before = next_mark(key, before, place, digest)
        marks.append(Mark(place, before))
    return packed(marks)


def _differences(says: Sealed, given: Sealed) -> Iterator[Finding]:
    """Columns of a seal that are not what they should be."""
    for column in ("number", "first_position", "last_position", "previous", "marks"):
        said, expected = getattr(says, column), getattr(given, column)
        if said != expected:
            figures = (expected, said) if isinstance(said, int) else ()
            yield seal_finding(says.number, f"its {column} is wrong", *figures)


def following(previous: bytes, marks: Sequence[Mark]) -> Iterator[tuple[bytes, Mark]]:
    """Each mark of a seal with the one that it follows from; the first follows from the previous head."""
    return zip((previous, *(mark.value for mark in marks)), marks, strict=False)


def wrong_rows(key: bytes, links: Iterable[tuple[bytes, Mark]], rows: Sequence[Read]) -> Iterator[Finding]:
    """Rows that are missing, that were not there, or that are not what they were when they got these marks."""
    waiting = iter(rows)
    read = next(waiting, None)
    for before, mark in links:
        while read is not None and read.place.position < mark.place.position:
            yield read.row.finding("it was not there when its position was sealed")
            read = next(waiting, None)
        if read is None or read.place != mark.place:
            yield _missing(mark)
        else:
            if not compare_digest(next_mark(key, before, mark.place, read.digest), mark.value):
                yield read.row.finding("it is not the row that was sealed")
            read = next(waiting, None)
    while read is not None:
        yield read.row.finding("it was not there when its position was sealed")
        read = next(waiting, None)


def _missing(mark: Mark) -> Finding:
    position, table = mark.place
    return Finding(table.name, str(position), position, "it was sealed and is missing")
