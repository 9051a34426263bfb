"""What the streamer context needs: its rows inside a unit of work, and reads without locks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.asset.ports import ReadyAssets
from domain.identity.ports import IdentityPorts
from domain.identity.stores import IdentityWork
from domain.ids import AssetId, PersonId
from domain.streamer.listing import Facets, Order, Place, Wanted
from domain.streamer.live import Broadcasts, LiveReads, LiveRows
from domain.streamer.model import KeptLink, LinkId, LinkState, Platform, PlatformLink, Profile, Streamer, StreamerId
from domain.streamer.site import GrantId, KeptGrant, Site


@dataclass(frozen=True, slots=True)
class SealedProfile:
    """A profile with what is personal in it sealed."""

    profile: Profile
    display_name: bytes
    schedule: bytes


@dataclass(frozen=True, slots=True)
class KeptStreamer:
    """A streamer as their row has them."""

    id: StreamerId
    person: PersonId
    """In whose name they are."""
    version: int


class Streamers(Protocol):
    """Streamers inside a unit of work."""

    async def add(self, id_: StreamerId, person: PersonId, sealed: SealedProfile, now: datetime) -> bool:
        """Store a new streamer and make the person a member of streamers; False where they are one already."""
        ...

    async def lock_of(self, people: Sequence[PersonId]) -> KeptStreamer | None:
        """Be alone with the streamer of people who are one."""
        ...

    async def change(self, id_: StreamerId, sealed: SealedProfile, now: datetime) -> None:
        """Keep another profile, which is a version of its own."""
        ...

    async def set_avatar(self, id_: StreamerId, avatar: AssetId | None) -> None:
        """Show another picture, or none."""
        ...


class PlatformLinks(Protocol):
    """Links to platforms inside a unit of work."""

    async def add(self, link: KeptLink) -> bool:
        """Store a new link in place of one that is only offered; False while a placed or confirmed one is there."""
        ...

    async def hold(self, link: KeptLink) -> KeptLink | None:
        """Store a link that is confirmed from the beginning, or answer that which its streamer has on the platform.

        None where the account is another streamer's.
        """
        ...

    async def lock(self, id_: LinkId) -> KeptLink | None:
        """A link, locked."""
        ...

    async def is_held(self, platform: Platform, account_index: bytes, beside: StreamerId) -> bool:
        """Whether another streamer's link to an account is confirmed."""
        ...

    async def move(self, id_: LinkId, state: LinkState, now: datetime, reason: bytes | None = None) -> bool:
        """Keep a link's new state; False where it would be confirmed, and the account is held by another link."""
        ...


class Listing(Protocol):
    """What brands find streamers by, inside a unit of work; changes of streamers and links change it, too."""

    async def renew(self) -> int:
        """Make it what it should be; how many rows were not."""
        ...

    async def measure(self, since: datetime) -> int:
        """Say before how many everybody streamed on average since then; how many rows said otherwise."""
        ...


class Grants(Protocol):
    """What platforms granted us, inside a unit of work. Who claimed one has it alone until the lease ends."""

    async def add(self, id_: GrantId, platform: Platform, account: bytes | None, tokens: bytes, now: datetime) -> None:
        """Keep what was granted, for no link yet: if none comes, it goes back after a lease's time."""
        ...

    async def assign(self, id_: GrantId, link: LinkId, due_at: datetime) -> None:
        """Have a grant be for a link, to be looked at then."""
        ...

    async def release(self, link: LinkId, now: datetime) -> None:
        """Have what was granted for a link be for none any more."""
        ...

    async def claim(
        self, platforms: Sequence[Platform], now: datetime, until: datetime, limit: int
    ) -> Sequence[KeptGrant]:
        """Take those whose time has come and that nobody has, those that wait longest first; they are ours `until`."""
        ...

    async def is_outlived(self, grant: KeptGrant) -> bool:
        """Whether the same account granted us something that a link needs, or something later."""
        ...

    async def hasten(self, link: LinkId, now: datetime) -> None:
        """Have what was granted for a link looked at now: the platform did not honour it."""
        ...

    async def put_off(self, grant: KeptGrant, due_at: datetime) -> None:
        """It holds: look again then, or at once where it is for no link any more."""
        ...

    async def renew(self, grant: KeptGrant, tokens: bytes, due_at: datetime) -> bool:
        """Keep other tokens; False where we have had it for too long, and somebody else has it."""
        ...

    async def drop(self, grant: KeptGrant) -> bool:
        """Forget it; False where it is for another link than it was, or we have had it for too long."""
        ...


class StreamerWork(IdentityWork, Protocol):
    """A unit of work with streamers in it."""

    @property
    def streamers(self) -> Streamers:
        """Streamers."""
        ...

    @property
    def platform_links(self) -> PlatformLinks:
        """Their links."""
        ...

    @property
    def assets(self) -> ReadyAssets:
        """Files that they sent."""
        ...

    @property
    def listing(self) -> Listing:
        """What they are found by."""
        ...

    @property
    def grants(self) -> Grants:
        """What platforms granted us."""
        ...

    @property
    def live(self) -> LiveRows:
        """When streamers are live."""
        ...


class StreamerReads(Protocol):
    """Streamers and links, read without locks; personal texts are opened."""

    async def streamer_of(self, people: Sequence[PersonId]) -> Streamer | None:
        """The streamer that people are who are one."""
        ...

    async def streamers(self, ids: Sequence[StreamerId]) -> Mapping[StreamerId, Streamer]:
        """Streamers by id, those that there are."""
        ...

    async def links_of(self, streamers: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[PlatformLink]]:
        """The newest links of each that are not unlinked, newest first; 20 at most."""
        ...

    async def links(self, ids: Sequence[LinkId]) -> Mapping[LinkId, PlatformLink]:
        """Links by id, those that there are, in whichever state."""
        ...

    async def to_check(self, first: int, after: LinkId | None) -> Sequence[PlatformLink]:
        """Links that wait for staff, in the order in which their codes were asked for; `after`: later than that."""
        ...


class StreamerSearch(Protocol):
    """The listing, searched without locks."""

    async def find(self, wanted: Wanted, order: Order, first: int, after: Place | None) -> Sequence[Place]:
        """The first so many who are wanted and not kept out, in an order; `after`: those who come after that place."""
        ...

    async def facets(self, wanted: Wanted) -> Facets:
        """How many there are of each value, of those who have all that is wanted of other kinds."""
        ...


class StreamerPorts(IdentityPorts, Protocol):
    """What the actions of streamers are handed."""

    def work(self) -> AbstractAsyncContextManager[StreamerWork]:
        """Open a unit of work."""
        ...

    @property
    def reads(self) -> StreamerReads:
        """Streamers, read without locks."""
        ...

    @property
    def search(self) -> StreamerSearch:
        """The listing, searched without locks."""
        ...

    @property
    def sites(self) -> Mapping[Platform, Site]:
        """The platforms that say themselves whose an account is, where we are a client."""
        ...

    @property
    def broadcasts(self) -> Mapping[Platform, Broadcasts]:
        """What platforms show to everybody, where we are a client."""
        ...

    @property
    def live(self) -> LiveReads:
        """When streamers were live, and before how many; read without locks."""
        ...
