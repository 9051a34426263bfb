"""What earnings need: minutes inside a unit of work, reads without locks, the ledger's second door, and our samples."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.brand.ports import BrandWork
from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId, Side
from domain.campaign.spending import Rest
from domain.earning.analytics import Asked, Row
from domain.earning.dispute import Dispute, DisputeId, Parties, Ruling
from domain.earning.model import Case, Closed, Due, EarnedMinute, EarningPolicy, MinuteState, Report, Source
from domain.earning.rates import Rates
from domain.identity.ports import IdentityPorts
from domain.ledger.ports import Submissions
from domain.streamer.model import StreamerId


class Streamed(NamedTuple):
    """A minute of a streamer, whatever they took part in."""

    streamer: StreamerId
    minute: datetime


class MinuteId(NamedTuple):
    """A minute of a participation."""

    minute: datetime
    participation: ParticipationId


class MinutePage(NamedTuple):
    """So many minutes of a participation, newest first; those before one."""

    participation: ParticipationId
    first: int
    before: datetime | None = None


class ReadDispute(NamedTuple):
    """A dispute, and why it was opened; None once those words were erased."""

    dispute: Dispute
    reason: str | None


class Day(NamedTuple):
    """A campaign's local day, by its beginning."""

    campaign: CampaignId
    starts: datetime


class Spendings(NamedTuple):
    """What campaigns spent, in minor units."""

    on_days: Mapping[Day, int]
    altogether: Mapping[CampaignId, int]


class Resting(NamedTuple):
    """What is to rest: a campaign or, of it, one participation."""

    campaign: CampaignId
    participation: ParticipationId | None
    rest: Rest


class Settled(NamedTuple):
    """What the ledger answered about a minute."""

    participation: ParticipationId
    minute: datetime
    state: MinuteState
    reason: str = ""


class Streams(Protocol):
    """What we know of streams by ourselves: sessions that platforms told of, and viewers that jobs have sampled."""

    async def sessions(
        self, streamers: Sequence[StreamerId], since: datetime, until: datetime
    ) -> Mapping[StreamerId, Sequence[object]]:
        """All sessions of each that lie within a time in part."""
        ...

    async def viewers_at(self, moments: Sequence[tuple[StreamerId, datetime]]) -> Sequence[int | None]:
        """Before how many each was live at a moment, on all platforms; None: not live, or no sample is near."""
        ...


class Minutes(Protocol):
    """Minutes and what is spent on them, inside a unit of work."""

    async def claim(self, waiting: Sequence[Streamed]) -> Sequence[Case]:
        """Be alone with open minutes, the earliest of each participation.

        Passes over participations that somebody else is at, and those of which a minute is still being decided on.
        """
        ...

    async def spent_on(self, days: Sequence[Day]) -> Spendings:
        """What campaigns spent, on days and altogether; nobody else spends of them until the work ends."""
        ...

    async def close(self, closed: Sequence[Closed], now: datetime) -> Mapping[ParticipationId, int]:
        """Keep what closing came to, and the days' spending; the seq of each participation after that."""
        ...

    async def settle(self, settled: Sequence[Settled], now: datetime) -> Mapping[ParticipationId, int]:
        """Keep what the ledger answered about minutes that it was asked about, once each; whose seq went on."""
        ...

    async def review(self, said: Settled, now: datetime) -> Mapping[ParticipationId, int]:
        """Keep what staff said of a minute that waits for that; empty where none does."""
        ...

    async def still_open(self, campaigns: Sequence[CampaignId]) -> Mapping[CampaignId, Mapping[ParticipationId, int]]:
        """How many minutes of each participation in campaigns are open."""
        ...

    async def rest(self, resting: Sequence[Resting]) -> Collection[CampaignId]:
        """Keep what is shown no more for a while, where it is still; the campaigns in which that is news."""
        ...

    async def wake(self, now: datetime, most: int) -> Collection[CampaignId]:
        """Show again what rested for long enough, or may spend more by now; the campaigns of that."""
        ...

    async def claim_release(self, until: datetime, most: int) -> int:
        """Have so many minutes that are held since then be released; how many. Nobody freezes them from now on."""
        ...


class Disputes(Protocol):
    """Disputes, inside a unit of work."""

    async def parties(self, participation: ParticipationId) -> Parties | None:
        """Who the two sides of a participation are."""
        ...

    async def lock(self, id_: DisputeId) -> Dispute | None:
        """Be alone with a dispute."""
        ...

    async def disputable(
        self, participation: ParticipationId, minutes: Sequence[datetime], side: Side
    ) -> Sequence[datetime] | None:
        """Be alone with minutes, and have nothing of their campaign return; when each was closed.

        None where there is one that the side cannot dispute.
        """
        ...

    async def open(self, dispute: Dispute) -> Mapping[ParticipationId, int]:
        """Keep a dispute and stop the minutes that it names, which are disputable."""
        ...

    async def rule(
        self, dispute: Dispute, ruling: Ruling, thousandths: int, now: datetime
    ) -> Mapping[ParticipationId, int]:
        """Keep a ruling, and send the minutes where it leads."""
        ...


class EarningWork(BrandWork, Protocol):
    """A unit of work with minutes in it."""

    @property
    def disputes(self) -> Disputes:
        """Disputes."""
        ...

    @property
    def minutes(self) -> Minutes:
        """Minutes."""
        ...


class Evidence(Protocol):
    """Where reports go: one statement for a batch, durable by itself."""

    async def add(self, source: Source, reports: Sequence[Report], rates: Rates, now: datetime) -> Sequence[str | None]:
        """Count what is known and open, for each in turn: None, or by its value the verdict why it was not counted.

        A second that is heard of again, late or out of order, is the same second.
        """
        ...


class EarningReads(Protocol):
    """Minutes, read without locks."""

    async def to_close(self, before: datetime, most: int) -> Sequence[Streamed]:
        """The earliest open minute of each participation, from before then."""
        ...

    async def asked(self, state: MinuteState, most: int, after: MinuteId | None) -> Sequence[Due]:
        """Minutes about which the ledger is being asked, earliest first; those behind one."""
        ...

    async def analytics(self, asked: Sequence[Asked]) -> Mapping[Asked, Sequence[Row]]:
        """What was shown and spent, added up by what was asked for; pages in the order of their keys."""
        ...

    async def minutes(self, pages: Sequence[MinutePage]) -> Mapping[MinutePage, Sequence[EarnedMinute]]:
        """Pages of minutes."""
        ...

    async def minutes_to_review(self, first: int, after: MinuteId | None) -> Sequence[EarnedMinute]:
        """Minutes that wait for staff, oldest first; those behind one."""
        ...

    async def disputes_to_decide(self, first: int, after: DisputeId | None) -> Sequence[ReadDispute]:
        """Disputes that wait for staff, in the order of their ids; those behind one."""
        ...

    async def rests_of(self, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Rest]:
        """Why participations that are live rest, those that do, or whose campaign does."""
        ...

    async def seq_of(self, participation: ParticipationId) -> int:
        """How often minutes of a participation have changed so far."""
        ...


class EarningPorts(IdentityPorts, Protocol):
    """What the actions of earnings are handed."""

    def work(self) -> AbstractAsyncContextManager[EarningWork]:
        """Open a unit of work."""
        ...

    @property
    def evidence(self) -> Evidence:
        """Where reports go."""
        ...

    @property
    def reads(self) -> EarningReads:
        """Minutes, read without locks."""
        ...

    @property
    def streams(self) -> Streams:
        """Our own samples."""
        ...

    @property
    def submissions(self) -> Submissions:
        """The ledger's second door."""
        ...

    @property
    def policy(self) -> EarningPolicy:
        """The rules."""
        ...
