"""What the sandbox's Twitch remembers beside channels and grants: who is told, the bucket, and tokens for ourselves."""

from datetime import timedelta

from adapters.sandbox.platforms.office import Channel, Live, Office, SandboxSettings, new_token
from adapters.sandbox.twitch.eventsub import EventSub
from domain.clock import Clock, system_clock

BUCKET_FILLS = timedelta(minutes=1)
CHANNELS = (
    ("71000001", "ayu_plays", "Ayu Plays"),
    ("71000002", "budi_main", "Budi Main"),
    ("71000003", "citra", "Citra"),
)


class Sandbox(Office):
    """Twitch."""

    def __init__(self, settings: SandboxSettings, *, clock: Clock = system_clock) -> None:
        super().__init__(settings, CHANNELS, clock)
        self.eventsub = EventSub(clock)
        self.bucket, self.bucket_full_at = 800, clock()
        self._counted = 0
        self._app_tokens: set[str] = set()
        self._streams = 40_000_000_000

    def begin(self, channel: Channel, curve: list[int]) -> None:
        """Let a channel go live now."""
        self._streams += 1
        channel.live = Live(str(self._streams), self.clock().replace(microsecond=0), curve)

    def count(self) -> int:
        """Count a call; how many are left in this minute's bucket, below zero when it was empty."""
        if self.clock() >= self.bucket_full_at:
            self.bucket_full_at, self._counted = self.clock() + BUCKET_FILLS, 0
        self._counted += 1
        return self.bucket - self._counted

    def app_token(self) -> str:
        """A token for ourselves."""
        made = new_token()
        self._app_tokens.add(made)
        return made

    def forget_app_tokens(self) -> None:
        """Let all of those run out."""
        self._app_tokens.clear()

    def knows(self, token: str) -> bool:
        """Whether Helix takes a token."""
        return token in self._app_tokens or self.by_access(token) is not None
