"""What people may look up about the brands that they act for, or are asked to."""

from datetime import UTC

from domain.brand import model
from domain.ids import BrandId
from gql.brand.types import Brand, InvitationForYou, uuid_from
from gql.context import Context
from gql.paging import Connection, cursor_of, page_size, place_of
from gql.scalars import Cursor

MOST_INVITATIONS = 20
_BRANDS = "brands"


async def fetch_brand(context: Context, key: str) -> Brand | None:
    """A brand that the caller acts for; None if there is no such, or they do not."""
    id_ = BrandId(uuid_from(key))
    found = await context.loaders.brand_by_id.load(id_) if id_ in context.caller.brands else None
    return None if found is None else Brand(found=found)


async def brands_of(context: Context, first: int, after: Cursor | None) -> Connection[Brand]:
    """A page of the brands that the caller acts for, oldest first."""
    size = page_size(first)
    asked = await context.loaders.brand_by_id.load_many([*context.caller.brands])
    place = "" if after is None else place_of(_BRANDS, after)
    found = sorted((each for each in asked if each is not None and _place(each) > place), key=_place)
    return Connection.of(found, size, after, _edge)


async def invitations_of(context: Context) -> list[InvitationForYou]:
    """What the caller is asked to, newest first."""
    ports, person = context.ports.brand, context.person
    found = await context.loaders.once(
        "invitations", lambda: ports.reads.invitations_to(person, ports.clock(), MOST_INVITATIONS)
    )
    return [InvitationForYou.of(each) for each in found]


def _edge(found: model.Brand) -> tuple[Cursor, Brand]:
    return cursor_of(_BRANDS, _place(found)), Brand(found=found)


def _place(found: model.Brand) -> str:
    """Texts in the order in which brands were made."""
    return f"{found.created_at.astimezone(UTC).isoformat(timespec='microseconds')} {found.id}"
