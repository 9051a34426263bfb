"""What happens to minutes. Thin: ids only; whoever listens loads the rest with its own rights."""

from dataclasses import dataclass

from domain.campaign.participation import ParticipationId
from domain.events import Event


@dataclass(frozen=True, slots=True)
class EarningsChanged(Event):
    """Minutes of a participation were closed, released or looked at, up to `seq`, which counts such changes."""

    participation: ParticipationId
    seq: int

    @property
    def topic(self) -> str:
        """`earnings:<participation>`."""
        return earnings_topic(self.participation)


def earnings_topic(participation: ParticipationId) -> str:
    """The topic of what a participation earns."""
    return f"earnings:{participation}"
