"""What batched fields of streamers look up with."""

from collections.abc import Mapping, Sequence

from domain.ports import Ports
from domain.streamer.live import Metrics
from domain.streamer.model import LinkId, PlatformLink, Streamer, StreamerId


async def streamers(ports: Ports, ids: Sequence[StreamerId]) -> Mapping[StreamerId, Streamer]:
    """Streamers by id."""
    return await ports.streamer.reads.streamers(ids)


async def links_of(ports: Ports, ids: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[PlatformLink]]:
    """The links of streamers."""
    return await ports.streamer.reads.links_of(ids)


async def metrics_of(ports: Ports, ids: Sequence[LinkId]) -> Mapping[LinkId, Metrics]:
    """What we saw of accounts."""
    return await ports.streamer.live.metrics(ids, ports.clock())
