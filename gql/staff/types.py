"""People, roles, networks and merges, as staff sees them."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.identity import desk, model
from domain.identity.model import Locale, Portal
from domain.identity.ports import PersonText, SessionView
from domain.identity.provider import Provider
from domain.ids import PersonId
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountStatus
from domain.ledger.ports import AccountView
from domain.money import Currency
from domain.rights import Permission
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.context import Info
from gql.errors import BadInputError
from gql.identity.types import MOST_SESSIONS
from gql.loaders import Loaders
from gql.node import global_id, key_of
from gql.staff.enums import MembershipKind, PersonStatus, StaffRole
from gql.staff_loaders import holders
from gql.wallet.types import Balance
from gql.weights import at_most

PERSON, MERGE = "Person", "MergeRequest"
MANAGE = Permission.MANAGE_USERS


def uuid_of(kind: str, id_: str) -> UUID:
    """The key in a global id of ours that is a UUID. Raises `BadInputError`."""
    key = key_of(kind, id_)
    try:
        found = UUID(key)
    except ValueError:
        found = None
    if found is None or str(found) != key:
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    return found


def person_id(id_: str) -> PersonId:
    """The person of a global id. Raises `BadInputError`."""
    return PersonId(uuid_of(PERSON, id_))


@strawberry.type(description="A way in which a person signs in.")
class PersonIdentity:
    """A way of signing in."""

    provider: Provider = field(Right.PARENT, "Who vouches for them.")
    subject: str | None = field(Right.PARENT, "The provider's own id of them; for a password the address.")
    created_at: datetime = field(Right.PARENT, "Since when.")
    last_used_at: datetime | None = field(Right.PARENT, "When they last came by it.")

    @classmethod
    def of(cls, found: model.Identity) -> Self:
        """Show a way of signing in."""
        return cls(
            provider=Provider(found.provider),
            subject=found.subject,
            created_at=found.created_at,
            last_used_at=found.last_used_at,
        )


@strawberry.type(description="What a person belongs to.")
class Membership:
    """What a person belongs to."""

    kind: MembershipKind = field(Right.PARENT, "To what.")
    brand_id: UUID | None = field(Right.PARENT, "To which brand, if it is one.")
    role: str | None = field(Right.PARENT, "As what: a role in the brand, or of staff.")
    since: datetime = field(Right.PARENT, "Since when.")

    @classmethod
    def of(cls, found: desk.Membership) -> Self:
        """Show a membership."""
        return cls(kind=found.kind, brand_id=found.brand, role=found.role, since=found.created_at)


@strawberry.type(description="Where a person is signed in.")
class PersonSession:
    """A session, as staff sees it."""

    device: str | None = field(Right.PARENT, "What the device calls itself.")
    place: str | None = field(Right.PARENT, "The network address that it signed in from.")
    portal: Portal = field(Right.PARENT, "Which site it belongs to.")
    created_at: datetime = field(Right.PARENT, "When it began.")
    last_used_at: datetime = field(Right.PARENT, "When it was last used, to the minute or so.")
    expires_at: datetime = field(Right.PARENT, "When it ends, used or not.")
    impersonated: bool = field(Right.PARENT, "Whether staff looks through their eyes in it.")

    @classmethod
    def of(cls, view: SessionView) -> Self:
        """Show a session."""
        found = view.session
        return cls(
            device=view.device,
            place=view.address,
            portal=found.portal,
            created_at=found.created_at,
            last_used_at=found.last_used_at,
            expires_at=found.expires_at,
            impersonated=found.impersonator is not None,
        )


@strawberry.type(description="Money of a person. Staff looks at it; nothing here moves it.")
class PersonWallet:
    """An account of the ledger, as staff sees it."""

    purpose: Purpose = field(Right.PARENT, "What the money is for, or owed for.")
    currency: Currency = field(Right.PARENT, "The currency of all that is in it.")
    balance: Balance = field(Right.PARENT, "What is in it; less than nothing is owed.")
    status: AccountStatus = field(Right.PARENT, "Whether money may move.")
    owner: str = field(Right.PARENT, "Whose it is by the ledger's name, which a merge does not change.")

    @classmethod
    def of(cls, view: AccountView) -> Self:
        """Show an account."""
        key, balance = view.key, Balance.of(view.balance, view.key.currency)
        return cls(
            purpose=key.purpose, currency=key.currency, balance=balance, status=view.balance.status, owner=key.owner
        )


@strawberry.type(description="A person, as staff sees them. Whoever looks stands in the audit log.")
class Person:
    """A person, looked up field by field: whoever may only know that there is one sees the id alone."""

    key: strawberry.Private[PersonId]

    @field(Right.PARENT, "The global id.")
    def id(self) -> strawberry.ID:
        """The global id."""
        return global_id(PERSON, self.key)

    @field(Right.STAFF, "Whether they may sign in.", permission=MANAGE)
    async def status(self, info: Info) -> PersonStatus | None:
        """Whether they may sign in."""
        found = await self._found(info)
        return found.status if found else None

    @field(Right.STAFF, "Why they are banned; empty for who is not.", permission=MANAGE)
    async def ban_reason(self, info: Info) -> str:
        """Why they are banned."""
        found = await self._found(info, "reason")
        return found.reason if found else ""

    @field(Right.STAFF, "What they want to be called.", permission=MANAGE)
    async def name(self, info: Info) -> str | None:
        """What they want to be called."""
        found = await self._found(info, "name")
        return found.name if found else None

    @field(Right.STAFF, "Their e-mail address.", permission=MANAGE)
    async def mail(self, info: Info) -> str | None:
        """Their address."""
        found = await self._found(info, "mail")
        return found.mail if found else None

    @field(Right.STAFF, "When they proved that they read its mail; null: they did not.", permission=MANAGE)
    async def mail_verified_at(self, info: Info) -> datetime | None:
        """When the address was verified."""
        found = await self._found(info)
        return found.mail_verified_at if found else None

    @field(Right.STAFF, "The language that we write to them in.", permission=MANAGE)
    async def locale(self, info: Info) -> Locale | None:
        """The language that we write to them in."""
        found = await self._found(info)
        return found.locale if found else None

    @field(Right.STAFF, "Since when we know them.", permission=MANAGE)
    async def created_at(self, info: Info) -> datetime | None:
        """Since when we know them."""
        found = await self._found(info)
        return found.created_at if found else None

    @field(Right.STAFF, "Who they were found to be, if they are somebody else.", permission=MANAGE)
    async def survivor(self, info: Info) -> "Person | None":
        """Who they were found to be."""
        found = await self._found(info)
        return Person(key=found.survivor) if found and found.survivor else None

    @field(Right.STAFF, "Who was found to be them.", permission=MANAGE, list_size=at_most(1))
    async def merged(self, info: Info) -> list["Person"]:
        """Who was found to be them."""
        return [Person(key=each) for each in await (await self._looked_at(info)).staff.merged_by_person.load(self.key)]

    @field(Right.STAFF, "How they sign in, oldest first.", permission=MANAGE, list_size=at_most(5))
    async def identities(self, info: Info) -> list[PersonIdentity]:
        """How they sign in."""
        found = await (await self._looked_at(info)).staff.identities_by_person.load(self.key)
        return [PersonIdentity.of(each) for each in found]

    @field(Right.STAFF, "Where they are signed in, by last use.", permission=MANAGE, list_size=at_most(5))
    async def sessions(self, info: Info) -> list[PersonSession]:
        """Where they are signed in."""
        found = await (await self._looked_at(info)).sessions_by_person.load(self.key)
        return [PersonSession.of(each) for each in found[:MOST_SESSIONS]]

    @field(Right.STAFF, "What they belong to, oldest first.", permission=MANAGE, list_size=at_most(5))
    async def memberships(self, info: Info) -> list[Membership]:
        """What they belong to."""
        found = await (await self._looked_at(info)).staff.memberships_by_person.load(self.key)
        return [Membership.of(each) for each in found]

    @field(
        Right.STAFF,
        "What is theirs in the ledger, also in the names of who was found to be them.",
        permission=Permission.VIEW_FINANCIALS,
        list_size=at_most(5),
    )
    async def wallets(self, info: Info) -> list[PersonWallet]:
        """What is theirs in the ledger."""
        loaders = (await self._looked_at(info)).staff
        people = [self.key, *await loaders.merged_by_person.load(self.key)]
        found = await loaders.accounts_by_owner.load_many([f"person:{person}" for person in people])
        return [PersonWallet.of(view) for views in found for view in views]

    async def _found(self, info: Info, text: PersonText | None = None) -> model.Person | None:
        return await (await self._looked_at(info)).person(self.key, text)

    async def _looked_at(self, info: Info) -> Loaders:
        """What finds something of them, once it is written down who looks."""
        await info.context.loaders.staff.looked_at.load(self.key)
        return info.context.loaders


@strawberry.type(description="A role of staff, and what it may do.")
class Role:
    """A role of staff."""

    role: StaffRole = field(Right.PARENT, "Which one.")
    permissions: list[Permission] = field(Right.PARENT, "What it may do.", list_size=at_most(len(Permission)))

    @batched(Right.PARENT, "Who has it, longest first.", load=holders, list_size=at_most(5))
    def holders(self) -> Asked[list[Person]]:
        """Who has it."""
        return Asked(self.role, lambda found: [Person(key=each) for each in found])


@strawberry.type(description="A network that staff may work from.")
class StaffNetwork:
    """A network that staff may work from."""

    network: str = field(Right.PARENT, "An address and the length of its prefix.")
    note: str = field(Right.PARENT, "Why it is allowed.")
    added_by: Person | None = field(Right.PARENT, "Who allowed it.")
    added_at: datetime = field(Right.PARENT, "When.")

    @classmethod
    def of(cls, found: desk.StaffNetwork) -> Self:
        """Show a network."""
        by = Person(key=found.added_by) if found.added_by else None
        return cls(network=found.network, note=found.note, added_by=by, added_at=found.added_at)


@strawberry.type(name=MERGE, description="Somebody of staff found that two people are one; somebody else decides.")
class MergeRequest:
    """A request to merge two people."""

    found: strawberry.Private[model.MergeRequest]
    id: strawberry.ID = field(Right.PARENT, "The global id.")
    survivor: Person = field(Right.PARENT, "Who both are to be.")
    merged: Person = field(Right.PARENT, "Who is to be the survivor, with all that is theirs.")
    asked_by: Person = field(Right.PARENT, "Who asked. They cannot agree to it.")
    asked_at: datetime = field(Right.PARENT, "When.")
    decided_by: Person | None = field(Right.PARENT, "Who decided; null while nobody has.")
    decided_at: datetime | None = field(Right.PARENT, "When.")
    approved: bool | None = field(Right.PARENT, "What was decided; null while nothing is.")

    @field(Right.PARENT, "Why; empty where it was erased.")
    async def reason(self, info: Info) -> str:
        """Why."""
        loaders = info.context.loaders.staff
        await loaders.looked_at.load(self.found.merged)
        return await loaders.reason_by_merge.load(self.found) or ""

    @classmethod
    def of(cls, found: model.MergeRequest) -> Self:
        """Show a request."""
        return cls(
            id=global_id(MERGE, found.id),
            survivor=Person(key=found.survivor),
            merged=Person(key=found.merged),
            found=found,
            asked_by=Person(key=found.asked_by),
            asked_at=found.asked_at,
            decided_by=Person(key=found.decided_by) if found.decided_by else None,
            decided_at=found.decided_at,
            approved=found.approved,
        )
