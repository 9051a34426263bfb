"""Looking files up."""

from typing import Annotated

import strawberry

from domain.asset.finishing import is_own
from gql.access import Right, field
from gql.asset.lookups import assets
from gql.asset.types import Asset, asset_id
from gql.context import Info


@strawberry.type
class AssetQuery:
    """The field of the root about files."""

    @field(
        Right.OWNER,
        "A file of yours, or of a brand that you manage, by its global id; null if there is no such.",
    )
    async def asset(
        self,
        info: Info,
        id_: Annotated[strawberry.ID, strawberry.argument(description="The global id.", name="id")],
    ) -> Asset | None:
        """A file by its global id."""
        found = await info.context.loaders.of(assets).load(asset_id(id_))
        return Asset.of(found) if found is not None and is_own(info.context.caller, found.asset) else None
