"""Everything that streamers need, plugged in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, fields

from adapters.config import Settings
from adapters.platforms.helix import EventSub, TwitchHelix
from adapters.platforms.twitch import TwitchAccess, TwitchSite
from adapters.platforms.youtube import YouTubeSite
from adapters.platforms.youtube_api import YouTubeAccess, YouTubeApi
from adapters.platforms.youtube_live import YouTubeBroadcasts
from adapters.postgres.database import Database
from adapters.postgres.streamer.live_reads import PostgresLiveReads
from adapters.postgres.streamer.reads import PostgresStreamerReads
from adapters.postgres.streamer.search import PostgresStreamerSearch
from adapters.postgres.streamer.units import PostgresUnits
from adapters.twitch_webhook import TWITCH_WEBHOOK
from adapters.wiring.identity import IdentityAdapters
from domain.streamer.live import Broadcasts
from domain.streamer.model import Platform
from domain.streamer.site import Site


@dataclass(frozen=True, slots=True)
class StreamerAdapters(IdentityAdapters):
    """`domain.streamer.ports.StreamerPorts`, plugged in."""

    reads: PostgresStreamerReads
    search: PostgresStreamerSearch
    sites: Mapping[Platform, Site]
    broadcasts: Mapping[Platform, Broadcasts]
    live: PostgresLiveReads


@dataclass(frozen=True, slots=True)
class Platforms:
    """The platforms at which we are a client."""

    sites: Mapping[Platform, Site] = field(default_factory=dict)
    broadcasts: Mapping[Platform, Broadcasts] = field(default_factory=dict)


def streamer_of(identity: IdentityAdapters, database: Database, platforms: Platforms) -> StreamerAdapters:
    """What the actions of streamers are handed: all of identity, and what streamers are besides."""
    return StreamerAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresStreamerReads(database, identity.vault),
        search=PostgresStreamerSearch(database),
        sites=platforms.sites,
        broadcasts=platforms.broadcasts,
        live=PostgresLiveReads(database, identity.vault),
    )


@asynccontextmanager
async def reach_platforms(settings: Settings, database: Database) -> AsyncIterator[Platforms]:
    """The platforms at which we are a client, connected while the block lasts."""
    sites: dict[Platform, Site] = {}
    broadcasts: dict[Platform, Broadcasts] = {}
    async with AsyncExitStack() as stack:
        if settings.twitch_client_id and settings.twitch_client_secret:
            twitch = TwitchAccess(
                settings.twitch_client_id,
                settings.twitch_client_secret.get_secret_value(),
                settings.twitch_oauth_url,
                settings.twitch_timeout_s,
            )
            secret = settings.twitch_eventsub_secret
            eventsub = EventSub(f"{settings.public_url}{TWITCH_WEBHOOK}", secret.get_secret_value()) if secret else None
            sites[Platform.TWITCH] = await stack.enter_async_context(TwitchSite(twitch))
            helix = TwitchHelix(twitch, settings.twitch_api_url, eventsub)
            broadcasts[Platform.TWITCH] = await stack.enter_async_context(helix)
        if youtube := _youtube(settings):
            units = PostgresUnits(database, Platform.YOUTUBE, settings.youtube_daily_units)
            api = await stack.enter_async_context(YouTubeApi(youtube, units))
            sites[Platform.YOUTUBE] = await stack.enter_async_context(YouTubeSite(youtube, api))
            broadcasts[Platform.YOUTUBE] = YouTubeBroadcasts(api)
        yield Platforms(sites, broadcasts)


def _youtube(settings: Settings) -> YouTubeAccess | None:
    """What we are at Google, where we are anything to YouTube."""
    id_, secret, key = settings.google_client_id, settings.google_client_secret, settings.youtube_api_key
    if not (id_ and secret and key):
        return None
    return YouTubeAccess(
        id_,
        secret.get_secret_value(),
        key.get_secret_value(),
        settings.youtube_sign_in_url,
        settings.youtube_oauth_url,
        settings.youtube_api_url,
        settings.youtube_timeout_s,
    )
