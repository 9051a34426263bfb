"""Overlays on a real database: streamers who have some, and pages that have their tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.overlay.reads import PostgresOverlayReads
from domain.actor import Actor
from domain.overlay.actions import OverlayWithToken, add_overlay
from domain.overlay.model import Goal, Look, Overlay, OverlayId, Screen, Settings
from domain.quotas import Quotas
from tests.accounts_stage import AccountsStage, staged_accounts
from tests.streamer_stage import StreamerStage, streamers_on

SETTINGS = Settings("Main scene", Look(), Goal("New microphone", 3, 10))


@dataclass(kw_only=True)
class OverlayStage(StreamerStage):
    """`domain.overlay.ports.OverlayPorts`, with the means to look behind it."""

    overlays: PostgresOverlayReads

    async def overlay(self, actor: Actor, settings: Settings = SETTINGS) -> OverlayWithToken:
        """One more overlay of somebody's."""
        made = await add_overlay(self, actor, settings)
        assert isinstance(made, OverlayWithToken), made
        return made

    async def seen(self, id_: OverlayId) -> Overlay:
        """An overlay as it is by now."""
        return (await self.overlays.overlays([id_]))[id_]

    async def screen(self, token: str) -> Screen | None:
        """The overlay that has a token."""
        return await self.overlays.screen_of(self.opaque_tokens.digest(token))


def overlays_on(stage: AccountsStage) -> OverlayStage:
    """The same stage, with overlays."""
    streamers = streamers_on(stage)
    given = {part.name: getattr(streamers, part.name) for part in fields(StreamerStage)}
    return OverlayStage(**given, overlays=PostgresOverlayReads(stage.database, stage.vault))


@asynccontextmanager
async def staged_overlays(addresses: DatabaseAddresses, *, quotas: Quotas | None = None) -> AsyncIterator[OverlayStage]:
    async with staged_accounts(addresses, quotas=quotas) as accounts:
        yield overlays_on(accounts)
