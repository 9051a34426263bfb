"""Campaigns as staff sees them who looks after them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.brand import model as brands_model
from domain.campaign import model
from domain.campaign.model import CampaignId
from domain.rights import Permission
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.brand.types import uuid_from
from gql.campaign.enums import CampaignState
from gql.campaign.lookups import brands
from gql.campaign.plans import CampaignSchedule, CampaignTargeting, CampaignTerms
from gql.campaign.types import Campaign
from gql.context import Info
from gql.money import Money
from gql.node import global_id
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor


@strawberry.type(description="A campaign, as staff sees it who looks after it.")
class CampaignCase:
    """A campaign under review."""

    found: strawberry.Private[model.Campaign]

    @field(Right.PARENT, "The campaign's global id.")
    def id(self) -> strawberry.ID:
        """The campaign's global id."""
        return global_id(Campaign.kind, self.found.id)

    @batched(Right.PARENT, "What the brand is called.", load=brands)
    def brand_name(self) -> Asked[str | None]:
        """What the brand is called."""

        def shown(found: brands_model.Brand | None) -> str | None:
            return None if found is None else found.profile.company.name

        return Asked(self.found.brand, shown)

    @field(Right.PARENT, "Where it stands.")
    def state(self) -> CampaignState:
        """Where it stands."""
        return self.found.state

    @field(Right.PARENT, "Counts its plans: a decision names the one that it is about.")
    def version(self) -> int:
        """Counts its plans."""
        return self.found.version

    @field(Right.PARENT, "What it is called.")
    def title(self) -> str:
        """What it is called."""
        return self.found.plan.brief.title

    @field(Right.PARENT, "What it is about.")
    def description(self) -> str:
        """What it is about."""
        return self.found.plan.brief.description

    @field(Right.PARENT, "Where viewers are to go.")
    def link(self) -> str:
        """Where viewers are to go."""
        return self.found.plan.brief.link

    @field(Right.PARENT, "What it may cost altogether.")
    def budget(self) -> Money:
        """What it may cost altogether."""
        return Money.of(self.found.plan.budget)

    @field(Right.PARENT, "What is offered to everybody.")
    def terms(self) -> CampaignTerms:
        """What is offered to everybody."""
        return CampaignTerms.of(self.found.plan.terms)

    @field(Right.PARENT, "When it runs.")
    def schedule(self) -> CampaignSchedule:
        """When it runs."""
        return CampaignSchedule.of(self.found.plan.schedule)

    @field(Right.PARENT, "Whom it is for.")
    def targeting(self) -> CampaignTargeting:
        """Whom it is for."""
        return CampaignTargeting.of(self.found.plan.targeting)

    @field(Right.PARENT, "Why it was rejected last; empty once it is handed in again.")
    def reason(self) -> str:
        """Why it was rejected last."""
        return self.found.reason

    @field(Right.PARENT, "Since when it is planned.")
    def created_at(self) -> datetime:
        """Since when it is planned."""
        return self.found.created_at


@strawberry.type
class CampaignStaffQuery:
    """What staff looks up about campaigns."""

    @field(
        Right.STAFF,
        "Campaigns by where they stand, oldest first.",
        permission=Permission.MANAGE_CAMPAIGNS,
        list_size=PAGE,
    )
    async def campaign_cases(
        self,
        info: Info,
        state: Annotated[CampaignState, strawberry.argument(description="Where they stand.")] = CampaignState.IN_REVIEW,
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> Connection[CampaignCase]:
        """A page of campaigns by where they stand."""
        size, scope = page_size(first), f"campaign-cases:{state}"
        place = None if after is None else CampaignId(uuid_from(place_of(scope, after)))
        found = await info.context.ports.campaign.reads.campaigns_by_state(state, size + 1, place)

        def edge(each: model.Campaign) -> tuple[Cursor, CampaignCase]:
            return cursor_of(scope, each.id), CampaignCase(found=each)

        return Connection.of(found, size, after, edge)
