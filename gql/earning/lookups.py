"""What batched fields of earnings look up with."""

from collections.abc import Mapping, Sequence

from domain.earning.model import EarnedMinute
from domain.earning.ports import MinutePage
from domain.ports import Ports


async def minutes(ports: Ports, pages: Sequence[MinutePage]) -> Mapping[MinutePage, Sequence[EarnedMinute]]:
    """Pages of minutes."""
    return await ports.earning.reads.minutes(pages)
