"""Campaigns as staff sees them who looks after them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.campaign import model
from domain.campaign.model import CampaignId
from domain.rights import Permission
from gql.access import Right, field
from gql.brand.types import uuid_from
from gql.campaign.enums import CampaignState
from gql.campaign.outline import CampaignOutline
from gql.campaign.plans import CampaignTargeting, CampaignTerms
from gql.context import Info
from gql.money import Money
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor


@strawberry.type(description="A campaign, as staff sees it who looks after it.")
class CampaignCase(CampaignOutline):
    """A campaign under review."""

    @field(Right.PARENT, "Counts its plans: a decision names the one that it is about.")
    def version(self) -> int:
        """Counts its plans."""
        return self.found.version

    @field(Right.PARENT, "What it may cost altogether.")
    def budget(self) -> Money:
        """What it may cost altogether."""
        return Money.of(self.found.plan.budget)

    @field(Right.PARENT, "What is offered to everybody.")
    def terms(self) -> CampaignTerms:
        """What is offered to everybody."""
        return CampaignTerms.of(self.found.plan.terms)

    @field(Right.PARENT, "Whom it is for.")
    def targeting(self) -> CampaignTargeting:
        """Whom it is for."""
        return CampaignTargeting.of(self.found.plan.targeting)

    @field(Right.PARENT, "Why it was rejected or suspended last; empty once it is handed in again, or reinstated.")
    def reason(self) -> str:
        """Why it was rejected or suspended last."""
        return self.found.reason

    @field(Right.PARENT, "Since when it is suspended; null where it is not.")
    def suspended_at(self) -> datetime | None:
        """Since when it is suspended."""
        return self.found.suspension.since if self.found.suspension else None

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
