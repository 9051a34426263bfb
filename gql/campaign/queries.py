"""What people may look up about the campaigns of brands that they act for."""

from typing import Annotated

import strawberry

from domain.campaign import model
from domain.campaign.model import CampaignId
from domain.campaign.ports import CampaignPage
from gql.access import Right, field
from gql.brand.types import brand_id, uuid_from
from gql.campaign.types import Campaign
from gql.context import Context, Info
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor


async def fetch_campaign(context: Context, key: str) -> Campaign | None:
    """A campaign of a brand that the caller acts for; None if there is no such, or they do not."""
    found = await context.loaders.campaign_by_id.load(CampaignId(uuid_from(key)))
    return Campaign(found=found) if found is not None and found.brand in context.caller.brands else None


@strawberry.type
class CampaignQuery:
    """The fields of the root about campaigns."""

    @field(
        Right.OWNER,
        "The campaigns of a brand that you act for, newest first; null if there is no such brand, or you do not.",
        list_size=PAGE,
    )
    async def campaigns(
        self,
        info: Info,
        brand_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The global id of the brand.", name="brandId")
        ],
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> Connection[Campaign] | None:
        """A page of a brand's campaigns."""
        brand, size = brand_id(brand_id_), page_size(first)
        scope = f"campaigns:{brand}"
        place = None if after is None else CampaignId(uuid_from(place_of(scope, after)))
        if brand not in info.context.caller.brands:
            return None
        found = await info.context.ports.campaign.reads.campaigns_of(CampaignPage(brand, size + 1, place))

        def edge(each: model.Campaign) -> tuple[Cursor, Campaign]:
            return cursor_of(scope, each.id), Campaign(found=each)

        return Connection.of(found, size, after, edge)
