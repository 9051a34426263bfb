"""Finding streamers: what brands, and staff who checks streamers, may ask for and are told."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Self
from uuid import UUID

import strawberry

from domain.rights import Permission
from domain.streamer.discovery import count_streamers, find_streamers, may_search
from domain.streamer.listing import MOST_VALUES, Facets, Order, Place, Trait, Wanted, fault_of
from domain.streamer.model import Streamer as KnownStreamer
from domain.streamer.model import StreamerId
from gql.access import Right, field
from gql.context import Context, Info
from gql.enums import describe
from gql.errors import BadInputError, ForbiddenError
from gql.paging import PAGE, USUAL_PAGE, After, Connection, Edge, First, PageInfo, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.streamer.enums import Category, Platform, Rating
from gql.streamer.lookups import streamers as known_streamers
from gql.streamer.types import Streamer
from gql.weights import WHOLE_HISTORY, at_most

_UNKNOWN = "unknown"
_NO_CURSOR = "This is not a cursor of ours: give one back as you got it."
_VALUE, _MANY = "What they have.", "How many have it: one at least."

describe(
    Order,
    "StreamerSort",
    "In which order streamers are found.",
    {
        Order.AVERAGE_VIEWERS: "Most viewers on average first, those of whom that is not known last; among equals the"
        " newest first.",
        Order.NEWEST: "Newest first.",
    },
)


@strawberry.input(
    description="Which streamers to find: who has one of the values of every list that is given. A list that is left"
    f" out, or empty, does not matter; none has more than {MOST_VALUES} values."
)
class StreamerFilter:
    """Which streamers to find."""

    countries: list[str] | None = strawberry.field(default=None, description="Where they live, by ISO 3166-1: `ID`.")
    languages: list[str] | None = strawberry.field(default=None, description="What they speak, by ISO 639-1: `id`.")
    categories: list[Category] | None = strawberry.field(default=None, description="What the stream is about.")
    ratings: list[Rating] | None = strawberry.field(default=None, description="For whom the stream is fit.")
    platforms: list[Platform] | None = strawberry.field(
        default=None, description="Where they have an account that is proved to be theirs."
    )
    min_average_viewers: int | None = strawberry.field(
        default=None,
        description="Before how many they stream at least, on the average of 30 days. Unknown is not enough.",
    )
    max_average_viewers: int | None = strawberry.field(
        default=None, description="Before how many they stream at most, on the average of 30 days. Unknown is not few."
    )

    def parsed(self) -> Wanted:
        """The wish as the domain knows it. Raises `BadInputError`."""
        wanted = Wanted(
            frozenset(self.countries or ()), frozenset(self.languages or ()), frozenset(self.ratings or ()),
            frozenset(self.categories or ()), frozenset(self.platforms or ()),
            self.min_average_viewers, self.max_average_viewers,
        )  # fmt: skip
        if fault := fault_of(wanted):
            raise BadInputError(fault)
        return wanted


@strawberry.type(name="StreamerCodeCount", description="How many streamers have a code.")
class CodeCount:
    """How many streamers have a code."""

    value: str = field(Right.PARENT, _VALUE)
    streamers: int = field(Right.PARENT, _MANY)


@strawberry.type(name="StreamerCategoryCount", description="How many streamers stream about something.")
class CategoryCount:
    """How many streamers stream about something."""

    value: Category = field(Right.PARENT, _VALUE)
    streamers: int = field(Right.PARENT, _MANY)


@strawberry.type(name="StreamerRatingCount", description="How many streams are fit for somebody.")
class RatingCount:
    """How many streams are fit for somebody."""

    value: Rating = field(Right.PARENT, _VALUE)
    streamers: int = field(Right.PARENT, _MANY)


@strawberry.type(name="StreamerPlatformCount", description="How many streamers have an account somewhere.")
class PlatformCount:
    """How many streamers have an account somewhere."""

    value: Platform = field(Right.PARENT, _VALUE)
    streamers: int = field(Right.PARENT, _MANY)


@strawberry.type(
    description="How many streamers there are of each value, most first. Each list is counted within all of the filter"
    " but what it says of that very list: it tells what other choices there are."
)
class StreamerFacets:
    """How many there are of each value."""

    countries: list[CodeCount] = field(Right.PARENT, "By where they live.", list_size=at_most(20))
    languages: list[CodeCount] = field(Right.PARENT, "By what they speak.", list_size=at_most(20))
    categories: list[CategoryCount] = field(
        Right.PARENT, "By what the stream is about; a streamer counts for each.", list_size=at_most(len(Category))
    )
    ratings: list[RatingCount] = field(Right.PARENT, "By for whom the stream is fit.", list_size=at_most(len(Rating)))
    platforms: list[PlatformCount] = field(
        Right.PARENT,
        "By where they have an account that is proved to be theirs; a streamer counts for each.",
        list_size=at_most(len(Platform)),
    )

    @classmethod
    def of(cls, found: Facets) -> Self:
        """Show what was counted."""
        ranked = {
            trait: sorted(counted.items(), key=lambda each: (-each[1], each[0])) for trait, counted in found.items()
        }
        return cls(
            countries=[CodeCount(value=value, streamers=n) for value, n in ranked[Trait.COUNTRY]],
            languages=[CodeCount(value=value, streamers=n) for value, n in ranked[Trait.LANGUAGE]],
            categories=[CategoryCount(value=Category(value), streamers=n) for value, n in ranked[Trait.CATEGORY]],
            ratings=[RatingCount(value=Rating(value), streamers=n) for value, n in ranked[Trait.RATING]],
            platforms=[PlatformCount(value=Platform(value), streamers=n) for value, n in ranked[Trait.PLATFORM]],
        )


@strawberry.type(name="StreamerConnection", description="A page of streamers, and how many there are of each value.")
class StreamerPage(Connection[Streamer]):
    """A page of streamers."""

    wanted: strawberry.Private[Wanted]

    @field(Right.PARENT, "What else there is to choose from: counted when you ask for it.", cost=WHOLE_HISTORY)
    async def facets(self, info: Info) -> StreamerFacets:
        """How many there are of each value."""
        context, wanted = info.context, self.wanted
        ports, caller = context.ports.streamer, context.caller
        counted = await context.loaders.once("facets", lambda: count_streamers(ports, caller, wanted), wanted)
        return StreamerFacets.of(counted)


@strawberry.type
class DiscoveryQuery:
    """The field of the root that finds streamers."""

    @field(
        Right.SIGNED_IN,
        "Streamers to work with, for whoever belongs to a brand, and for staff who checks streamers: that they looked"
        " stands in the audit log. A cursor holds within one filter and order; who changes places meanwhile is shown"
        " where they stand by then.",
        list_size=PAGE,
    )
    async def streamers(
        self,
        info: Info,
        only: Annotated[
            StreamerFilter | None,
            strawberry.argument(description="Which streamers; all when left out.", name="filter"),
        ] = None,
        order: Annotated[
            Order, strawberry.argument(description="In which order.", name="sort")
        ] = Order.AVERAGE_VIEWERS,
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> StreamerPage:
        """A page of streamers who are wanted."""
        context, size, wanted = info.context, page_size(first), only.parsed() if only else Wanted()
        if not may_search(context.caller):
            raise ForbiddenError("Streamers are shown to brands, and to staff who checks them.")
        scope = _scope(wanted, order)
        place = None if after is None else _parsed(place_of(scope, after))
        found = await find_streamers(context.ports.streamer, context.caller, wanted, order, size + 1, place)
        shown = await _looked_up(context, found[:size])
        edges = [
            Edge(cursor=_cursor(scope, each), node=Streamer(found=known))
            for each, known in zip(found[:size], shown, strict=True)
            if known is not None
        ]
        page = PageInfo(
            has_next_page=len(found) > size,
            has_previous_page=after is not None,
            start_cursor=_cursor(scope, found[0]) if found else None,
            end_cursor=_cursor(scope, found[:size][-1]) if found else None,
        )
        return StreamerPage(edges=edges, page_info=page, wanted=wanted)


async def _looked_up(context: Context, places: Sequence[Place]) -> list[KnownStreamer | None]:
    """Who stands in these places; None for who went while we looked. Staff that looks is on record."""
    found = await context.loaders.of(known_streamers).load_many([place.streamer for place in places])
    caller = context.caller
    if caller.may(Permission.VERIFY_STREAMERS):
        others = [each.person for each in found if each is not None and each.person not in caller.people]
        await context.loaders.staff.looked_at.load_many(others)
    return found


def _scope(wanted: Wanted, order: Order) -> str:
    """The name of the list of one wish in one order."""
    told = [[trait, sorted(values)] for trait, values in wanted.values.items()]
    text = repr((told, wanted.least_viewers, wanted.most_viewers))
    return f"streamers:{order}:{blake2b(text.encode(), digest_size=8).hexdigest()}"


def _cursor(scope: str, place: Place) -> Cursor:
    viewers = _UNKNOWN if place.average_viewers is None else place.average_viewers
    return cursor_of(scope, f"{viewers} {place.streamer}")


def _parsed(place: str) -> Place:
    """The place that a cursor names. Raises `BadInputError`."""
    viewers, _, id_ = place.partition(" ")
    try:
        known = None if viewers == _UNKNOWN else int(viewers)
        streamer = StreamerId(UUID(id_))
    except ValueError:
        raise BadInputError(_NO_CURSOR) from None
    if known is not None and not 0 <= known < 2**31:
        raise BadInputError(_NO_CURSOR)
    return Place(streamer, known)
