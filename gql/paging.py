"""Pages of lists (Relay's cursor connections), forward only: `first` and `after`."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, Self, TypeVar

import strawberry

from gql.access import Right, field
from gql.errors import BadInputError
from gql.scalars import Cursor, opaque, plain
from gql.weights import sliced_by

USUAL_PAGE = 20
LARGEST_PAGE = 100

_LONGEST_NUMBER = 18
"""Digits; all such numbers fit in 64 bits."""

First = Annotated[
    int, strawberry.argument(description=f"How many to answer at most: 1 to {LARGEST_PAGE}.", name="first")
]
After = Annotated[
    Cursor | None,
    strawberry.argument(description="Answer what follows this cursor; from the beginning when left out.", name="after"),
]

PAGE = sliced_by("first", sizes=["edges"])
"""How long the list of a field is that answers a page."""

Item = TypeVar("Item")
Shown = TypeVar("Shown")


@strawberry.type(description="Where a page lies within its list.")
class PageInfo:
    """What a client needs to ask for the next page."""

    has_next_page: bool = field(Right.PARENT, "Whether more follows this page.")
    has_previous_page: bool = field(Right.PARENT, "Whether the page was asked for with a cursor that it follows.")
    start_cursor: Cursor | None = field(Right.PARENT, "The cursor of the first edge, if there is one.")
    end_cursor: Cursor | None = field(Right.PARENT, "The cursor of the last edge: ask for what follows `after` it.")


@strawberry.type(description="An item of a list and its place there.")
class Edge(Generic[Item]):
    """One item of a page."""

    cursor: Cursor = field(Right.PARENT, "The place of the item in the list.")
    node: Item = field(Right.PARENT, "The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Item]):
    """One page."""

    edges: list[Edge[Item]] = field(Right.PARENT, "The items of the page, in order.")
    page_info: PageInfo = field(Right.PARENT, "Where the page lies within the list.")

    @classmethod
    def of(
        cls,
        found: Sequence[Shown],
        first: int,
        after: Cursor | None,
        show: Callable[[Shown], tuple[Cursor, Item]],
    ) -> Self:
        """A page from up to `first + 1` items found: the one beyond tells that more follows."""
        edges = [Edge(cursor=cursor, node=node) for cursor, node in map(show, found[:first])]
        info = PageInfo(
            has_next_page=len(found) > first,
            has_previous_page=after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return cls(edges=edges, page_info=info)


def page_size(first: int) -> int:
    """`first`, if it is a size that a page may have. Raises `BadInputError` otherwise."""
    if not 1 <= first <= LARGEST_PAGE:
        raise BadInputError(f"`first` must be between 1 and {LARGEST_PAGE}, not {first}.")
    return first


def cursor_of(scope: str, place: object) -> Cursor:
    """A cursor that holds in one list alone."""
    return Cursor(opaque(f"{scope}@{place}"))


def place_of(scope: str, cursor: Cursor) -> str:
    """The place that a cursor of this list names. Raises `BadInputError` for any other."""
    try:
        found, at, place = plain(cursor).rpartition("@")
    except BadInputError:
        found = at = place = ""
    if not (at and place):
        raise BadInputError(f"{cursor[:40]!r} is not a cursor of ours: give one back as you got it.")
    if found != scope:
        raise BadInputError(f"The cursor {cursor!r} belongs to another list.")
    return place


def number_of(scope: str, cursor: Cursor) -> int:
    """The place that a cursor of a numbered list names."""
    place = place_of(scope, cursor)
    if not (place.isascii() and place.isdigit() and len(place) <= _LONGEST_NUMBER):
        raise BadInputError(f"{cursor[:40]!r} is not a cursor of ours: give one back as you got it.")
    return int(place)
