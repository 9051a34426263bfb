"""What the sandbox's YouTube remembers beside channels and grants: broadcasts, what is hidden, and the day's units."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.sandbox.platforms.office import Channel, Live, Office, SandboxSettings
from domain.clock import Clock, system_clock

CHANNELS = (
    ("UCayuAyuPlays00000000000", "ayuplays", "Ayu Plays"),
    ("UCbudiBudiMain0000000000", "budimain", "Budi Main"),
    ("UCcitraCitra000000000000", "citra", "Citra"),
)
DAILY_UNITS = 10_000
_CALIFORNIA = ZoneInfo("America/Los_Angeles")
_FIGURES = 3


@dataclass(slots=True)
class Broadcast:
    """A stream, also when it is over."""

    channel: Channel
    live: Live
    privacy: str
    ended_at: datetime | None = None


class Sandbox(Office):
    """YouTube, and Google, where its accounts are."""

    token_lives = timedelta(hours=1)
    changes_refresh_tokens = False

    def __init__(self, settings: SandboxSettings, api_key: str, *, clock: Clock = system_clock) -> None:
        super().__init__(settings, CHANNELS, clock)
        self.api_key = api_key
        self.broadcasts: dict[str, Broadcast] = {}
        self.hidden_viewers: set[str] = set()
        """Channels that tell nobody how many watch."""
        self.hidden_subscribers: set[str] = set()
        self.units = DAILY_UNITS
        self._counted_for: date | None = None
        self._spent = 0

    def begin(self, channel: Channel, curve: list[int], privacy: str = "public") -> Broadcast:
        """Let a channel go live now; what it showed before goes on beside it."""
        live = Live(secrets.token_urlsafe(8), self.clock().replace(microsecond=0), curve)
        made = self.broadcasts[live.id] = Broadcast(channel, live, privacy)
        channel.live = live
        return made

    def end(self, channel: Channel) -> None:
        """Let all that a channel shows end now."""
        channel.live = None
        for each in self.broadcasts.values():
            if each.channel is channel and each.ended_at is None:
                each.ended_at = self.clock().replace(microsecond=0)

    def charge(self) -> bool:
        """Take a unit; False where none is left until midnight in California."""
        today = self.clock().astimezone(_CALIFORNIA).date()
        if today != self._counted_for:
            self._counted_for, self._spent = today, 0
        if self._spent >= self.units:
            return False
        self._spent += 1
        return True

    @property
    def spent(self) -> int:
        """How many units of the day are used up."""
        return self._spent


def rounded(subscribers: int) -> int:
    """A number as YouTube tells it to others: three figures, rounded down."""
    told = str(subscribers)
    return int(told[:_FIGURES].ljust(len(told), "0"))
