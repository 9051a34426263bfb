"""What happens to assets. Thin: ids only."""

from dataclasses import dataclass

from domain.events import Event
from domain.ids import AssetId


@dataclass(frozen=True, slots=True)
class AssetEvent(Event):
    """Root of an asset's events."""

    asset: AssetId

    @property
    def topic(self) -> str:
        """`asset:<id>`."""
        return f"asset:{self.asset}"


class AssetReady(AssetEvent):
    """The file came and is what it was to be."""


class AssetRefused(AssetEvent):
    """The file came and is not taken."""
