"""Accounts linked by signing in at Twitch: there and back, looked after, taken back and given back, whatever dies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from adapters.breaker import Breaker
from adapters.embedded.database import DatabaseAddresses
from adapters.platforms.twitch import TwitchAccess, TwitchSite
from adapters.sandbox.platforms.office import FaultKind
from adapters.sandbox.twitch import RunningSandbox, SandboxSettings, running_sandbox
from domain.actor import Actor
from domain.identity.erasure import erase_me
from domain.identity.provider import ProviderUnavailableError
from domain.identity.providers import JourneyBegun
from domain.identity.refusals import LinkRefused, NotWhileImpersonating, TooManyTries
from domain.identity.shredding import erase_due
from domain.ids import PersonId, uuid7
from domain.streamer.grants import look_after_grants
from domain.streamer.journeys import begin_link, finish_link
from domain.streamer.linking import ask_code, unlink
from domain.streamer.model import LinkId, LinkState, Platform
from domain.streamer.profile import become_streamer
from domain.streamer.refusals import (
    AccountTaken,
    NotStreamer,
    PlatformLinked,
    PlatformNotOffered,
    PlatformRefused,
    SignInThere,
)
from domain.work import Swept
from tests.privacy_stage import staged_privacy
from tests.streamer_stage import PROFILE, StreamerStage, staged_streamers, streamers_on

TWITCH = Platform.TWITCH
SECRET = "client-secret-of-the-tests"


@dataclass
class Town:
    """Our house, and Twitch."""

    stage: StreamerStage
    twitch: RunningSandbox

    async def depart(self, actor: Actor) -> JourneyBegun:
        found = await begin_link(self.stage, actor, TWITCH)
        assert isinstance(found, JourneyBegun), found
        return found

    async def journey(self, actor: Actor, login: str = "ayu_plays") -> object:
        """There and back."""
        begun = await self.depart(actor)
        return await finish_link(self.stage, actor, begun.token, await chosen(begun.url, login))

    async def linked(self, actor: Actor, login: str = "ayu_plays") -> LinkId:
        found = await self.journey(actor, login)
        assert not hasattr(found, "code"), found
        return found  # type: ignore[return-value] # what is no refusal is the id

    async def look(self, **turned: float) -> Swept:
        """Let the job run, some time later."""
        self.stage.turn(**turned)
        return await look_after_grants(self.stage, self.stage.clock())

    async def state(self, link: LinkId) -> str:
        return str(await self.stage.value("select state from platform_link where id = $1", link))

    def fault(self, kind: FaultKind, call: str) -> None:
        self.twitch.sandbox.order(kind, call)

    @property
    def granted(self) -> list[str]:
        return [grant.channel.login for grant in self.twitch.sandbox.grants]


async def chosen(url: str, login: str) -> dict[str, str]:
    """Own that channel (none: say no), and come back with these parameters."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(url)).status_code == 200
        answer = await browser.post(url, data={"login": login})
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@asynccontextmanager
async def with_twitch(stage: StreamerStage, secret: str = SECRET) -> AsyncIterator[Town]:
    async with running_sandbox(SandboxSettings("client", SECRET), clock=stage.clock) as twitch:
        access = TwitchAccess("client", secret, twitch.oauth_url, timeout_s=20)
        async with TwitchSite(access, breaker=Breaker(failures=1000)) as site:
            stage.sites = {TWITCH: site}
            yield Town(stage, twitch)


@pytest.fixture
async def town(database: DatabaseAddresses) -> AsyncIterator[Town]:
    async with staged_streamers(database) as stage, with_twitch(stage) as built:
        yield built


class TestTheWayThereAndBack:
    async def test_the_account_is_theirs_from_then_on(self, town: Town) -> None:
        stage, me = town.stage, await town.stage.streamer()
        link = await town.linked(me)
        kept = (await stage.reads.links([link]))[link]
        assert (kept.account, kept.state, kept.platform, kept.code_expires_at) == (
            "ayu_plays", LinkState.CONFIRMED, TWITCH, None,
        )  # fmt: skip
        assert (await stage.deeds())[-1] == "platform_link.confirmed"
        assert await stage.count("event", "name = 'PlatformLinkConfirmed'") == 1
        assert isinstance(await ask_code(stage, me, TWITCH, "ayu_plays"), SignInThere)

    async def test_tokens_stand_nowhere_as_they_are(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        (grant,) = town.twitch.sandbox.grants
        kept = await town.stage.value("select tokens from platform_grant where link = $1", link)
        assert isinstance(kept, bytes)
        assert grant.access.encode() not in kept
        assert grant.refresh.encode() not in kept

    async def test_a_journey_is_good_once_and_for_who_began_it(self, town: Town) -> None:
        me, other = await town.stage.streamer(), await town.stage.streamer("Budi")
        begun = await town.depart(me)
        told = await chosen(begun.url, "ayu_plays")
        assert isinstance(await finish_link(town.stage, other, begun.token, told), LinkRefused)
        found = await asyncio.gather(*(finish_link(town.stage, me, begun.token, told) for _ in range(5)))
        assert sum(isinstance(each, LinkRefused) for each in found) == 4
        assert town.twitch.sandbox.calls["token"] == 1
        late = await town.depart(other)
        town.stage.turn(minutes=11)
        assert isinstance(await finish_link(town.stage, other, late.token, told), LinkRefused)

    @pytest.mark.parametrize("wrong", [{"state": "of-another-journey"}, {"code": "guessed"}, {"code": "x" * 5000},
                                       {"error": "access_denied"}, {"state": "\ud800"}])  # fmt: skip
    async def test_what_is_no_return_of_this_journey_is_refused(self, town: Town, wrong: dict[str, str]) -> None:
        me = await town.stage.streamer()
        begun = await town.depart(me)
        told = await chosen(begun.url, "ayu_plays") | wrong
        assert isinstance(await finish_link(town.stage, me, begun.token, told), PlatformRefused)
        assert await town.stage.count("platform_link") == await town.stage.count("platform_grant") == 0

    async def test_who_says_no_or_is_no_streamer_or_somebody_looking_through_them(self, town: Town) -> None:
        me, nobody = await town.stage.streamer(), await town.stage.person()
        assert isinstance(await town.journey(me, ""), PlatformRefused)
        assert isinstance(await begin_link(town.stage, nobody, TWITCH), NotStreamer)
        assert isinstance(await begin_link(town.stage, me, Platform.TIKTOK), PlatformNotOffered)
        looked_through = Actor(me.person, impersonator=PersonId(uuid7()))
        assert isinstance(await begin_link(town.stage, looked_through, TWITCH), NotWhileImpersonating)
        assert isinstance(await finish_link(town.stage, looked_through, "token", {}), NotWhileImpersonating)

    async def test_so_many_journeys_a_day(self, town: Town) -> None:
        me = await town.stage.streamer()
        for _ in range(20):
            await town.depart(me)
        assert isinstance(await begin_link(town.stage, me, TWITCH), TooManyTries)

    async def test_while_twitch_does_not_answer_nothing_is_linked(self, town: Town) -> None:
        me = await town.stage.streamer()
        for kind in (FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.LOST):
            town.fault(kind, "token")
            with pytest.raises(ProviderUnavailableError):
                await town.journey(me)
        assert await town.stage.count("platform_link") == 0
        await town.linked(me)


class TestOneAccountOneStreamer:
    async def test_of_two_who_bring_the_same_account_one_has_it(self, town: Town) -> None:
        streamers = [await town.stage.streamer(f"S{number}") for number in range(4)]
        begun = [await town.depart(each) for each in streamers]
        told = [await chosen(each.url, "ayu_plays") for each in begun]
        found = await asyncio.gather(
            *(
                finish_link(town.stage, me, one.token, back)
                for me, one, back in zip(streamers, begun, told, strict=True)
            )
        )
        assert Counter(isinstance(each, AccountTaken) for each in found) == {True: 3, False: 1}
        assert await town.stage.count("platform_link") == 1
        await town.look(minutes=4)
        assert town.granted == ["ayu_plays"]
        assert await town.stage.count("platform_grant") == 1

    async def test_who_brings_their_own_again_has_it_granted_anew(self, town: Town) -> None:
        me = await town.stage.streamer()
        first = await town.linked(me)
        assert await town.linked(me) == first
        assert await town.stage.count("event", "name = 'PlatformLinkConfirmed'") == 1
        await town.look(minutes=1)
        assert town.granted == ["ayu_plays"]
        assert isinstance(await town.journey(me, "budi_main"), PlatformLinked)
        await town.look(minutes=4)
        assert town.granted == ["ayu_plays"]

    async def test_what_is_set_free_is_given_back_and_anybodys(self, town: Town) -> None:
        me, other = await town.stage.streamer(), await town.stage.streamer("Budi")
        link = await town.linked(me)
        assert isinstance(await town.journey(other), AccountTaken)
        assert await unlink(town.stage, me, link) is LinkState.UNLINKED
        await town.look(minutes=4)
        assert town.granted == []
        assert await town.stage.count("platform_grant") == 0
        await town.linked(other)


class TestLookingAfterIt:
    async def test_it_is_asked_every_hour_whether_it_holds(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        asked = town.twitch.sandbox.calls["validate"]
        for expected in (0, 1, 1, 2):
            await town.look(minutes=30)
            assert town.twitch.sandbox.calls["validate"] - asked == expected
        assert await town.state(link) == "confirmed"

    async def test_what_ran_out_is_renewed_by_one_alone(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        for _ in range(3):
            town.stage.turn(hours=5)
            await asyncio.gather(*(look_after_grants(town.stage, town.stage.clock()) for _ in range(5)))
        (grant,) = town.twitch.sandbox.grants
        assert grant.renewed == 3
        assert await town.state(link) == "confirmed"

    async def test_who_takes_it_back_there_is_unlinked_here(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        town.twitch.sandbox.disconnect(town.twitch.sandbox.channels["71000001"])
        await town.look(hours=1)
        assert await town.state(link) == "withdrawn"
        assert await town.stage.count("platform_grant") == 0
        assert await town.stage.count("event", "name = 'PlatformUnlinked'") == 1
        assert (await town.stage.deeds())[-1] == "platform_link.withdrawn"
        await town.look(hours=1)
        assert await town.stage.count("event", "name = 'PlatformUnlinked'") == 1
        assert await town.linked(me) != link

    async def test_twitch_that_fails_unlinks_nobody(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        for call in ("validate", "token"):
            town.stage.turn(hours=5)
            town.fault(FaultKind.SERVER_ERROR, call)
            assert len((await town.look()).failed) == 1
            assert (await town.look(minutes=4)).failed == []
            assert await town.state(link) == "confirmed"

    async def test_an_answer_that_was_lost_costs_a_journey_at_worst(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        town.fault(FaultKind.LOST, "token")
        assert len((await town.look(hours=5)).failed) == 1
        assert await town.state(link) == "confirmed"
        await town.look(minutes=4)
        assert await town.state(link) == "withdrawn"
        assert await town.linked(me) != link

    async def test_who_dies_amid_it_leaves_it_to_the_next(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        town.stage.turn(hours=1)
        async with town.stage.work() as work:
            now = town.stage.clock()
            (held,) = await work.grants.claim([TWITCH], now, now.replace(microsecond=0), 10)
        assert held.link == link
        town.stage.turn(seconds=1)
        assert (await town.look()).looked_at == 1
        async with town.stage.work() as work:
            assert not await work.grants.renew(held, b"late", town.stage.clock())
            assert not await work.grants.drop(held)

    async def test_who_unlinks_amid_a_renewal_has_what_was_renewed_given_back(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        real = town.stage.sites[TWITCH]

        class Interrupted:
            """The real one, in whose renewal the streamer unlinks."""

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

            async def renew(self, tokens: Any) -> Any:
                renewed = await real.renew(tokens)
                assert await unlink(town.stage, me, link) is LinkState.UNLINKED
                return renewed

        town.stage.sites = {TWITCH: Interrupted()}
        await town.look(hours=5)
        assert town.granted == ["ayu_plays"]
        await town.look(minutes=1)
        assert town.granted == []
        assert await town.state(link) == "unlinked"

    async def test_what_ran_out_is_given_back_all_the_same(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        await unlink(town.stage, me, link)
        await town.look(hours=5)
        assert town.granted == []
        assert await town.stage.count("platform_grant") == 0


async def test_an_erasure_gives_back_what_was_granted(database: DatabaseAddresses) -> None:
    async with staged_privacy(database) as privacy:
        stage, me = streamers_on(privacy), await privacy.member()
        async with with_twitch(stage) as town:
            await become_streamer(stage, me, PROFILE)
            await town.linked(me)
            await erase_me(privacy, me)
            await privacy.post()
            privacy.turn(days=14)
            for _ in range(2):
                assert (await erase_due(privacy, privacy.clock())).failed == []
                await privacy.post()
            assert await stage.count("platform_link") == 0
            await town.look()
            assert town.granted == []
            assert await stage.count("platform_grant") == 0


async def test_a_client_that_twitch_does_not_know_is_no_fault_of_the_streamers(database: DatabaseAddresses) -> None:
    async with staged_streamers(database) as stage, with_twitch(stage, secret="another") as town:
        with pytest.raises(ProviderUnavailableError):
            await town.journey(await stage.streamer())
