"""Finding streamers. Doors: the query, for brands and for staff who checks streamers; the worker's job.

The listing repeats what profiles, links and people say. Who changes one of these changes the listing along with it, and
the job makes right whatever went past: so nothing that is found depends on an event that somebody must not miss.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.actor import Actor
from domain.errors import NotPermittedError
from domain.rights import Permission
from domain.streamer.listing import Facets, Order, Place, Wanted
from domain.streamer.live import MEASURED
from domain.streamer.ports import StreamerPorts


async def find_streamers(
    ports: StreamerPorts, actor: Actor, wanted: Wanted, order: Order, first: int, after: Place | None
) -> Sequence[Place]:
    """Streamers who may be found, in an order. Its door: the query. Raises `NotPermittedError`."""
    _search_only_if_allowed(actor)
    return await ports.search.find(wanted, order, first, after)


async def count_streamers(ports: StreamerPorts, actor: Actor, wanted: Wanted) -> Facets:
    """How many there are of each value. Its door: the query. Raises `NotPermittedError`."""
    _search_only_if_allowed(actor)
    return await ports.search.facets(wanted)


async def renew_listing(ports: StreamerPorts) -> int:
    """Make the listing what it should be; how many rows were not. Its door: the worker's job."""
    async with ports.work() as work:
        return await work.listing.renew()


async def measure_listing(ports: StreamerPorts, now: datetime) -> int:
    """Say before how many everybody streams by now, on average; for how many that changed. Its door: the job.

    It is the mean of all samples of streams of the last 30 days, whatever the platform; nobody's is made up.
    """
    async with ports.work() as work:
        return await work.listing.measure(now - MEASURED)


def may_search(actor: Actor) -> bool:
    """Whether somebody looks for streamers: who belongs to a brand, and staff who checks streamers."""
    return bool(actor.brands) or actor.may(Permission.VERIFY_STREAMERS)


def _search_only_if_allowed(actor: Actor) -> None:
    if not may_search(actor):
        raise NotPermittedError(Permission.VERIFY_STREAMERS)
