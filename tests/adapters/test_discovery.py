"""Finding streamers on a real database: who is listed, in which order, by which index, and what is counted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.campaign.participation_reads import ParticipationReads
from adapters.postgres.database import Database
from adapters.postgres.streamer.search import PLANNED_ANEW, WALK, Asked, PostgresStreamerSearch
from domain.actor import Actor
from domain.ids import uuid7
from domain.streamer.checking import confirm_link
from domain.streamer.discovery import measure_listing, renew_listing
from domain.streamer.linking import unlink
from domain.streamer.listing import Order, Place, Trait, Wanted
from domain.streamer.live import MEASURED, OnAir
from domain.streamer.model import Category, KeptLink, LinkId, LinkState, Platform, Rating, Streamer, StreamerId
from domain.streamer.profile import become_streamer, change_profile
from tests.staff_stage import staffer
from tests.streamer_crowd import CROWD, crowd_streams
from tests.streamer_stage import PROFILE, StreamerStage, staged_streamers

EVERYBODY = Wanted()
HOME = Wanted(countries=frozenset({"ID"}))
RARE = Wanted(countries=frozenset({"TV"}), ratings=frozenset({Rating.MATURE}))
ALL_AT_ONCE = Wanted(
    frozenset({"ID", "MY"}), frozenset({"jv", "ms"}), frozenset({Rating.TEEN}), frozenset({Category.BEAUTY}),
    frozenset({Platform.FACEBOOK}), 10, 1_000,
)  # fmt: skip
WATCHED = Wanted(least_viewers=40, most_viewers=60)
WISHES = (EVERYBODY, HOME, RARE, WATCHED, ALL_AT_ONCE)


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[StreamerStage]:
    async with staged_streamers(database) as staged:
        yield staged


async def made(stage: StreamerStage, **said: Any) -> tuple[Actor, StreamerId]:
    """Somebody who says something else than others."""
    actor = await stage.person()
    found = await become_streamer(stage, actor, replace(PROFILE, **said))
    assert isinstance(found, Streamer), found
    return actor, found.id


async def ids(stage: StreamerStage, wanted: Wanted = EVERYBODY, order: Order = Order.NEWEST) -> list[StreamerId]:
    return [place.streamer for place in await stage.search.find(wanted, order, 100, None)]


async def vouched(stage: StreamerStage, actor: Actor, streamer: StreamerId) -> LinkId:
    """An account that its platform vouches for."""
    link = KeptLink(
        LinkId(uuid7()), streamer, actor.person, Platform.TWITCH, b"", b"", None, None, LinkState.CONFIRMED,
        stage.clock(),
    )  # fmt: skip
    async with stage.work() as work:
        assert await work.platform_links.hold(link) == link
    return link.id


async def watched(stage: StreamerStage, by: dict[StreamerId, int | None]) -> None:
    for streamer, viewers in by.items():
        await stage.database.pool.execute(
            "update streamer_listing set average_viewers = $2 where streamer = $1", streamer, viewers
        )


class TestTheListing:
    async def test_says_what_is_true_with_the_change_that_makes_it_true(self, stage: StreamerStage) -> None:
        actor, id_ = await made(stage, country="MY")
        assert await ids(stage, Wanted(countries=frozenset({"MY"}))) == [id_]
        await change_profile(stage, actor, replace(PROFILE, country="SG"))
        assert await ids(stage, Wanted(countries=frozenset({"MY"}))) == []
        on_tiktok = Wanted(countries=frozenset({"SG"}), platforms=frozenset({Platform.TIKTOK}))
        offered = await stage.placed(actor)
        assert await ids(stage, on_tiktok) == []
        staff = await staffer(stage)
        assert await confirm_link(stage, staff, offered.link.id, offered.code) is LinkState.CONFIRMED
        assert await ids(stage, on_tiktok) == [id_]
        assert await ids(stage, Wanted(platforms=frozenset({Platform.TWITCH}))) == []
        await vouched(stage, actor, id_)
        assert await ids(stage, Wanted(platforms=frozenset({Platform.TWITCH}))) == [id_]
        assert await unlink(stage, actor, offered.link.id) is LinkState.UNLINKED
        assert await ids(stage, on_tiktok) == []
        assert await renew_listing(stage) == 0

    async def test_is_made_right_whatever_happened_to_it_and_only_where_it_is_wrong(self, stage: StreamerStage) -> None:
        (_, first), (_, second), (_, third) = [await made(stage) for _ in range(3)]
        await watched(stage, {first: 7})
        pool = stage.database.pool
        await pool.execute("update streamer_listing set country = 'TV', rating = 'mature' where streamer = $1", first)
        await pool.execute("delete from streamer_listing where streamer = $1", second)
        before = await pool.fetchval("select xmin::text from streamer_listing where streamer = $1", third)
        assert await renew_listing(stage) == 2
        assert await renew_listing(stage) == 0
        assert await ids(stage, HOME) == [third, second, first]
        assert before == await pool.fetchval("select xmin::text from streamer_listing where streamer = $1", third)
        assert await stage.search.find(EVERYBODY, Order.AVERAGE_VIEWERS, 1, None) == [Place(first, 7)]

    async def test_says_before_how_many_somebody_streams_and_nothing_where_nobody_looked(
        self, stage: StreamerStage
    ) -> None:
        (actor, id_), (_, unknown) = await made(stage), await made(stage)
        link, now = await vouched(stage, actor, id_), stage.clock().replace(second=0, microsecond=0)
        async with stage.work() as work:
            await work.live.watch(link, b"", now, now)
            for minute, viewers in enumerate((10, 20, 40)):
                for _ in range(2):  # who samples a minute again says nothing new
                    seen = OnAir("a stream", now, viewers)
                    await work.live.sample(link, seen, now + timedelta(minutes=minute))
        assert [await measure_listing(stage, now + timedelta(hours=1)) for _ in range(2)] == [1, 0]
        assert await stage.search.find(EVERYBODY, Order.AVERAGE_VIEWERS, 2, None) == [
            Place(id_, 23), Place(unknown, None),
        ]  # fmt: skip
        reads = ParticipationReads(stage.database)
        facts = [candidate.facts.average_viewers for of in (id_, unknown) if (candidate := await reads.candidate(of))]
        assert facts == [23, None]
        assert await measure_listing(stage, now + MEASURED + timedelta(hours=1)) == 1
        assert await ids(stage, Wanted(least_viewers=0)) == []

    async def test_who_is_kept_out_is_found_no_more_at_once_and_again_when_let_in(self, stage: StreamerStage) -> None:
        (banned, kept_out), (merged, joined) = await made(stage), await made(stage)
        survivor = await stage.person()
        pool = stage.database.pool
        await pool.execute("update person set status = 'banned' where id = $1", banned.person)
        assert await ids(stage) == [joined]
        assert await renew_listing(stage) == 1
        await pool.execute(
            "update person set status = 'merged', survivor = $2 where id = $1", merged.person, survivor.person
        )
        assert await ids(stage) == [joined]
        await pool.execute("update person set status = 'banned' where id = $1", survivor.person)
        assert await ids(stage) == []
        await pool.execute("update person set status = 'active' where id = any($1::uuid[])", [banned.person])
        assert await renew_listing(stage) == 2
        assert await ids(stage) == [kept_out]
        await pool.execute("delete from streamer where id = $1", kept_out)
        assert await stage.count("streamer_listing") == 0


class TestPages:
    async def test_the_most_watched_come_first_and_the_unknown_last(self, stage: StreamerStage) -> None:
        one, two, three, four = [(await made(stage))[1] for _ in range(4)]
        await watched(stage, {one: 10, two: None, three: 0, four: 10})
        assert await ids(stage, order=Order.AVERAGE_VIEWERS) == [four, one, three, two]
        assert await ids(stage) == [four, three, two, one]
        assert await ids(stage, Wanted(most_viewers=5)) == [three]
        assert await ids(stage, Wanted(least_viewers=0), Order.AVERAGE_VIEWERS) == [four, one, three]
        assert await ids(stage, Wanted(least_viewers=10, most_viewers=10)) == [four, one]

    @pytest.mark.parametrize("order", Order)
    async def test_they_follow_one_another_while_others_come_and_go(self, stage: StreamerStage, order: Order) -> None:
        found = [(await made(stage))[1] for _ in range(7)]
        await watched(stage, {each: (number // 2) or None for number, each in enumerate(found)})
        expected = await ids(stage, order=order)
        first = await stage.search.find(EVERYBODY, order, 3, None)
        await stage.database.pool.execute("delete from streamer where id = $1", first[-1].streamer)
        newcomer = (await made(stage))[1]
        await watched(stage, {newcomer: 9})
        rest, page = [], first
        while page := await stage.search.find(EVERYBODY, order, 3, page[-1]):
            rest += [place.streamer for place in page]
        assert [place.streamer for place in first] + rest == expected

    async def test_every_kind_is_wanted_and_any_value_of_a_kind(self, stage: StreamerStage) -> None:
        art = (await made(stage, categories=(Category.ART, Category.TALK), language="en"))[1]
        games = (await made(stage, categories=(Category.GAMES,), rating=Rating.MATURE))[1]
        either = frozenset({Category.ART, Category.GAMES})
        assert await ids(stage, Wanted(categories=either)) == [games, art]
        assert await ids(stage, Wanted(categories=either, languages=frozenset({"id"}))) == [games]
        assert await ids(stage, Wanted(categories=either, ratings=frozenset({Rating.TEEN}))) == [art]
        assert await ids(stage, Wanted(platforms=frozenset(Platform))) == []


async def test_each_kind_is_counted_within_all_that_is_wanted_of_the_others(stage: StreamerStage) -> None:
    wishes: list[dict[str, Any]] = [
        {"country": "ID", "language": "id", "categories": (Category.GAMES, Category.ART)},
        {"country": "ID", "language": "en", "categories": (Category.GAMES,)},
        {"country": "MY", "language": "en", "categories": (Category.ART,), "rating": Rating.MATURE},
        {"country": "SG", "language": "zh", "categories": (Category.FOOD,)},
    ]
    found = [(await made(stage, **said))[1] for said in wishes]
    await watched(stage, {found[0]: 5, found[3]: 500})
    counted = await stage.search.facets(Wanted(countries=frozenset({"ID"}), languages=frozenset({"en", "zh"})))
    assert counted == {
        Trait.COUNTRY: {"ID": 1, "MY": 1, "SG": 1},
        Trait.LANGUAGE: {"id": 1, "en": 1},
        Trait.RATING: {"teen": 1},
        Trait.CATEGORY: {"games": 1},
        Trait.PLATFORM: {},
    }
    assert (await stage.search.facets(EVERYBODY))[Trait.CATEGORY] == {"games": 2, "art": 2, "food": 1}
    assert (await stage.search.facets(Wanted(least_viewers=5)))[Trait.COUNTRY] == {"ID": 1, "SG": 1}


async def plan(connection: Any, statement: str, values: list[object], *, generic: bool) -> str:
    """How PostgreSQL goes about a statement, as the application asks it: without its values, or with them."""
    await connection.execute(f"set plan_cache_mode = force_{'generic' if generic else 'custom'}_plan")
    await connection.execute(f"prepare asked as {statement}")
    given = [f"{{{','.join(map(str, value))}}}" if isinstance(value, list) else str(value) for value in values]
    called = ", ".join(f"'{each}'" for each in given)
    (row,) = await connection.fetch(f"explain (format json) execute asked ({called})")
    await connection.execute("deallocate asked")
    return str(row[0])


async def by_looking_at_all(database: Database, wanted: Wanted, order: Order) -> list[Place]:
    """Everybody who is wanted, found in the plainest way."""
    one, many = "{} = any(${}::text[])", "string_to_array({}, ',') && ${}::text[]"
    has = {
        Trait.COUNTRY: (one, "country"), Trait.LANGUAGE: (one, "language"), Trait.RATING: (one, "rating"),
        Trait.CATEGORY: (many, "categories"), Trait.PLATFORM: (many, "platforms"),
    }  # fmt: skip
    wishes = [has[trait][0].format(has[trait][1], number) for number, trait in enumerate(wanted.values, 1)]
    if wanted.least_viewers is not None:
        wishes.append(f"average_viewers between {wanted.least_viewers} and {wanted.most_viewers}")
    by = "coalesce(average_viewers, -1) desc, streamer desc" if order is Order.AVERAGE_VIEWERS else "streamer desc"
    rows = await database.pool.fetch(
        f"select streamer, average_viewers from streamer_listing where {' and '.join(wishes) or 'true'} order by {by}",
        *map(sorted, wanted.values.values()),
    )
    return [Place(StreamerId(row["streamer"]), row["average_viewers"]) for row in rows]


async def test_pages_among_a_hundred_thousand_go_by_indexes_and_miss_nobody(database: DatabaseAddresses) -> None:
    assert await crowd_streams(database.superuser_url) == CROWD
    async with Database(database.app_url, size=1) as opened, opened.direct() as connection:
        search = PostgresStreamerSearch(opened)
        for wanted in WISHES:
            for order in Order:
                expected = await by_looking_at_all(opened, wanted, order)
                deep = expected[len(expected) // 2] if expected else None
                for after in (None, deep, *expected[-3:-2]):
                    start = expected.index(after) + 1 if after else 0
                    assert await search.find(wanted, order, 21, after) == expected[start : start + 21], (wanted, order)
                    await goes_by_indexes(connection, wanted, order, after)


async def goes_by_indexes(connection: Any, wanted: Wanted, order: Order, after: Place | None) -> None:
    asked = Asked(wanted)
    walk = await plan(connection, asked.walk(order, 21, after), asked.values, generic=True)
    index = "streamer_listing_by_viewers" if order is Order.AVERAGE_VIEWERS else "streamer_listing_pkey"
    assert "Seq Scan" not in walk
    assert f'"{index}"' in walk
    assert "Bitmap" not in walk
    asked = Asked(wanted)
    if asked.by_index or asked.bounds:
        statement = asked.gathered(order, 21, after)
        async with connection.transaction():
            await connection.execute(PLANNED_ANEW)
            gathered = await plan(connection, statement, asked.values, generic=False)
        assert "Seq Scan" not in gathered
        assert "streamer_listing_by_" in gathered
    assert WALK < CROWD / 20
