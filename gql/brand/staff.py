"""Brands as staff sees them who verifies them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from domain.brand import model
from domain.brand.model import MOST_DOCUMENTS
from domain.ids import AssetId, BrandId
from domain.rights import Permission
from gql.access import Right, field
from gql.asset.types import Asset
from gql.brand.enums import Size, Verification
from gql.brand.lookups import documents
from gql.brand.types import Brand, shown_documents, uuid_from
from gql.context import Info
from gql.node import global_id
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.weights import at_most


@strawberry.type(description="A brand, as staff sees it who verifies it.")
class BrandCase:
    """A brand under verification."""

    sent: strawberry.Private[tuple[AssetId, ...]]
    id: strawberry.ID = field(Right.PARENT, "The brand's global id.")
    name: str = field(Right.PARENT, "What the company is called.")
    industry: str = field(Right.PARENT, "What it makes or does.")
    size: Size = field(Right.PARENT, "How large it is.")
    website: str = field(Right.PARENT, "Its website; empty if none was given.")
    address: str = field(Right.PARENT, "Where invoices go; empty if none was given.")
    tax_id: str = field(Right.PARENT, "Its tax id; empty if none was given.")
    verification: Verification = field(Right.PARENT, "What was found of it.")
    reason: str = field(Right.PARENT, "Why; empty while nothing is decided.")
    decided_at: datetime | None = field(Right.PARENT, "When it was decided.")
    revision: int = field(Right.PARENT, "Counts changes of all this: a decision names the one that it is about.")
    created_at: datetime = field(Right.PARENT, "Since when it is here.")

    @field(
        Right.PARENT,
        "What shows that it is who it says. That somebody looked at them stands in the audit log.",
        list_size=at_most(MOST_DOCUMENTS),
    )
    async def documents(self, info: Info) -> list[Asset]:
        """What shows that it is who it says."""
        loaders = info.context.loaders
        found = await loaders.of(documents).load(self.sent) if self.sent else ()
        await loaders.staff.looked_at.load_many([each.asset.uploader for each in found])
        return shown_documents(found)

    @classmethod
    def of(cls, found: model.Brand) -> Self:
        """Show a brand to staff."""
        company, billing = found.profile.company, found.profile.billing
        return cls(
            sent=found.documents,
            id=global_id(Brand.kind, found.id), name=company.name, industry=company.industry, size=company.size,
            website=company.website, address=billing.address, tax_id=billing.tax_id, verification=found.verification,
            reason=found.reason, decided_at=found.decided_at, revision=found.revision, created_at=found.created_at,
        )  # fmt: skip


@strawberry.type
class BrandStaffQuery:
    """What staff looks up about brands."""

    @field(
        Right.STAFF,
        "Brands by what was found of them, oldest first.",
        permission=Permission.VERIFY_BRANDS,
        list_size=PAGE,
    )
    async def brand_cases(
        self,
        info: Info,
        verification: Annotated[
            Verification, strawberry.argument(description="What was found of them.")
        ] = Verification.PENDING,
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> Connection[BrandCase]:
        """A page of brands by what was found of them."""
        size, scope = page_size(first), f"cases:{verification}"
        place = None if after is None else BrandId(uuid_from(place_of(scope, after)))
        found = await info.context.ports.brand.reads.brands_by_state(verification, size + 1, place)

        def edge(each: model.Brand) -> tuple[Cursor, BrandCase]:
            return cursor_of(scope, each.id), BrandCase.of(each)

        return Connection.of(found, size, after, edge)
