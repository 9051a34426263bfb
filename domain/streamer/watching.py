"""Looking at streamers' accounts: who is live, before how many, and how many follow. Doors: the schedule, webhooks.

A platform tells of beginnings and ends, and viewers are sampled every minute of who is live. Who nobody tells us of is
asked for as often, and everybody now and then, so that a message that was lost is made up for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.streamer.live import Broadcasts, Received, Watched
from domain.streamer.model import Platform
from domain.streamer.platforms import account_index
from domain.streamer.ports import StreamerPorts
from domain.work import Swept

SUBJECT_FIELD: Final = "platform_subject"
"""As what the vault seals a platform's own id of an account."""
MESSAGES_KEPT: Final = timedelta(days=1)
"""Longer than a message may come again."""
_LATER: Final = timedelta(hours=1)
_MOST: Final = 100


async def told_online(
    ports: StreamerPorts, message: Received, platform: Platform, subject: str, stream: str, started_at: datetime
) -> bool:
    """A platform says that somebody began; False where it said so before. Of whom we do not know nothing follows."""
    index, now = account_index(ports.vault, platform, subject), ports.clock()
    async with ports.work() as work:
        if not await work.live.receive(message, now):
            return False
        if link := await work.live.find(platform, index):
            await work.live.begin(link, stream, started_at, now)
    return True


async def told_offline(ports: StreamerPorts, message: Received, platform: Platform, subject: str, at: datetime) -> bool:
    """A platform says that somebody ended; False where it said so before."""
    index, now = account_index(ports.vault, platform, subject), ports.clock()
    async with ports.work() as work:
        if not await work.live.receive(message, now):
            return False
        if link := await work.live.find(platform, index):
            await work.live.end(link, at)
    return True


async def told_silence(ports: StreamerPorts, message: Received, platform: Platform, subject: str) -> bool:
    """A platform says that it will tell us of somebody no more: they are asked for until it does again."""
    index, now = account_index(ports.vault, platform, subject), ports.clock()
    async with ports.work() as work:
        if not await work.live.receive(message, now):
            return False
        if link := await work.live.find(platform, index):
            await work.live.subscribed(link, now + _LATER)
    return True


async def sample_streams(ports: StreamerPorts, now: datetime) -> Swept:
    """Ask who is live, and before how many."""
    sweep = Swept()
    due = await ports.live.to_poll(now)
    for platform, broadcasts in ports.broadcasts.items():
        asked = [each for each in due if each.platform is platform]
        sweep.looked_at += len(asked)
        for at in range(0, len(asked), _MOST):
            try:
                await _sample(ports, broadcasts, asked[at : at + _MOST])
            except Exception as error:  # noqa: BLE001  # what cannot be asked now is asked in a minute
                sweep.failed.append((platform, error))
    return sweep


async def _sample(ports: StreamerPorts, broadcasts: Broadcasts, asked: Sequence[Watched]) -> None:
    found = await broadcasts.on_air([each.subject for each in asked])
    now = ports.clock()
    for each in asked:
        if seen := found.get(each.subject):
            async with ports.work() as work:
                await work.live.sample(each.link, seen, now)
    async with ports.work() as work:
        await work.live.silent([each.link for each in asked if each.subject not in found], now)


async def count_followers(ports: StreamerPorts, now: datetime) -> Swept:
    """Ask once a day how many follow."""
    sweep = Swept()
    for each in await ports.live.to_count(now, _MOST):
        sweep.looked_at += 1
        try:
            followers = await ports.broadcasts[each.platform].followers(each.subject)
        except Exception as error:  # noqa: BLE001  # one account's trouble must not keep the others
            sweep.failed.append((str(each.link), error))
            continue
        async with ports.work() as work:
            await work.live.note_followers(each.link, followers, now)
    return sweep


async def subscribe_all(ports: StreamerPorts, now: datetime) -> Swept:
    """Have platforms tell us of whom they do not yet. What fails is tried again in an hour, and asked for meanwhile."""
    sweep = Swept()
    for each in await ports.live.to_subscribe(now, _MOST):
        broadcasts = ports.broadcasts.get(each.platform)
        if broadcasts is None or not broadcasts.tells:
            continue
        sweep.looked_at += 1
        again_at: datetime | None = None
        try:
            await broadcasts.subscribe(each.subject)
        except Exception as error:  # noqa: BLE001  # one account's trouble must not keep the others
            sweep.failed.append((str(each.link), error))
            again_at = now + _LATER
        async with ports.work() as work:
            await work.live.subscribed(each.link, again_at)
    return sweep


async def tidy_subscriptions(ports: StreamerPorts, now: datetime) -> int:
    """Hold what platforms tell us of against what we want: end what nobody needs, begin anew what is missing.

    Messages that cannot come again are forgotten. Answers how many subscriptions were ended.
    """
    ended = 0
    watched = await ports.live.all_watched()
    for platform, broadcasts in ports.broadcasts.items():
        if not broadcasts.tells:
            continue
        told = await broadcasts.subscriptions()
        ours = {each.subject: each.link for each in watched if each.platform is platform}
        for subject in told.keys() - ours.keys():
            for subscription in told[subject]:
                await broadcasts.unsubscribe(subscription)
                ended += 1
        for subject in ours.keys() - told.keys():
            async with ports.work() as work:
                await work.live.subscribed(ours[subject], now)
    async with ports.work() as work:
        await work.live.prune(now - MESSAGES_KEPT)
    return ended
