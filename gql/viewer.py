"""The person who is calling."""

from typing import ClassVar

import strawberry

from domain.actor import Actor
from domain.identity.privacy import ConsentPurpose
from domain.ids import PersonId
from domain.rights import Permission, StaffRole
from gql.access import Right, field
from gql.brand.queries import MOST_INVITATIONS, brands_of, invitations_of
from gql.brand.types import Brand, InvitationForYou
from gql.context import Context, Info
from gql.identity.factors import SecondFactors, second_factors_of
from gql.identity.privacy import (
    Consent,
    Erasure,
    PersonalExport,
    consent_history_of,
    consents_of,
    erasure_of,
    personal_export_of,
)
from gql.identity.providers import SignInIdentity, identities_of
from gql.identity.queries import sessions_of
from gql.identity.types import MOST_SESSIONS, Session
from gql.node import Node, global_id
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First
from gql.staff.types import PERSON
from gql.streamer.queries import own_streamer
from gql.streamer.types import Streamer
from gql.wallet.queries import top_ups_of, wallets_of
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet
from gql.weights import at_most


@strawberry.type(description="The person who is signed in.")
class Viewer(Node):
    """The caller, as they see themselves."""

    kind: ClassVar[str] = "Viewer"
    actor: strawberry.Private[Actor]

    @property
    def key(self) -> PersonId:
        """The person's id."""
        return self.actor.person

    @property
    def owner(self) -> str:
        """Whose it is: their own."""
        return self.actor.owner

    @field(Right.OWNER, "What to call you; null if you never said.")
    async def name(self, info: Info) -> str | None:
        """What to call the person."""
        found = await info.context.loaders.person(self.key, "name")
        return found.name if found else None

    @field(Right.OWNER, "Your e-mail address; null if we do not know one.")
    async def mail(self, info: Info) -> str | None:
        """The person's address."""
        found = await info.context.loaders.person(self.key, "mail")
        return found.mail if found else None

    @field(Right.OWNER, "Whether you proved that you read the mail of that address.")
    async def mail_verified(self, info: Info) -> bool:
        """Whether the address is verified."""
        found = await info.context.loaders.person(self.key)
        return found is not None and found.mail_verified_at is not None

    @field(Right.OWNER, "Where you are signed in, last used first.", list_size=at_most(MOST_SESSIONS))
    async def sessions(self, info: Info) -> list[Session]:
        """Where the person is signed in."""
        return await sessions_of(info.context)

    @field(Right.OWNER, "What you set up to prove yourself with, beside your first means.")
    async def second_factors(self, info: Info) -> SecondFactors:
        """What the person set up to prove themselves with."""
        return await second_factors_of(info.context)

    @field(Right.OWNER, "How you sign in, oldest first.", list_size=at_most(10))
    async def identities(self, info: Info) -> list[SignInIdentity]:
        """How the person signs in."""
        return await identities_of(info.context)

    @field(
        Right.OWNER,
        "Your role of staff; null unless this session may use it: in the admin portal, behind a second factor, from a"
        " network that is allowed.",
    )
    def staff_role(self) -> StaffRole | None:
        """The caller's role of staff."""
        return self.actor.staff_role

    @field(Right.OWNER, "What you may do as staff in this session.", list_size=at_most(len(Permission)))
    def permissions(self) -> list[Permission]:
        """What the caller may do as staff."""
        return sorted(self.actor.permissions)

    @field(Right.OWNER, "Who of staff looks through your eyes in this session; null: you yourself. Show a banner.")
    def impersonator(self) -> strawberry.ID | None:
        """Who looks through the caller's eyes."""
        return global_id(PERSON, self.actor.impersonator) if self.actor.impersonator else None

    @field(Right.OWNER, "Your wallets: at most one for each purpose and currency.", list_size=at_most(20))
    async def wallets(self, info: Info) -> list[Wallet]:
        """The caller's wallets."""
        return await wallets_of(info.context)

    @field(Right.OWNER, "Your top-ups, newest first.", list_size=PAGE)
    async def top_ups(self, info: Info, first: First = USUAL_PAGE, after: After = None) -> Connection[TopUp]:
        """A page of the caller's top-ups."""
        return await top_ups_of(info.context, first, after)

    @field(Right.OWNER, "You as a streamer; null unless you became one.")
    async def streamer(self, info: Info) -> Streamer | None:
        """The caller as a streamer."""
        return await own_streamer(info.context)

    @field(Right.OWNER, "The brands that you act for, oldest first.", list_size=PAGE)
    async def brands(self, info: Info, first: First = USUAL_PAGE, after: After = None) -> Connection[Brand]:
        """A page of the caller's brands."""
        return await brands_of(info.context, first, after)

    @field(
        Right.OWNER,
        "Brands that ask you to act for them, by letters to your verified address; newest first.",
        list_size=at_most(MOST_INVITATIONS),
    )
    async def brand_invitations(self, info: Info) -> list[InvitationForYou]:
        """What the caller is asked to."""
        return await invitations_of(info.context)

    @field(Right.OWNER, "What you agree to, for every purpose that there is.", list_size=at_most(len(ConsentPurpose)))
    async def consents(self, info: Info) -> list[Consent]:
        """What the caller agrees to."""
        return await consents_of(info.context)

    @field(Right.OWNER, "Everything that you ever agreed to or took back, newest first.", list_size=PAGE)
    async def consent_history(self, info: Info, first: First = USUAL_PAGE, after: After = None) -> Connection[Consent]:
        """A page of what the caller ever said."""
        return await consent_history_of(info.context, first, after)

    @field(Right.OWNER, "The last copy of everything that is yours, if you asked for one.")
    async def personal_export(self, info: Info) -> PersonalExport | None:
        """The caller's newest export."""
        return await personal_export_of(info.context)

    @field(Right.OWNER, "What is to become of your account; null while it is not to be erased.")
    async def erasure(self, info: Info) -> Erasure | None:
        """What is to become of the caller."""
        return await erasure_of(info.context)


async def fetch_viewer(context: Context, key: str) -> Viewer | None:
    """The caller, if the key is theirs; there is no other viewer."""
    return Viewer(actor=context.caller) if key == str(context.person) else None


@strawberry.type
class ViewerQuery:
    """The caller's field of the root."""

    @field(Right.SIGNED_IN, "You.")
    def viewer(self, info: Info) -> Viewer:
        """The person who is signed in."""
        return Viewer(actor=info.context.caller)
