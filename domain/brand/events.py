"""What happens to brands. Thin: ids only; whoever listens loads the rest with its own rights."""

from dataclasses import dataclass

from domain.events import Event
from domain.ids import BrandId


@dataclass(frozen=True, slots=True)
class BrandEvent(Event):
    """Root of a brand's events; they are told in order on the brand's own topic."""

    brand: BrandId

    @property
    def topic(self) -> str:
        """`brand:<id>`."""
        return f"brand:{self.brand}"


class BrandCreated(BrandEvent):
    """Somebody made it, and is its owner."""


class BrandChanged(BrandEvent):
    """It says something else of itself."""


class BrandTeamChanged(BrandEvent):
    """Somebody came, went, or has another role."""


class BrandDecided(BrandEvent):
    """Staff verified or rejected it."""
