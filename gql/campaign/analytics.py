"""What a campaign, or a part in one, has brought: added up, and by creative, streamer and hour.

The brand reads of its campaign what it spent; the two sides of a participation read what was earned in that one.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

import strawberry

from domain.campaign.model import Campaign
from domain.campaign.participation import ParticipationId
from domain.campaign.spending import LONGEST_RUN
from domain.earning import analytics
from domain.earning.analytics import NOTHING, Dimension, Row, Span, Whose, span_of
from domain.money import Currency
from domain.streamer import model as streamer_model
from gql import batching
from gql.access import Right, field
from gql.batching import batched
from gql.brand.types import uuid_from
from gql.campaign.creatives import CREATIVE
from gql.campaign.lookups import figures, streamers_in
from gql.campaign.minutes import moment_from
from gql.errors import BadInputError
from gql.money import Money
from gql.node import global_id
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.streamer.types import Streamer
from gql.weights import ADDING_UP

PARTICIPATION = "Participation"
FirstDay = Annotated[
    date | None,
    strawberry.argument(description="The first day, in the campaign's time zone; its own first, when left out."),
]
LastDay = Annotated[
    date | None,
    strawberry.argument(description=f"The last day, at most {LONGEST_RUN.days} days in all; its own last likewise."),
]
Item = TypeVar("Item")


@strawberry.type(description="What was seen. Whole numbers, though they may be too large for an `Int`.")
class AudienceFigures:
    """What was seen."""

    visible_seconds: float = field(Right.PARENT, "So long something was visible.")
    impressions: float = field(Right.PARENT, "Viewers of each minute, once for each creative that was visible in it.")
    viewer_minutes: float = field(
        Right.PARENT, "Viewers of each minute, shared by what was visible in it: what a price by the thousand counts."
    )

    @classmethod
    def of(cls, found: Row) -> Self:
        """Show what was seen."""
        return cls(
            visible_seconds=float(found.seconds), impressions=float(found.impressions),
            viewer_minutes=float(found.viewer_minutes),
        )  # fmt: skip


@strawberry.type(description="What was seen of a campaign, and what it cost.")
class CampaignFigures:
    """What was seen of a campaign, and what it cost."""

    audience: AudienceFigures = field(Right.PARENT, "What was seen.")
    spend: Money = field(
        Right.PARENT, "What it costs: paid or set aside, value-added tax included, less what disputes gave back."
    )
    cpm: Money | None = field(
        Right.PARENT,
        "What a thousand viewers of a minute cost, without value-added tax and before disputes; null where nobody was.",
    )

    @classmethod
    def of(cls, found: Row, currency: Currency) -> Self:
        """Show figures as the brand reads them."""
        cpm = found.cpm(currency)
        return cls(
            audience=AudienceFigures.of(found), spend=Money.of_minor(found.spend, currency),
            cpm=None if cpm is None else Money.of(cpm),
        )  # fmt: skip


@strawberry.type(description="What was seen in a participation, and what it earned.")
class ParticipationFigures:
    """What was seen in a participation, and what it earned."""

    audience: AudienceFigures = field(Right.PARENT, "What was seen.")
    earned: Money = field(
        Right.PARENT, "What the streamer earns: paid or still waiting, tax withheld, less what disputes took."
    )

    @classmethod
    def of(cls, found: Row, currency: Currency) -> Self:
        """Show figures as both sides of a participation read them."""
        return cls(audience=AudienceFigures.of(found), earned=Money.of_minor(found.income, currency))


@strawberry.type(description="What a creative brought to a campaign.")
class CampaignCreativeFigures:
    """What a creative brought to a campaign."""

    creative_id: strawberry.ID = field(Right.PARENT, "The creative's global id.")
    figures: CampaignFigures = field(Right.PARENT, "The figures.")


@strawberry.type(description="What a streamer brought to a campaign.")
class CampaignStreamerFigures:
    """What a streamer brought to a campaign."""

    participation: strawberry.Private[ParticipationId]
    figures: CampaignFigures = field(Right.PARENT, "The figures.")

    @field(Right.PARENT, "The global id of the streamer's participation.")
    def participation_id(self) -> strawberry.ID:
        """The global id of the streamer's participation."""
        return global_id(PARTICIPATION, self.participation)

    @batched(Right.PARENT, "The streamer; null once they are gone, or may not sign in.", load=streamers_in)
    def streamer(self) -> batching.Asked[Streamer | None]:
        """The streamer."""

        def shown(found: streamer_model.Streamer | None) -> Streamer | None:
            return Streamer(found=found) if found is not None and found.is_active else None

        return batching.Asked(self.participation, shown)


@strawberry.type(description="What an hour brought to a campaign.")
class CampaignHourFigures:
    """What an hour brought to a campaign."""

    hour: datetime = field(Right.PARENT, "When it began: hours are those of the days of the campaign's time zone.")
    figures: CampaignFigures = field(Right.PARENT, "The figures.")


@strawberry.type(description="What a creative brought to a participation.")
class ParticipationCreativeFigures:
    """What a creative brought to a participation."""

    creative_id: strawberry.ID = field(Right.PARENT, "The creative's global id.")
    figures: ParticipationFigures = field(Right.PARENT, "The figures.")


@strawberry.type(description="What an hour brought to a participation.")
class ParticipationHourFigures:
    """What an hour brought to a participation."""

    hour: datetime = field(Right.PARENT, "When it began: hours are those of the days of the campaign's time zone.")
    figures: ParticipationFigures = field(Right.PARENT, "The figures.")


class _Figures:
    """Figures of a campaign or a participation within some days, as they are looked up."""

    __slots__ = ("currency", "of", "span", "whose")

    def __init__(self, whose: Whose, of: UUID, span: Span, currency: Currency) -> None:
        self.whose, self.of, self.span, self.currency = whose, of, span, currency

    def total(self, show: Callable[[Row, Currency], Item]) -> batching.Asked[Item]:
        """All of it as one."""

        def shown(found: Sequence[Row]) -> Item:
            return show(found[0] if found else NOTHING, self.currency)

        by = Dimension.CAMPAIGN
        return batching.Asked(analytics.Asked(by, self.whose, self.of, *self.span, 1), shown)

    def page(
        self, by: Dimension, first: int, after: Cursor | None, show: Callable[[Any, Row], Item]
    ) -> batching.Asked[Connection[Item]]:
        """A page of it by something."""
        size, scope = page_size(first), f"{by}-figures:{self.of}"
        place = None if after is None else place_of(scope, after)
        behind = None if place is None else moment_from(place) if by is Dimension.HOUR else uuid_from(place)

        def edge(found: Row) -> tuple[Cursor, Item]:
            key = found.key.isoformat() if isinstance(found.key, datetime) else found.key
            return cursor_of(scope, key), show(found.key, found)

        asked = analytics.Asked(by, self.whose, self.of, *self.span, size + 1, behind)
        return batching.Asked(asked, lambda found: Connection.of(found, size, after, edge))


@strawberry.type(description="What a campaign brought within some days, as its brand reads it. Counted to the minute.")
class CampaignAnalytics:
    """What a campaign brought within some days."""

    found: strawberry.Private[_Figures]

    @batched(Right.PARENT, "All of it.", load=figures, cost=ADDING_UP)
    def total(self) -> batching.Asked[CampaignFigures]:
        """All of it."""
        return self.found.total(CampaignFigures.of)

    @batched(Right.PARENT, "By what was shown.", load=figures, list_size=PAGE, cost=ADDING_UP)
    def creatives(
        self, first: First = USUAL_PAGE, after: After = None
    ) -> batching.Asked[Connection[CampaignCreativeFigures]]:
        """By what was shown."""

        def show(key: UUID, found: Row) -> CampaignCreativeFigures:
            shown = CampaignFigures.of(found, self.found.currency)
            return CampaignCreativeFigures(creative_id=global_id(CREATIVE, key), figures=shown)

        return self.found.page(Dimension.CREATIVE, first, after, show)

    @batched(Right.PARENT, "By streamer.", load=figures, list_size=PAGE, cost=ADDING_UP)
    def streamers(
        self, first: First = USUAL_PAGE, after: After = None
    ) -> batching.Asked[Connection[CampaignStreamerFigures]]:
        """By streamer."""

        def show(key: UUID, found: Row) -> CampaignStreamerFigures:
            shown = CampaignFigures.of(found, self.found.currency)
            return CampaignStreamerFigures(participation=ParticipationId(key), figures=shown)

        return self.found.page(Dimension.PARTICIPATION, first, after, show)

    @batched(Right.PARENT, "By hour, in order; hours without a minute are left out.", load=figures, list_size=PAGE)
    def hours(self, first: First = USUAL_PAGE, after: After = None) -> batching.Asked[Connection[CampaignHourFigures]]:
        """By hour."""

        def show(key: datetime, found: Row) -> CampaignHourFigures:
            return CampaignHourFigures(hour=key, figures=CampaignFigures.of(found, self.found.currency))

        return self.found.page(Dimension.HOUR, first, after, show)


@strawberry.type(description="What a participation brought within some days, as its two sides read it.")
class ParticipationAnalytics:
    """What a participation brought within some days."""

    found: strawberry.Private[_Figures]

    @batched(Right.PARENT, "All of it.", load=figures, cost=ADDING_UP)
    def total(self) -> batching.Asked[ParticipationFigures]:
        """All of it."""
        return self.found.total(ParticipationFigures.of)

    @batched(Right.PARENT, "By what was shown.", load=figures, list_size=PAGE, cost=ADDING_UP)
    def creatives(
        self, first: First = USUAL_PAGE, after: After = None
    ) -> batching.Asked[Connection[ParticipationCreativeFigures]]:
        """By what was shown."""

        def show(key: UUID, found: Row) -> ParticipationCreativeFigures:
            shown = ParticipationFigures.of(found, self.found.currency)
            return ParticipationCreativeFigures(creative_id=global_id(CREATIVE, key), figures=shown)

        return self.found.page(Dimension.CREATIVE, first, after, show)

    @batched(Right.PARENT, "By hour, in order; hours without a minute are left out.", load=figures, list_size=PAGE)
    def hours(
        self, first: First = USUAL_PAGE, after: After = None
    ) -> batching.Asked[Connection[ParticipationHourFigures]]:
        """By hour."""

        def show(key: datetime, found: Row) -> ParticipationHourFigures:
            return ParticipationHourFigures(hour=key, figures=ParticipationFigures.of(found, self.found.currency))

        return self.found.page(Dimension.HOUR, first, after, show)


def of_campaign(found: Campaign, first_day: date | None, last_day: date | None) -> CampaignAnalytics:
    """What a campaign brought within some days. Raises `BadInputError` for days that are too many."""
    return CampaignAnalytics(found=_within(found, Whose.CAMPAIGN, found.id, first_day, last_day))


def in_participation(
    found: Campaign | None, of: ParticipationId, first_day: date | None, last_day: date | None
) -> ParticipationAnalytics | None:
    """What a participation in a campaign brought. Raises `BadInputError` for days that are too many."""
    if found is None:
        return None
    return ParticipationAnalytics(found=_within(found, Whose.PARTICIPATION, of, first_day, last_day))


def _within(found: Campaign, whose: Whose, of: UUID, first_day: date | None, last_day: date | None) -> _Figures:
    span = span_of(found.plan.schedule, first_day, last_day)
    if span is None:
        raise BadInputError(f"From the first day to the last there are 1 to {LONGEST_RUN.days} days of our time.")
    return _Figures(whose, of, span, found.plan.currency)
