"""What batched fields of overlays look up with."""

from collections.abc import Mapping, Sequence

from domain.overlay.model import Overlay, Stop
from domain.ports import Ports
from domain.streamer.model import StreamerId


async def overlays_of(ports: Ports, ids: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[Overlay]]:
    """The overlays of streamers."""
    return await ports.overlay.overlays.overlays_of(ids)


async def stops_of(ports: Ports, ids: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[Stop]]:
    """Who has switched off the overlays of streamers."""
    return await ports.overlay.overlays.stops_of(ids)
