"""Looking at streamers' accounts: who is live, before how many, and how many follow. Doors: the schedule, webhooks.

A platform that can tells of beginnings and ends, and viewers are sampled of who is live. Who nobody tells us of is
asked for, and everybody now and then, so that a message that was lost is made up for: how often, each platform says.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.ids import derived
from domain.streamer.events import LiveChanged
from domain.streamer.live import Broadcasts, OnAir, Received, Seen, Unseen, Watched
from domain.streamer.model import LinkId, Platform
from domain.streamer.platforms import account_index
from domain.streamer.ports import StreamerPorts, StreamerWork
from domain.work import Swept

SUBJECT_FIELD: Final = "platform_subject"
"""As what the vault seals a platform's own id of an account."""
MESSAGES_KEPT: Final = timedelta(days=1)
"""Longer than a message may come again."""
SAMPLES_KEPT: Final = timedelta(days=90)
"""Averages need 30 days of them, and a price is made of them within minutes; the rest is for whoever asks how it came
to be. A minute of the streamer that is not over, by review or dispute, keeps its samples for as long as that takes."""
_PRUNED_AT_ONCE: Final = 5_000
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
            await tell_live(work, [link])
    return True


async def told_offline(ports: StreamerPorts, message: Received, platform: Platform, subject: str, at: datetime) -> bool:
    """A platform says that somebody ended; False where it said so before."""
    index, now = account_index(ports.vault, platform, subject), ports.clock()
    async with ports.work() as work:
        if not await work.live.receive(message, now):
            return False
        if link := await work.live.find(platform, index):
            await work.live.end(link, at)
            await tell_live(work, [link])
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
    """Ask who is live, and before how many. No platform waits for another."""
    sweep = Swept()
    await asyncio.gather(*(_ask(ports, platform, now, sweep) for platform in ports.broadcasts))
    return sweep


async def _ask(ports: StreamerPorts, platform: Platform, now: datetime, sweep: Swept) -> None:
    """Ask one platform; who is live comes first, and waits for nobody else's answer."""
    broadcasts = ports.broadcasts[platform]
    pace = await broadcasts.pace(now, *await ports.live.watched(platform))
    due = await ports.live.to_poll(platform, pace, now)
    live, quiet = ([each for each in due if (each.stream is None) is is_quiet] for is_quiet in (False, True))
    sweep.looked_at += len(due)
    for some in (*_groups(live, _MOST), *_groups(quiet, _MOST)):
        try:
            await _sample(ports, broadcasts, some)
        except Exception as error:  # noqa: BLE001  # what cannot be asked now is asked in a minute
            sweep.failed.append((platform, error))


async def _sample(ports: StreamerPorts, broadcasts: Broadcasts, asked: Sequence[Watched]) -> None:
    found = await broadcasts.on_air(asked)
    now = ports.clock()
    for each in asked:
        await _note(ports, each, found.get(each.subject), now)
    async with ports.work() as work:
        await work.live.asked([each.link for each in asked if each.subject in found], now)
        gone = [each.link for each in asked if found.get(each.subject) is Unseen.NOT_LIVE]
        await work.live.silent(gone, now)
        await tell_live(work, gone)


async def _note(ports: StreamerPorts, watched: Watched, seen: Seen | None, now: datetime) -> None:
    if isinstance(seen, OnAir):
        async with ports.work() as work:
            await work.live.sample(watched.link, seen, now)
            await tell_live(work, [watched.link])
    elif seen is Unseen.REFUSED:
        async with ports.work() as work:
            await work.grants.hasten(watched.link, now)


async def tell_live(work: StreamerWork, links: Sequence[LinkId]) -> None:
    """Tell of who is live and was not, or the other way round, after what was said of accounts."""
    changed = (await work.live.changed(links)).items()
    await work.emit(*(LiveChanged(derived(f"live.changed:{one}", str(seq)), one) for one, seq in changed))


async def count_followers(ports: StreamerPorts, now: datetime) -> Swept:
    """Ask once a day how many follow."""
    sweep = Swept()
    for platform, broadcasts in ports.broadcasts.items():
        due = await ports.live.to_count(platform, now, _MOST)
        sweep.looked_at += len(due)
        for some in _groups(due, broadcasts.counted_at_once):
            try:
                followers = await broadcasts.followers([each.subject for each in some])
            except Exception as error:  # noqa: BLE001  # some accounts' trouble must not keep the others
                sweep.failed.append((str(some[0].link), error))
                continue
            async with ports.work() as work:
                for each in some:
                    await work.live.note_followers(each.link, followers.get(each.subject), now)
    return sweep


def _groups(all_: Sequence[Watched], most: int) -> Sequence[Sequence[Watched]]:
    return [all_[at : at + most] for at in range(0, len(all_), most)]


async def prune_samples(ports: StreamerPorts, now: datetime) -> int:
    """Forget samples that nothing needs any more, some at a time; how many. Its door: the schedule."""
    pruned = 0
    while True:
        async with ports.work() as work:
            gone = await work.live.prune_samples(now - SAMPLES_KEPT, _PRUNED_AT_ONCE)
        pruned += gone
        if gone < _PRUNED_AT_ONCE:
            return pruned


async def subscribe_all(ports: StreamerPorts, now: datetime) -> Swept:
    """Have platforms tell us of whom they do not yet. What fails is tried again in an hour, and asked for meanwhile."""
    sweep = Swept()
    for each in await ports.live.to_subscribe(now, _MOST):
        broadcasts = ports.broadcasts.get(each.platform)
        telling = broadcasts.telling if broadcasts else None
        if telling is None:
            continue
        sweep.looked_at += 1
        again_at: datetime | None = None
        try:
            await telling.subscribe(each.subject)
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
        telling = broadcasts.telling
        if telling is None:
            continue
        told = await telling.subscriptions()
        ours = {each.subject: each.link for each in watched if each.platform is platform}
        for subject in told.keys() - ours.keys():
            for subscription in told[subject]:
                await telling.unsubscribe(subscription)
                ended += 1
        for subject in ours.keys() - told.keys():
            async with ports.work() as work:
                await work.live.subscribed(ours[subject], now)
    async with ports.work() as work:
        await work.live.prune(now - MESSAGES_KEPT)
    return ended
