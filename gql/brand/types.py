"""A brand, its members and its invitations, as the people see them who act for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

import strawberry

from domain.brand import model
from domain.brand.model import MOST_DOCUMENTS, InvitationId, MemberId
from domain.brand.ports import TeamPage
from domain.ids import BrandId, PersonId
from domain.money import Currency
from domain.rights import BrandRole
from gql.access import Right, field
from gql.asset.enums import RenditionName
from gql.asset.lookups import Located, assets
from gql.asset.types import Asset, AssetFile, InSize
from gql.batching import Asked, batched
from gql.brand.enums import Size, Verification
from gql.brand.lookups import documents, invitations, members, wallets
from gql.brand.parts import BrandBilling, BrandPreferences
from gql.context import Info
from gql.errors import BadInputError
from gql.invoice.lookups import invoices
from gql.invoice.types import Invoice, page_of
from gql.node import Node, global_id, key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.wallet.types import Wallet
from gql.weights import at_most

MEMBER, INVITATION = "BrandMember", "BrandInvitation"


def uuid_from(key: str) -> UUID:
    """What a key or a cursor's place names. Raises `BadInputError`."""
    try:
        found = UUID(key)
    except ValueError:
        found = None
    if found is None or str(found) != key:
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    return found


def brand_id(id_: str) -> BrandId:
    """A brand by its global id. Raises `BadInputError`."""
    return BrandId(uuid_from(key_of(Brand.kind, id_)))


def member_id(id_: str) -> MemberId:
    """A member by the global id. Raises `BadInputError`."""
    return MemberId(uuid_from(key_of(MEMBER, id_)))


def invitation_id(id_: str) -> InvitationId:
    """An invitation by its global id. Raises `BadInputError`."""
    return InvitationId(uuid_from(key_of(INVITATION, id_)))


@strawberry.type(description="Somebody of a brand, to those who act for it, too.")
class BrandContact:
    """Somebody of a brand, as colleagues know them."""

    person: strawberry.Private[PersonId]

    @field(Right.PARENT, "What they want to be called.")
    async def name(self, info: Info) -> str | None:
        """What they want to be called."""
        found = await info.context.loaders.person(self.person, "name")
        return found.name if found else None

    @field(Right.PARENT, "Their e-mail address.")
    async def mail(self, info: Info) -> str | None:
        """Their address."""
        found = await info.context.loaders.person(self.person, "mail")
        return found.mail if found else None


@strawberry.type(name=MEMBER, description="Somebody who acts for a brand.")
class BrandMember(BrandContact):
    """A member of a brand."""

    id: strawberry.ID = field(Right.PARENT, "The global id.")
    role: BrandRole = field(Right.PARENT, "What they may do.")
    since: datetime = field(Right.PARENT, "Since when they act for it.")

    @field(Right.PARENT, "Whether it is you.")
    def is_you(self, info: Info) -> bool:
        """Whether it is the caller."""
        return self.person in info.context.caller.people

    @classmethod
    def of(cls, found: model.Member) -> Self:
        """Show a member."""
        return cls(person=found.person, id=global_id(MEMBER, found.id), role=found.role, since=found.since)


@strawberry.type(name=INVITATION, description="Somebody is asked by mail to act for a brand, and has not answered.")
class BrandInvitation:
    """An open invitation, as owners see it."""

    id: strawberry.ID = field(Right.PARENT, "The global id.")
    mail: str | None = field(Right.PARENT, "To whom it went.")
    role: BrandRole = field(Right.PARENT, "What they are to be.")
    created_at: datetime = field(Right.PARENT, "When they were asked first.")
    expires_at: datetime = field(Right.PARENT, "Until when the link of the last letter is good.")

    @classmethod
    def of(cls, found: model.InvitationView) -> Self:
        """Show an invitation."""
        asked = found.invitation
        return cls(
            id=global_id(INVITATION, asked.id), mail=found.mail, role=asked.role, created_at=asked.created_at,
            expires_at=asked.expires_at,
        )  # fmt: skip


@strawberry.type(description="You are asked to act for a brand.")
class InvitationForYou:
    """An open invitation, as whom it went to sees it."""

    id: strawberry.ID = field(Right.PARENT, "The global id.")
    brand_name: str = field(Right.PARENT, "What the brand calls itself.")
    role: BrandRole = field(Right.PARENT, "What you are to be.")
    expires_at: datetime = field(Right.PARENT, "Until when you may answer.")

    @classmethod
    def of(cls, found: model.InvitationView) -> Self:
        """Show an invitation."""
        asked = found.invitation
        return cls(
            id=global_id(INVITATION, asked.id), brand_name=found.brand_name, role=asked.role,
            expires_at=asked.expires_at,
        )  # fmt: skip


def shown_documents(found: Sequence[Located] | None) -> list[Asset]:
    """Show documents."""
    return [Asset.of(each) for each in found or ()]


@strawberry.type(description="A brand that you act for.")
class Brand(Node):
    """A brand, as its members see it."""

    kind: ClassVar[str] = "Brand"
    found: strawberry.Private[model.Brand]

    @property
    def key(self) -> BrandId:
        """The brand's id."""
        return self.found.id

    @property
    def owner(self) -> str:
        """Whose it is: its members'."""
        return self.found.owner

    @field(Right.OWNER, "What the company is called.")
    def name(self) -> str:
        """What the company is called."""
        return self.found.profile.company.name

    @field(Right.OWNER, "What it makes or does.")
    def industry(self) -> str:
        """What it makes or does."""
        return self.found.profile.company.industry

    @field(Right.OWNER, "How large it is.")
    def size(self) -> Size:
        """How large it is."""
        return self.found.profile.company.size

    @field(Right.OWNER, "Its website; empty if none was given.")
    def website(self) -> str:
        """Its website."""
        return self.found.profile.company.website

    @field(Right.OWNER, "To whom invoices go.", role=BrandRole.MANAGER)
    def billing(self) -> BrandBilling | None:
        """To whom invoices go."""
        billing = self.found.profile.billing
        return BrandBilling(address=billing.address, tax_id=billing.tax_id, currency=billing.currency)

    @batched(
        Right.OWNER,
        "What it was billed, newest first: one invoice a month and currency.",
        role=BrandRole.MANAGER,
        load=invoices,
        list_size=PAGE,
    )
    def invoices(self, first: First = USUAL_PAGE, after: After = None) -> Asked[Connection[Invoice]]:
        """A page of its invoices."""
        return page_of(self.key, first, after)

    @field(Right.OWNER, "Whom it wants to reach.")
    def preferences(self) -> BrandPreferences:
        """Whom it wants to reach."""
        return BrandPreferences.of(self.found.profile.preferences)

    @field(Right.OWNER, "The member to write to; null once they have left.")
    def contact(self) -> BrandContact | None:
        """The member to write to."""
        return BrandContact(person=self.found.contact) if self.found.contact else None

    @batched(Right.OWNER, "Its logo; null if none was sent.", load=assets)
    def logo(self, size: InSize = RenditionName.THUMBNAIL) -> Asked[AssetFile | None]:
        """Its logo."""
        return Asked(self.found.logo, lambda found: AssetFile.of(found, size))

    @batched(
        Right.OWNER,
        "What shows staff that it is who it says.",
        role=BrandRole.MANAGER,
        load=documents,
        list_size=at_most(MOST_DOCUMENTS),
    )
    def documents(self) -> Asked[list[Asset] | None]:
        """What shows staff that it is who it says."""
        return Asked(self.found.documents, shown_documents)

    @field(Right.OWNER, "What staff found of it.")
    def verification(self) -> Verification:
        """What staff found of it."""
        return self.found.verification

    @field(Right.OWNER, "Why staff found so; empty while nothing is decided.")
    def verification_reason(self) -> str:
        """Why staff found so."""
        return self.found.reason

    @field(Right.OWNER, "Since when it is here.")
    def created_at(self) -> datetime:
        """Since when it is here."""
        return self.found.created_at

    @field(Right.OWNER, "Your role in it.")
    def your_role(self, info: Info) -> BrandRole:
        """The caller's role in it."""
        return info.context.caller.brands[self.found.id]

    @batched(
        Right.OWNER,
        "Its prepaid wallets, one for each currency at most. Managers open them (`openBrandWallet`) and put money into"
        " them; whoever acts for the brand looks on.",
        load=wallets,
        list_size=at_most(len(Currency)),
    )
    def wallets(self) -> Asked[list[Wallet]]:
        """Its prepaid wallets."""
        return Asked(self.owner, lambda found: [Wallet(view=view) for view in found])

    @batched(Right.OWNER, "Who acts for it, longest first.", load=members, list_size=PAGE)
    def members(self, first: First = USUAL_PAGE, after: After = None) -> Asked[Connection[BrandMember]]:
        """A page of members."""
        size, scope = page_size(first), f"members:{self.key}"
        place = None if after is None else MemberId(uuid_from(place_of(scope, after)))

        def edge(found: model.Member) -> tuple[Cursor, BrandMember]:
            return cursor_of(scope, found.id), BrandMember.of(found)

        return Asked(TeamPage(self.key, size + 1, place), lambda found: Connection.of(found, size, after, edge))

    @batched(
        Right.OWNER,
        "Who is asked to and has not answered, oldest first; for a month also where the link has expired.",
        role=BrandRole.OWNER,
        load=invitations,
        list_size=PAGE,
    )
    def invitations(self, first: First = USUAL_PAGE, after: After = None) -> Asked[Connection[BrandInvitation] | None]:
        """A page of open invitations."""
        size, scope = page_size(first), f"invitations:{self.key}"
        place = None if after is None else InvitationId(uuid_from(place_of(scope, after)))

        def edge(found: model.InvitationView) -> tuple[Cursor, BrandInvitation]:
            return cursor_of(scope, found.invitation.id), BrandInvitation.of(found)

        return Asked(TeamPage(self.key, size + 1, place), lambda found: Connection.of(found, size, after, edge))
