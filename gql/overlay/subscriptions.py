"""What an overlay's page follows: how it looks, what it shows, and what is raised on it, none lost and none twice."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from dataclasses import field as part
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.campaign.creatives import MOST_ON_SCREEN, Programme
from domain.campaign.events import campaign_topic, screens_topic
from domain.overlay import model
from domain.overlay.media import media_address
from domain.overlay.model import ALERT_LIFETIME, Overlay, OverlayId, overlay_topic
from domain.overlay.sessions import SignedSession, open_session
from gql.access import Right, field
from gql.context import Context, Info
from gql.money import Money
from gql.overlay.creatives import OverlayCreative
from gql.overlay.enums import AlertKind, Place, Theme
from gql.overlay.types import OverlayGoal
from gql.paging import cursor_of, number_of
from gql.scalars import Cursor
from gql.weights import at_most

_AT_ONCE = 50
_PLACE = "Where the stream stands: begin `after` it next time."


@strawberry.type(description="One connection of an overlay's page: by these two it says what it has shown.")
class OverlaySession:
    """A session of an overlay."""

    id: str = field(Right.PARENT, "What it is called.")
    nonce: str = field(Right.PARENT, "What shows that it is one of ours; no other overlay may use it.")


@strawberry.type(description="All that an overlay shows that lasts. It comes first, and again when it has changed.")
class OverlayScene:
    """What lasts."""

    overlay: strawberry.Private[Overlay]
    programme: strawberry.Private[Programme]
    addresses: strawberry.Private[Callable[[UUID], str]]
    signed: strawberry.Private[SignedSession]
    place_in_stream: strawberry.Private[int]
    now: datetime = field(
        Right.PARENT, "What time it is here. Count on from it, and not by a clock of your own, when you report."
    )

    @field(Right.PARENT, _PLACE)
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_scope(self.overlay.id), self.place_in_stream)

    @field(Right.PARENT, "The session that began with this stream.")
    def session(self) -> OverlaySession:
        """The session."""
        return OverlaySession(id=self.signed.session.text, nonce=self.signed.nonce)

    @field(Right.PARENT, "How many pixels wide the picture is.")
    def width(self) -> int:
        """How wide the picture is."""
        return self.overlay.settings.look.width

    @field(Right.PARENT, "How many pixels high the picture is.")
    def height(self) -> int:
        """How high the picture is."""
        return self.overlay.settings.look.height

    @field(Right.PARENT, "Where to show things.")
    def place(self) -> Place:
        """Where to show things."""
        return self.overlay.settings.look.place

    @field(Right.PARENT, "In which colours to draw.")
    def theme(self) -> Theme:
        """In which colours to draw."""
        return self.overlay.settings.look.theme

    @field(Right.PARENT, "How many percent of the picture to leave free at each edge.")
    def safe_area(self) -> int:
        """What stays free."""
        return self.overlay.settings.look.safe_area

    @field(Right.PARENT, "What the streamer wants to reach; null where no goal is shown.")
    def goal(self) -> OverlayGoal | None:
        """What the streamer wants to reach."""
        return OverlayGoal.of(self.overlay.settings.goal)

    @field(
        Right.PARENT,
        "What to show of campaigns, one after the other: all of it, so that what is no longer here is shown no more.",
        list_size=at_most(MOST_ON_SCREEN),
    )
    def creatives(self) -> list[OverlayCreative]:
        """What to show of campaigns."""
        return [OverlayCreative.of(each, self.addresses(each.creative), self.now) for each in self.programme.shown]


@strawberry.type(description="Something to show once, when what came before it has been shown.")
class OverlayAlert:
    """Something to show once."""

    alert: strawberry.Private[model.Alert]

    @field(Right.PARENT, _PLACE)
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_scope(self.alert.overlay), self.alert.sequence)

    @field(Right.PARENT, "What it is about.")
    def kind(self) -> AlertKind:
        """What it is about."""
        return self.alert.notice.kind

    @field(Right.PARENT, "From whom it is.")
    def name(self) -> str:
        """From whom it is."""
        return self.alert.notice.name

    @field(Right.PARENT, "What they say; may be empty.")
    def message(self) -> str:
        """What they say."""
        return self.alert.notice.message

    @field(Right.PARENT, "What they gave.")
    def amount(self) -> Money | None:
        """What they gave."""
        return Money.of(self.alert.notice.amount) if self.alert.notice.amount else None

    @field(Right.PARENT, "Nothing of it has happened: the streamer wants to see what it looks like.")
    def is_test(self) -> bool:
        """Whether it is a test."""
        return self.alert.is_test


OverlayMessage = Annotated[
    OverlayScene | OverlayAlert,
    strawberry.union("OverlayMessage", description="A message of `overlayScene`: the scene first, then what comes."),
]


@strawberry.type
class OverlaySubscription:
    """The stream of an overlay."""

    @field(
        Right.OVERLAY,
        "What the overlay shows whose token is given: the scene first, always, so that a page is never left with an old"
        " one; then each alert, in order, none twice, and the scene again whenever it changes. Begin again `after` the"
        " last cursor, and no alert of the last hour is lost.",
        is_subscription=True,
    )
    async def overlay_scene(
        self,
        info: Info,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Tell the alerts that came after this cursor.")
        ] = None,
    ) -> AsyncGenerator[OverlayMessage, None]:
        """The stream of the overlay that is calling."""
        id_ = info.context.calling_screen.overlay
        place = None if after is None else number_of(_scope(id_), after)
        async with aclosing(_messages(info.context, id_, place)) as messages:
            async for message in messages:
                yield message


async def _messages(context: Context, id_: OverlayId, place: int | None) -> AsyncGenerator[Any, None]:
    """Listen, then look, then follow. The feed only says that there is something new, and where depends on the look."""
    screen = context.calling_screen
    follower = _Follower(context, open_session(context.ports.overlay.vault, context.ports.clock, screen), place)
    campaigns = None
    while campaigns != follower.programme.campaigns:
        campaigns = follower.programme.campaigns
        topics = (overlay_topic(id_), screens_topic(screen.streamer), *map(campaign_topic, campaigns))
        async with aclosing(context.ports.feed.listen(*topics)) as hints:
            async for _ in hints:
                async for message in follower.news():
                    yield message
                if follower.is_over or follower.programme.campaigns != campaigns:
                    break


@dataclass(eq=False, slots=True)
class _Follower:
    """What a page was told so far."""

    context: Context
    signed: SignedSession
    place: int | None
    """Where the page stands among alerts; None before it was told."""
    programme: Programme = part(default_factory=Programme)
    """What overlays of its streamer were last found to show."""
    is_over: bool = False
    """There is no such overlay any more."""
    _told: tuple[object, ...] = ()

    async def news(self) -> AsyncGenerator[Any, None]:
        """The scene where it is another, then all alerts that were not told."""
        screen, ports = self.context.calling_screen, self.context.ports
        overlay = (await ports.overlay.overlays.overlays([screen.overlay])).get(screen.overlay)
        if overlay is None:
            self.is_over = True
            return
        if self.place is None or self.place > overlay.sequence:
            self.place = overlay.sequence
        now = ports.clock()
        self.programme = await ports.campaign.reads.programme(screen.streamer, now)
        if self._told != (scene := (overlay.version, self.programme.shown)):
            self._told = scene
            yield OverlayScene(
                overlay=overlay, programme=self.programme, signed=self.signed, place_in_stream=self.place, now=now,
                addresses=partial(media_address, ports.overlay.vault, screen),
            )  # fmt: skip
        async for alert in _alerts(self.context, overlay, self.place):
            yield OverlayAlert(alert=alert)
        self.place = overlay.sequence


async def _alerts(context: Context, overlay: Overlay, after: int) -> AsyncGenerator[model.Alert, None]:
    """All alerts between a place and what the overlay was found to stand at, but for those that are too old."""
    since = context.ports.clock() - ALERT_LIFETIME
    while after < overlay.sequence:
        found = await context.ports.overlay.overlays.alerts(overlay.id, after, since, _AT_ONCE)
        for alert in found:
            if alert.sequence <= overlay.sequence:
                yield alert
        if len(found) < _AT_ONCE:
            return
        after = found[-1].sequence


def _scope(id_: OverlayId) -> str:
    return f"overlay:{id_}"
