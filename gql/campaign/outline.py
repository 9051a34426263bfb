"""What everybody sees alike of a campaign who is not its brand: staff, and both sides of a participation."""

import strawberry

from domain.brand import model as brands_model
from domain.campaign import model
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.campaign.enums import CampaignState
from gql.campaign.lookups import brands
from gql.campaign.plans import CampaignSchedule
from gql.campaign.types import Campaign
from gql.node import global_id


@strawberry.type(description="What everybody sees alike of a campaign.")
class CampaignOutline:
    """What everybody sees alike of a campaign."""

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

    @field(Right.PARENT, "When it runs.")
    def schedule(self) -> CampaignSchedule:
        """When it runs."""
        return CampaignSchedule.of(self.found.plan.schedule)
