"""Who is live on YouTube, before how many, and how many subscribed: asked, for YouTube tells nobody by itself.

Whether somebody has begun is asked in their name (`liveBroadcasts`, a unit for each: of searches there are but 100 a
day); streams that are known are asked for 50 at once (`videos`). Of several at once the one that began last counts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from adapters.platforms.answers import moment, reading
from adapters.platforms.youtube_api import YouTubeApi, YouTubeSaysNoError
from domain.identity.provider import ProviderUnavailableError
from domain.streamer.live import OnAir, Pace, Seen, Unseen, Watched
from domain.streamer.site import GrantRefusedError
from domain.streamer.units import AT_ONCE, KEPT_BACK, pace_of

_AT_THE_SAME_TIME = 8
_NEVER_LIVE = frozenset({"liveStreamingNotEnabled"})
_FOR_EVERYBODY = frozenset({"public", "unlisted"})


class YouTubeBroadcasts:
    """`domain.streamer.live.Broadcasts` by YouTube."""

    telling = None
    """YouTube tells nobody."""

    def __init__(self, api: YouTubeApi) -> None:
        self._api = api

    @property
    def counted_at_once(self) -> int:
        """So many accounts a unit."""
        return AT_ONCE

    async def pace(self, now: datetime, live: int, quiet: int, /) -> Pace:
        """As often as the units that are left of the day allow."""
        return pace_of(await self._api.units_left(now), now, live, quiet)

    async def on_air(self, asked: Sequence[Watched]) -> Mapping[str, Seen]:
        """What is to be seen of these: first of streams that are known, then who else has begun."""
        known = {each.subject: each.stream for each in asked if each.stream is not None}
        found = dict(await self._follow(known)) if known else {}
        begun = await self._begun([each for each in asked if each.stream is None])
        found |= begun
        streams = {subject: seen.stream for subject, seen in begun.items() if isinstance(seen, OnAir)}
        if streams:
            # What cannot be had now, how many watch, is asked in a minute: that they began is known all the same.
            with suppress(ProviderUnavailableError):
                seen = await self._follow(streams)
                found |= {subject: each for subject, each in seen.items() if isinstance(each, OnAir)}
        return found

    async def followers(self, subjects: Sequence[str]) -> Mapping[str, int | None]:
        """How many subscribed, by three figures as YouTube tells them; None where it is hidden."""
        query = {"part": "statistics", "id": ",".join(subjects), "maxResults": str(AT_ONCE)}
        told = await self._api.ask("channels", query, leaving=KEPT_BACK // 2)
        with reading("channels"):
            return {str(each["id"]): _subscribers(each["statistics"]) for each in told}

    async def _begun(self, asked: Sequence[Watched]) -> Mapping[str, Seen]:
        """Who of these has begun, a unit each. Raises where nobody's answer could be had."""
        found: dict[str, Seen] = {}
        failed: list[ProviderUnavailableError] = []
        gate = asyncio.Semaphore(_AT_THE_SAME_TIME)

        async def look(each: Watched) -> None:
            async with gate:
                try:
                    found[each.subject] = await self._broadcast_of(each)
                except GrantRefusedError:
                    found[each.subject] = Unseen.REFUSED
                except ProviderUnavailableError as error:
                    failed.append(error)
                    found[each.subject] = Unseen.UNKNOWN

        await asyncio.gather(*map(look, asked))
        if failed and len(failed) == len(asked):
            raise failed[0]
        return found

    async def _broadcast_of(self, asked: Watched) -> Seen:
        """The stream that a channel has begun."""
        query = {"part": "snippet,status", "broadcastStatus": "active", "broadcastType": "all", "maxResults": "50"}
        if asked.access is None:
            return Unseen.UNKNOWN
        try:
            told = await self._api.ask("liveBroadcasts", query, access=asked.access, leaving=KEPT_BACK)
        except YouTubeSaysNoError as error:
            if error.reason in _NEVER_LIVE:
                return Unseen.NOT_LIVE
            raise
        with reading("liveBroadcasts"):
            begun = [_broadcast(each) for each in told if _is_shown(each, asked.subject)]
        return max(begun, key=lambda each: each.started_at, default=Unseen.NOT_LIVE)

    async def _follow(self, streams: Mapping[str, str]) -> Mapping[str, Seen]:
        """How these streams go on, 50 a unit; one that is shown to nobody any more is not live."""
        found: dict[str, Seen] = dict.fromkeys(streams, Unseen.NOT_LIVE)
        subjects = list(streams)
        for at in range(0, len(subjects), AT_ONCE):
            some = {streams[subject]: subject for subject in subjects[at : at + AT_ONCE]}
            query = {"part": "liveStreamingDetails", "id": ",".join(some), "maxResults": str(AT_ONCE)}
            told = await self._api.ask("videos", query, leaving=KEPT_BACK)
            with reading("videos"):
                found |= {some[each["id"]]: _video(each) for each in told if "liveStreamingDetails" in each}
        return found


def _is_shown(told: Mapping[str, Any], channel: str) -> bool:
    status = told["status"]
    is_theirs = told["snippet"]["channelId"] == channel
    return is_theirs and status["lifeCycleStatus"] == "live" and status["privacyStatus"] in _FOR_EVERYBODY


def _broadcast(told: Mapping[str, Any]) -> OnAir:
    return OnAir(str(told["id"]), moment(told["snippet"]["actualStartTime"]), None)


def _video(told: Mapping[str, Any]) -> Seen:
    """A stream. YouTube leaves the number out where it is hidden, and where nobody watches: neither is a zero."""
    details = told["liveStreamingDetails"]
    if "actualStartTime" not in details:
        return Unseen.NOT_LIVE
    ended, viewers = details.get("actualEndTime"), details.get("concurrentViewers")
    return OnAir(
        str(told["id"]),
        moment(details["actualStartTime"]),
        max(0, int(viewers)) if viewers is not None else None,
        moment(ended) if ended is not None else None,
    )


def _subscribers(told: Mapping[str, Any]) -> int | None:
    return None if told.get("hiddenSubscriberCount") is True else max(0, int(told["subscriberCount"]))
