"""A campaign, as the people see it who act for its brand."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain.brand import model as brands_model
from domain.campaign import creatives as creatives_model
from domain.campaign import model
from domain.campaign.creatives import CreativeId
from domain.campaign.model import CampaignId
from domain.campaign.ports import CreativePage
from domain.campaign.spending import paced_by
from domain.ledger.ports import AccountView
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.brand.types import Brand, uuid_from
from gql.campaign.analytics import CampaignAnalytics, FirstDay, LastDay, of_campaign
from gql.campaign.creatives import Creative
from gql.campaign.enums import CampaignState, Pacing
from gql.campaign.lookups import brands, creatives, escrows
from gql.campaign.plans import CampaignRest, CampaignSchedule, CampaignTargeting, CampaignTerms
from gql.context import Info
from gql.money import Money
from gql.node import Node, key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor


def campaign_id(id_: str) -> CampaignId:
    """A campaign by its global id. Raises `BadInputError`."""
    return CampaignId(uuid_from(key_of(Campaign.kind, id_)))


@strawberry.type(description="What a brand pays for.")
class Campaign(Node):
    """A campaign, as its brand sees it."""

    kind: ClassVar[str] = "Campaign"
    found: strawberry.Private[model.Campaign]

    @property
    def key(self) -> CampaignId:
        """The campaign's id."""
        return self.found.id

    @property
    def owner(self) -> str:
        """Whose it is: the brand's members'."""
        return self.found.owner

    @batched(Right.OWNER, "The brand.", load=brands)
    def brand(self) -> Asked[Brand | None]:
        """The brand."""

        def shown(found: brands_model.Brand | None) -> Brand | None:
            return None if found is None else Brand(found=found)

        return Asked(self.found.brand, shown)

    @field(Right.OWNER, "Where it stands.")
    def state(self) -> CampaignState:
        """Where it stands."""
        return self.found.state

    @field(Right.OWNER, "Counts its plans: an edit makes another, and what was agreed under one stays as it was.")
    def version(self) -> int:
        """Counts its plans."""
        return self.found.version

    @field(Right.OWNER, "What it is called.")
    def title(self) -> str:
        """What it is called."""
        return self.found.plan.brief.title

    @field(Right.OWNER, "What it is about.")
    def description(self) -> str:
        """What it is about."""
        return self.found.plan.brief.description

    @field(Right.OWNER, "Where viewers are to go.")
    def link(self) -> str:
        """Where viewers are to go."""
        return self.found.plan.brief.link

    @field(Right.OWNER, "What it may cost altogether.")
    def budget(self) -> Money:
        """What it may cost altogether."""
        return Money.of(self.found.plan.budget)

    @field(Right.OWNER, "What is offered to everybody; what is agreed with one of them is theirs.")
    def terms(self) -> CampaignTerms:
        """What is offered to everybody."""
        return CampaignTerms.of(self.found.plan.terms)

    @field(Right.OWNER, "When it runs.")
    def schedule(self) -> CampaignSchedule:
        """When it runs."""
        return CampaignSchedule.of(self.found.plan.schedule)

    @field(Right.OWNER, "What may be spent in one day of its time zone; null: no such bound.")
    def daily_cap(self) -> Money | None:
        """What may be spent in one day."""
        cap = self.found.plan.caps.daily
        return None if cap is None else Money.of(cap)

    @field(Right.OWNER, "What may be spent in one participation; null: no such bound.")
    def streamer_cap(self) -> Money | None:
        """What may be spent in one participation."""
        cap = self.found.plan.caps.per_streamer
        return None if cap is None else Money.of(cap)

    @field(Right.OWNER, "How the budget is spread over the time.")
    def pacing(self) -> Pacing:
        """How the budget is spread over the time."""
        return self.found.plan.pacing

    @field(
        Right.OWNER,
        "How much of the budget may be spent until this day of its time zone is over, as it is spread. What goes beyond"
        " that is not paid, and not shown.",
    )
    def spendable_now(self, info: Info) -> Money:
        """How much of the budget may be spent until today is over."""
        plan = self.found.plan
        return Money.of(paced_by(info.context.ports.clock(), plan.budget, plan.schedule, plan.pacing))

    @field(Right.OWNER, "Why nothing of it is shown for a while, though it runs; null while it is shown.")
    def rest(self) -> CampaignRest | None:
        """Why nothing of it is shown for a while."""
        return CampaignRest.of(self.found.rest)

    @batched(
        Right.OWNER, "What lies in escrow for it; after the end, what is not paid out or returned yet.", load=escrows
    )
    def escrow(self) -> Asked[Money]:
        """What lies in escrow for it."""
        currency = self.found.plan.currency

        def shown(found: AccountView | None) -> Money:
            return Money.of_minor(0 if found is None else found.balance.posted, currency)

        return Asked(self.found.escrow_owner, shown)

    @field(Right.OWNER, "Whom it is for.")
    def targeting(self) -> CampaignTargeting:
        """Whom it is for."""
        return CampaignTargeting.of(self.found.plan.targeting)

    @batched(Right.OWNER, "What it shows, oldest first, also what is shown no more.", load=creatives, list_size=PAGE)
    def creatives(self, first: First = USUAL_PAGE, after: After = None) -> Asked[Connection[Creative]]:
        """A page of what it shows."""
        size, scope = page_size(first), f"creatives:{self.key}"
        place = None if after is None else CreativeId(uuid_from(place_of(scope, after)))

        def edge(found: creatives_model.Creative) -> tuple[Cursor, Creative]:
            return cursor_of(scope, found.id), Creative.of(found)

        return Asked(CreativePage(self.key, size + 1, place), lambda found: Connection.of(found, size, after, edge))

    @field(Right.OWNER, "What it brought within days of its time zone.")
    def analytics(self, first_day: FirstDay = None, last_day: LastDay = None) -> CampaignAnalytics:
        """What it brought within some days."""
        return of_campaign(self.found, first_day, last_day)

    @field(
        Right.OWNER,
        "Why staff rejected or suspended it last; empty once it is handed in again, or staff has reinstated it.",
    )
    def reason(self) -> str:
        """Why staff rejected or suspended it last."""
        return self.found.reason

    @field(Right.OWNER, "Since when staff has it suspended; null where it has not. `reason` says why.")
    def suspended_at(self) -> datetime | None:
        """Since when staff has it suspended."""
        return self.found.suspension.since if self.found.suspension else None

    @field(Right.OWNER, "Since when it is planned.")
    def created_at(self) -> datetime:
        """Since when it is planned."""
        return self.found.created_at

    @field(Right.OWNER, "When it was launched.")
    def launched_at(self) -> datetime | None:
        """When it was launched."""
        return self.found.launched_at

    @field(Right.OWNER, "When it was completed or cancelled.")
    def ended_at(self) -> datetime | None:
        """When it ended."""
        return self.found.ended_at
