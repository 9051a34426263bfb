"""What the overlay context needs: its rows inside a unit of work, and reads without locks."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import PersonId
from domain.overlay.model import Alert, KeptOverlay, Look, Overlay, OverlayId, Screen, Side, Stop
from domain.streamer.model import StreamerId
from domain.streamer.ports import StreamerPorts, StreamerWork


@dataclass(frozen=True, slots=True)
class SealedSettings:
    """What a streamer says of an overlay, with their own words sealed."""

    look: Look
    words: bytes
    """The name, and what is to be reached."""
    reached: int | None = None
    target: int | None = None


class Overlays(Protocol):
    """Overlays inside a unit of work."""

    async def add(
        self, id_: OverlayId, streamer: StreamerId, sealed: SealedSettings, digest: bytes, now: datetime
    ) -> None:
        """Store a new overlay."""
        ...

    async def count(self, streamer: StreamerId) -> int:
        """How many a streamer has."""
        ...

    async def lock(self, id_: OverlayId) -> KeptOverlay | None:
        """An overlay that is not revoked, locked."""
        ...

    async def change(self, id_: OverlayId, sealed: SealedSettings, now: datetime) -> None:
        """Keep other settings, which are a version of their own."""
        ...

    async def renew(self, id_: OverlayId, digest: bytes, now: datetime) -> None:
        """Keep another token's digest in place of the former."""
        ...

    async def revoke(self, id_: OverlayId, now: datetime) -> None:
        """End an overlay; what was raised on it goes with it."""
        ...

    async def raise_alert(self, id_: OverlayId, body: bytes, now: datetime, *, is_test: bool) -> int:
        """Keep an alert, sealed; its sequence. Those that are too old to be told go."""
        ...

    async def owner_of(self, streamer: StreamerId) -> PersonId | None:
        """In whose name a streamer is; None where there is no such."""
        ...

    async def switch_off(self, streamer: StreamerId, stop: Stop, reason: bytes | None) -> bool:
        """Switch a streamer's overlays off; False where that side has done so before."""
        ...

    async def switch_on(self, streamer: StreamerId, side: Side) -> bool:
        """Take a side's stop away; False where there is none."""
        ...


class OverlayWork(StreamerWork, Protocol):
    """A unit of work with overlays in it."""

    @property
    def overlays(self) -> Overlays:
        """Overlays."""
        ...


class OverlayReads(Protocol):
    """Overlays, read without locks; words are opened. One whose streamer's key is gone is none any more."""

    async def screen_of(self, digest: bytes) -> Screen | None:
        """The overlay whose token has this digest."""
        ...

    async def screens(self, ids: Collection[OverlayId]) -> Mapping[OverlayId, Screen]:
        """Overlays as they are now, by id, in one statement."""
        ...

    async def overlays(self, ids: Sequence[OverlayId]) -> Mapping[OverlayId, Overlay]:
        """Overlays by id, those that there are."""
        ...

    async def overlays_of(self, streamers: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[Overlay]]:
        """The overlays of each, oldest first."""
        ...

    async def stops_of(self, streamers: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[Stop]]:
        """Who has switched off the overlays of each."""
        ...

    async def alerts(self, overlay: OverlayId, after: int, since: datetime, most: int) -> Sequence[Alert]:
        """So many alerts after a sequence, raised since then, in order."""
        ...


class OverlayPorts(StreamerPorts, Protocol):
    """What the actions of overlays are handed."""

    def work(self) -> AbstractAsyncContextManager[OverlayWork]:
        """Open a unit of work."""
        ...

    @property
    def overlays(self) -> OverlayReads:
        """Overlays, read without locks."""
        ...
