"""Searching the listing: `domain.streamer.ports.StreamerSearch`; without locks, and never through all of it for a page.

A page is walked to along the index of its order. Where the wish is so rare that a short walk does not fill the page,
those who have the wanted traits are gathered by the index of traits instead, and sorted: they are few then.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from asyncpg import Record

from adapters.postgres.database import Database
from domain.streamer.listing import Facets, Order, Place, Trait, Wanted
from domain.streamer.model import StreamerId

WALK: Final = 1_000
"""So many rows of the listing are looked at before they are gathered by what is wanted."""

_UNKNOWN: Final = -1
_VIEWERS: Final = "coalesce(average_viewers, -1)"
_TRAITS: Final = "(array[country, language, rating] || string_to_array(categories || ',' || platforms, ','))"
_MOST: Final = 2**31 - 1
_LAST: Final = UUID(int=2**128 - 1)
_COLUMNS: Final = {
    Trait.COUNTRY: "country",
    Trait.LANGUAGE: "language",
    Trait.RATING: "rating",
    Trait.CATEGORY: "categories",
    Trait.PLATFORM: "platforms",
}
_MANY: Final = {Trait.CATEGORY, Trait.PLATFORM}
_BITS: Final = {trait: 2**number for number, trait in enumerate(_COLUMNS)}
_ORDERS: Final = {Order.AVERAGE_VIEWERS: "{viewers} desc, streamer desc", Order.NEWEST: "streamer desc"}
"""Ids are given in the order of time."""

# Who was kept out a moment ago is still listed. `offset 0`: that is asked only of those who come onto the page.
_PAGE: Final = """
with looked_at as {materialized} (
    select streamer, country, language, rating, categories, platforms, average_viewers, {viewers} as viewers
    from streamer_listing where {within}
)
select streamer, average_viewers
from (select * from looked_at where {wanted} order by {order} offset 0) as ordered
where (select coalesce(survivor.status, person.status) = 'active'
    from streamer join person on person.id = streamer.person
        left join person as survivor on survivor.id = person.survivor
    where streamer.id = ordered.streamer)
order by {order} limit {size}
"""
_BEYOND: Final = "select exists (select from streamer_listing where {within} limit 1)"
PLANNED_ANEW: Final = "set local plan_cache_mode = force_custom_plan; set local enable_seqscan = off"
"""Which index finds the fewest depends on what is wanted; here that is worth a plan of its own."""

# Twice over all rows, and once more over what came of that: cheaper than once over all rows for each kind.
_FACETS: Final = """
with listed as (select {missed} as missed, * from streamer_listing where {bounds}),
counted as (select missed, country, language, rating, platforms, categories, count(*) as streamers
    from listed where missed = any('{{0, 1, 2, 4, 8, 16}}')
    group by grouping sets ((missed, country, language, rating, platforms), (missed, categories)))
select missed, country, language, rating, platforms, categories, sum(streamers)::bigint as streamers
from counted group by grouping sets ((missed, country), (missed, language), (missed, rating), (missed, platforms),
    (missed, categories))
"""


class Asked:
    """A wish as conditions in SQL, and the values that these speak of."""

    def __init__(self, wanted: Wanted) -> None:
        self.values: list[object] = []
        self.bounds: list[str] = []
        self._from_most_to_least: list[str] = []
        if wanted.least_viewers is not None or wanted.most_viewers is not None:
            least = self.put(wanted.least_viewers or 0)
            most = self.put(_MOST if wanted.most_viewers is None else wanted.most_viewers)
            self.bounds = [f"{_VIEWERS} between {least} and {most}"]
            # In other words, for a plan that knows no values takes what is between two for very little.
            self._from_most_to_least = [f"{_VIEWERS} >= {least}", f"({_VIEWERS}, streamer) <= ({most}, '{_LAST}')"]
        places = {trait: self.put(sorted(values)) for trait, values in wanted.values.items()}
        self.has = {trait: _has(trait, place) for trait, place in places.items()}
        self.by_index = [f"{_TRAITS} && {place}::text[]" for place in places.values()]

    def put(self, value: object) -> str:
        """The place of a value in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"

    def walk(self, order: Order, size: int, after: Place | None) -> str:
        """The statement of a page that is found on a short walk along its order."""
        within = f"{self._along(order, after)} limit {WALK}"
        return self._page(order, size, within, [*self.has.values(), *self.bounds], "not materialized")

    def beyond(self, order: Order, after: Place | None) -> str:
        """The statement that asks whether a short walk does not come to the end."""
        return _BEYOND.format(within=f"{self._along(order, after)} offset {WALK}")

    def gathered(self, order: Order, size: int, after: Place | None) -> str:
        """The statement of a page of those whom the indexes find for what is wanted."""
        wanted = [*self.has.values(), *self._follows(order, after)]
        return self._page(order, size, _all_of([*self.by_index, *self.bounds]), wanted, "materialized")

    def facets(self) -> str:
        """The statement that counts; who misses one kind is counted by that kind alone."""
        missed = " + ".join(f"case when {has} then 0 else {_BITS[trait]} end" for trait, has in self.has.items())
        return _FACETS.format(missed=missed or "0", bounds=_all_of(self.bounds))

    def _along(self, order: Order, after: Place | None) -> str:
        """Where a walk leads: in the order of viewers from one bound to the other, else past everybody."""
        conditions = self._follows(order, after)
        if order is Order.AVERAGE_VIEWERS:
            conditions += self._from_most_to_least
        return f"{_all_of(conditions)} order by {_ORDERS[order].format(viewers=_VIEWERS)}"

    def _follows(self, order: Order, after: Place | None) -> list[str]:
        if after is None:
            return []
        if order is Order.NEWEST:
            return [f"streamer < {self.put(after.streamer)}"]
        viewers = _UNKNOWN if after.average_viewers is None else after.average_viewers
        return [f"({_VIEWERS}, streamer) < ({self.put(viewers)}, {self.put(after.streamer)})"]

    def _page(self, order: Order, size: int, within: str, wanted: Iterable[str], kept: str) -> str:
        return _PAGE.format(
            materialized=kept, viewers=_VIEWERS, within=within, wanted=_all_of([*wanted]),
            order=_ORDERS[order].format(viewers="viewers"), size=self.put(size),
        )  # fmt: skip


def _has(trait: Trait, place: str) -> str:
    column = _COLUMNS[trait]
    return (
        f"string_to_array({column}, ',') && {place}::text[]" if trait in _MANY else f"{column} = any({place}::text[])"
    )


def _all_of(conditions: Sequence[str]) -> str:
    return " and ".join(conditions) or "true"


class PostgresStreamerSearch:
    """Searches the listing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: Wanted, order: Order, first: int, after: Place | None) -> Sequence[Place]:
        """The first so many who are wanted and not kept out, in an order; `after`: those who come after that place."""
        asked = Asked(wanted)
        found = _places(await self._database.pool.fetch(asked.walk(order, first, after), *asked.values))
        if (
            len(found) == first
            or not asked.by_index + asked.bounds
            or not await self._goes_beyond(wanted, order, after)
        ):
            return found
        asked = Asked(wanted)
        statement = asked.gathered(order, first, after)
        async with self._database.transaction() as connection:
            await connection.execute(PLANNED_ANEW)
            return _places(await connection.fetch(statement, *asked.values))

    async def facets(self, wanted: Wanted) -> Facets:
        """How many there are of each value, of those who have all that is wanted of other kinds."""
        asked = Asked(wanted)
        rows = await self._database.pool.fetch(asked.facets(), *asked.values)
        return {trait: _counted(trait, rows) for trait in Trait}

    async def _goes_beyond(self, wanted: Wanted, order: Order, after: Place | None) -> bool:
        """Whether there is more than a short walk comes by."""
        asked = Asked(Wanted(least_viewers=wanted.least_viewers, most_viewers=wanted.most_viewers))
        if order is Order.NEWEST:
            asked = Asked(Wanted())
        return bool(await self._database.pool.fetchval(asked.beyond(order, after), *asked.values))


def _places(rows: Sequence[Record]) -> Sequence[Place]:
    return [Place(StreamerId(row["streamer"]), row["average_viewers"]) for row in rows]


def _counted(trait: Trait, rows: Sequence[Record]) -> Counter[str]:
    """How many have each value of a kind, among those who miss nothing else."""
    column, counted = _COLUMNS[trait], Counter[str]()
    for row in rows:
        if row[column] is not None and row["missed"] in {0, _BITS[trait]}:
            for value in filter(None, row[column].split(",")):
                counted[value] += row["streamers"]
    return counted
