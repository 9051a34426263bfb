"""What staff may look up about people and about itself."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.identity import model
from domain.identity.desk import people_by_mail, person_by_subject
from domain.ids import PersonId
from domain.rights import Permission, StaffRole
from gql.access import Right, field
from gql.context import Context, Info
from gql.errors import BadInputError
from gql.identity.inputs import short
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.staff.inputs import PeopleSearch
from gql.staff.types import MANAGE, MergeRequest, Person, Role, StaffNetwork, person_id
from gql.weights import at_most

_MERGES = "merges"


async def _find(context: Context, search: PeopleSearch) -> list[PersonId]:
    """People by exactly one thing that is known of them. Raises `BadInputError`."""
    ports, vault = context.ports, context.identity.vault
    match search:
        case PeopleSearch(id=str(id_), mail=None, subject=None):
            found: list[PersonId | None] = [_any_id(id_)]
        case PeopleSearch(id=None, mail=str(mail), subject=None):
            found = [*await people_by_mail(ports.desk, vault, short("mail", mail))]
        case PeopleSearch(id=None, mail=None, subject=subject) if subject:
            text = short("subject", subject.subject)
            found = [await person_by_subject(ports.desk, vault, subject.provider, text)]
        case _:
            raise BadInputError("Give exactly one of `id`, `mail` and `subject`.")
    return [person for person in found if person is not None]


def _any_id(text: str) -> PersonId:
    """A person's global id, or the plain one that stands in the ledger and in logs."""
    try:
        return PersonId(UUID(text.removeprefix("person:")))
    except ValueError:
        return person_id(text)


async def _known(context: Context, people: list[PersonId]) -> list[Person]:
    """Those that there are. That somebody looked them up is written down, whatever of them they ask for."""
    asked = await context.loaders.person_by_need.load_many([(person, None) for person in people])
    found = [each.id for each in asked if each is not None]
    await context.loaders.staff.looked_at.load_many(found)
    return [Person(key=person) for person in found]


async def roles_of_staff(context: Context) -> list[Role]:
    """Every role and what it may do."""
    found = await context.ports.desk.roles()
    return [Role(role=role, permissions=sorted(given)) for role, given in found.items()]


async def networks_of_staff(context: Context) -> list[StaffNetwork]:
    """From where staff may work."""
    return [StaffNetwork.of(each) for each in await context.ports.desk.networks()]


def _edge(found: model.MergeRequest) -> tuple[Cursor, MergeRequest]:
    return cursor_of(_MERGES, found.id), MergeRequest.of(found)


@strawberry.type
class StaffQuery:
    """The admin portal's fields of the root."""

    @field(Right.STAFF, "A person; null if there is no such.", permission=MANAGE)
    async def person(
        self, info: Info, id_: Annotated[strawberry.ID, strawberry.argument(description="The global id.", name="id")]
    ) -> Person | None:
        """A person."""
        found = await _known(info.context, [person_id(id_)])
        return found[0] if found else None

    @field(
        Right.STAFF,
        "People by exactly what is known of them. There is no search by a part: what is personal is kept encrypted.",
        permission=MANAGE,
        list_size=at_most(5),
    )
    async def people(
        self, info: Info, search: Annotated[PeopleSearch, strawberry.argument(description="What is known of them.")]
    ) -> list[Person]:
        """People by exactly what is known of them."""
        return await _known(info.context, await _find(info.context, search))

    @field(
        Right.STAFF,
        "Every role of staff, and what it may do.",
        permission=MANAGE,
        list_size=at_most(len(StaffRole)),
    )
    async def roles(self, info: Info) -> list[Role]:
        """Every role of staff."""
        return await roles_of_staff(info.context)

    @field(
        Right.STAFF,
        "The networks that staff may work from. Empty: from nowhere but the server's own machine. A request that came"
        " past the proxies that we trust is in none of them.",
        permission=Permission.CONFIGURE_SYSTEM,
        list_size=at_most(5),
    )
    async def staff_networks(self, info: Info) -> list[StaffNetwork]:
        """The networks that staff may work from."""
        return await networks_of_staff(info.context)

    @field(
        Right.STAFF,
        "Requests to merge people that nobody has decided, newest first.",
        permission=MANAGE,
        list_size=PAGE,
    )
    async def open_merge_requests(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[MergeRequest]:
        """A page of requests to merge."""
        size, place = page_size(first), None
        if after is not None:
            try:
                place = UUID(place_of(_MERGES, after))
            except ValueError:
                raise BadInputError("This is not a cursor of ours: give one back as you got it.") from None
        found = await info.context.ports.desk.open_merges(size + 1, place)
        return Connection.of(found, size, after, _edge)
