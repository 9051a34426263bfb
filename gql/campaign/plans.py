"""The parts of a campaign's plan, as clients see them."""

from datetime import date, datetime
from typing import Self

import strawberry

from domain.campaign import model, spending, targeting
from domain.campaign.targeting import MOST_WANTED
from gql.access import Right, field
from gql.campaign.enums import Pricing, RestReason
from gql.money import Money
from gql.streamer.enums import Category, Platform, Rating
from gql.weights import at_most


@strawberry.type(description="What a participation brings: so many minutes at a rate.")
class CampaignTerms:
    """So many minutes at a rate."""

    pricing: Pricing = field(Right.PARENT, "What a minute costs by.")
    rate: Money = field(Right.PARENT, "The rate.")
    minutes: int = field(Right.PARENT, "How many minutes are to be shown.")

    @classmethod
    def of(cls, found: model.Terms) -> Self:
        """Show terms."""
        return cls(pricing=found.pricing, rate=Money.of(found.rate), minutes=found.minutes)


@strawberry.type(description="From one day until another, both whole, by the clock of a time zone.")
class CampaignSchedule:
    """From one day until another."""

    starts_on: date = field(Right.PARENT, "The first day.")
    ends_on: date = field(Right.PARENT, "The last day.")
    time_zone: str = field(Right.PARENT, "Whose days they are, by its name in the tz database.")
    opens_at: datetime = field(Right.PARENT, "When the first day begins.")
    closes_at: datetime = field(Right.PARENT, "When the last day is over. The campaign is completed then.")

    @classmethod
    def of(cls, found: spending.Schedule) -> Self:
        """Show a schedule."""
        return cls(
            starts_on=found.starts_on, ends_on=found.ends_on, time_zone=found.time_zone, opens_at=found.opens_at,
            closes_at=found.closes_at,
        )  # fmt: skip


@strawberry.type(description="Whom a campaign is for. What lists nothing asks for nothing.")
class CampaignTargeting:
    """Whom a campaign is for."""

    platforms: list[Platform] = field(
        Right.PARENT, "An account proved on one of these.", list_size=at_most(MOST_WANTED)
    )
    countries: list[str] = field(
        Right.PARENT, "A streamer from one of these (ISO 3166-1).", list_size=at_most(MOST_WANTED)
    )
    languages: list[str] = field(
        Right.PARENT, "A stream in one of these languages (ISO 639-1).", list_size=at_most(MOST_WANTED)
    )
    categories: list[Category] = field(Right.PARENT, "A stream about one of these.", list_size=at_most(MOST_WANTED))
    highest_rating: Rating = field(Right.PARENT, "Nothing rougher than that.")
    least_viewers: int = field(Right.PARENT, "So many viewers on average; 0 asks for nothing.")
    avoided: list[Category] = field(
        Right.PARENT, "What the brand will not be seen beside.", list_size=at_most(MOST_WANTED)
    )

    @classmethod
    def of(cls, found: targeting.Targeting) -> Self:
        """Show whom a campaign is for."""
        return cls(
            platforms=list(found.platforms), countries=list(found.countries), languages=list(found.languages),
            categories=list(found.categories), highest_rating=found.highest_rating, least_viewers=found.least_viewers,
            avoided=list(found.avoided),
        )  # fmt: skip


@strawberry.type(description="Nothing of a campaign is shown for a while: no minute more would be paid.")
class CampaignRest:
    """Nothing of a campaign is shown for a while."""

    reason: RestReason = field(Right.PARENT, "Which bound it has come to.")
    until: datetime | None = field(
        Right.PARENT, "When it is shown again by itself; null where that takes another plan, or never comes."
    )

    @classmethod
    def of(cls, found: spending.Rest | None) -> Self | None:
        """Show a rest, if there is one."""
        return None if found is None else cls(reason=found.reason, until=found.until)
