"""When a streamer goes live: told to themselves and to the brand that has agreed with them, and to nobody else."""

from datetime import UTC, datetime
from uuid import UUID

from adapters.wiring import Adapters
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from domain.streamer.live import OnAir
from domain.streamer.model import LinkId
from domain.streamer.watching import tell_live
from gql.node import global_id
from gql.scalars import plain
from tests.journeys.house import Journey, Person
from tests.journeys.studio import studio_of
from tests.journeys.test_earning_journey import later, taking_part

FOLLOW = """
subscription ($id: ID!, $after: Cursor) {
  liveChanged(streamerId: $id, after: $after) { cursor isLive streamer { id } } }
"""
_LINK = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at, placed_at, decided_at)
values ($1, $2, 'tiktok', '', $3, '', now(), 'confirmed', now(), now(), now())
"""
_WATCH = "insert into platform_watch (link, subject, watched_since) values ($1, '', now())"


async def turned(ports: Adapters, link: LinkId, *, live: bool) -> None:
    """What we hear of an account."""
    now = datetime.now(UTC)
    async with ports.streamer.work() as work:
        if live:
            await work.live.sample(link, OnAir("one", now, 10), now)
        else:
            await work.live.end(link, now)
        await tell_live(work, [link])


async def test_who_works_with_a_streamer_hears_when_they_go_live(journey: Journey) -> None:
    brand, link = BrandId(uuid7()), LinkId(uuid7())
    ani = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    viewer = (await journey.enroll(brands={brand: BrandRole.VIEWER})).actor
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    async with studio_of(journey) as studio, later(journey) as ports:
        streamer = UUID(plain(studio.streamer).partition(":")[2])
        await journey.connection.execute(_LINK, link, streamer, link.bytes)
        await journey.connection.execute(_WATCH, link)
        id_ = global_id("Streamer", streamer)
        for stranger in (ani, other):
            async with journey.conversation(Person(stranger, "")) as socket:
                await socket.subscribe("1", FOLLOW, id=id_)
                assert (await socket.next())["type"] == "error"
        await taking_part(journey, ani, brand, studio)
        async with (
            journey.conversation(Person(viewer, "")) as follower,
            journey.conversation(Person(studio.actor, "")) as own,
        ):
            for socket in (follower, own):
                await socket.subscribe("1", FOLLOW, id=id_)
                assert not (await socket.data("1"))["liveChanged"]["isLive"]
            await turned(ports, link, live=True)
            seen = [(await socket.data("1"))["liveChanged"] for socket in (follower, own)]
            assert [each["isLive"] for each in seen] == [True, True]
            assert seen[0]["streamer"] == {"id": id_}
        await turned(ports, link, live=False)
        async with journey.conversation(Person(viewer, "")) as socket:
            await socket.subscribe("1", FOLLOW, id=id_, after=seen[0]["cursor"])
            assert not (await socket.data("1"))["liveChanged"]["isLive"]
