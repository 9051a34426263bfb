"""Streamers on a real database: people who became some, and codes that they place."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.streamer.live_reads import PostgresLiveReads
from adapters.postgres.streamer.reads import PostgresStreamerReads
from adapters.postgres.streamer.search import PostgresStreamerSearch
from domain.actor import Actor
from domain.quotas import Quotas
from domain.streamer.linking import OfferedCode, ask_code, say_placed
from domain.streamer.live import Broadcasts
from domain.streamer.model import Category, LinkState, Platform, Profile, Rating, Slot, Streamer, Weekday
from domain.streamer.profile import become_streamer
from domain.streamer.site import Site
from domain.vault import Vault
from tests.accounts_stage import AccountsStage, origin, staged_accounts
from tests.people import enroll

PROFILE = Profile(
    "Ani Plays",
    (Category.GAMES, Category.TALK),
    "id",
    Rating.TEEN,
    "ID",
    "Asia/Jakarta",
    (Slot(Weekday.FRIDAY, 20 * 60, 24 * 60), Slot(Weekday.SATURDAY, 0, 60)),
)


@dataclass(kw_only=True)
class StreamerStage(AccountsStage):
    """`domain.streamer.ports.StreamerPorts`, with the means to look behind it."""

    reads: PostgresStreamerReads
    search: PostgresStreamerSearch
    live: PostgresLiveReads
    sites: Mapping[Platform, Site] = field(default_factory=dict)
    broadcasts: Mapping[Platform, Broadcasts] = field(default_factory=dict)

    async def person(self) -> Actor:
        """Somebody who is signed in."""
        found = (await enroll(self.database.pool)).person
        await self.vault.create_key(found)
        return replace(Actor(found), origin=origin())

    async def streamer(self, name: str = PROFILE.display_name) -> Actor:
        """Somebody who streams."""
        actor = await self.person()
        made = await become_streamer(self, actor, replace(PROFILE, display_name=name))
        assert isinstance(made, Streamer), made
        return actor

    async def offered(self, actor: Actor, account: str = "ani", platform: Platform = Platform.TIKTOK) -> OfferedCode:
        """A code for an account."""
        found = await ask_code(self, actor, platform, account)
        assert isinstance(found, OfferedCode), found
        return found

    async def placed(self, actor: Actor, account: str = "ani", platform: Platform = Platform.TIKTOK) -> OfferedCode:
        """A code that its streamer says is placed."""
        found = await self.offered(actor, account, platform)
        assert await say_placed(self, actor, found.link.id) is LinkState.PLACED
        return found

    async def state(self, offered: OfferedCode) -> str:
        return str(await self.value("select state from platform_link where id = $1", offered.link.id))


def streamers_on(stage: AccountsStage) -> StreamerStage:
    """The same stage, with streamers."""
    given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
    return StreamerStage(
        **given,
        reads=PostgresStreamerReads(stage.database, stage.vault),
        search=PostgresStreamerSearch(stage.database),
        live=PostgresLiveReads(stage.database, stage.vault),
    )


@asynccontextmanager
async def staged_streamers(
    addresses: DatabaseAddresses, *, vault: Vault | None = None, quotas: Quotas | None = None
) -> AsyncIterator[StreamerStage]:
    async with staged_accounts(addresses, vault=vault, quotas=quotas) as accounts:
        yield streamers_on(accounts)
