"""What staff looks up about invoices."""

from typing import Annotated

import strawberry

from domain.ids import BrandId
from domain.rights import Permission
from gql.access import Right, field
from gql.context import Info
from gql.invoice.lookups import invoices
from gql.invoice.types import BRAND, Invoice, page_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First
from gql.staff.types import uuid_of


@strawberry.type
class InvoiceStaffQuery:
    """What staff looks up about invoices."""

    @field(
        Right.STAFF,
        "Invoices of all brands or of one, newest first.",
        permission=Permission.VIEW_FINANCIALS,
        list_size=PAGE,
    )
    async def invoices(
        self,
        info: Info,
        brand_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The brand's id; all brands when left out.")
        ] = None,
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> Connection[Invoice]:
        """A page of invoices."""
        brand = None if brand_id is None else BrandId(uuid_of(BRAND, brand_id))
        asked = page_of(brand, first, after)
        return asked.show(await info.context.loaders.of(invoices).load(asked.key))
