"""What people do for brands, and what staff finds of them."""

from typing import Annotated

import strawberry

from domain.brand import invitations, profiles, teams, wallets
from domain.brand.model import Billing, Brand, Invitation, Member, Preferences, Profile
from domain.refusal import Refusal
from domain.rights import BrandRole, Permission
from gql.access import Right, field
from gql.asset.types import asset_id
from gql.brand import answers, inputs, types
from gql.brand.queries import fetch_brand
from gql.brand.staff import BrandCase
from gql.brand.types import INVITATION, MEMBER, brand_id, invitation_id, member_id
from gql.context import Context, Info
from gql.identity.inputs import short
from gql.node import global_id
from gql.refusals import show
from gql.wallet.queries import fetch_wallet

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class BrandMutation:
    """Brands and what they say of themselves."""

    @field(
        Right.SIGNED_IN,
        "Make a brand, whose owner and contact you are. Staff verifies it.",
        graphql_type=answers.CreateBrandResult,
    )
    async def create_brand(self, info: Info, wanted: Annotated[inputs.CreateBrandInput, Wanted]) -> object:
        """Make a brand."""
        context, billing, preferences = info.context, wanted.billing, wanted.preferences
        profile = Profile(
            wanted.company.parsed(),
            billing.parsed() if billing else Billing(),
            preferences.parsed() if preferences else Preferences(),
        )
        made = await profiles.create_brand(context.ports.brand, context.caller, profile, wanted.key)
        return await _shown(context, made)

    @field(
        Right.OWNER,
        "Say something else of a brand. It takes a manager. Where the name, the industry, the website, the address or"
        " the tax id is another, or other documents are shown, staff looks at the brand again.",
        role=BrandRole.MANAGER,
        graphql_type=answers.ChangeBrandResult,
    )
    async def change_brand(self, info: Info, wanted: Annotated[inputs.ChangeBrandInput, Wanted]) -> object:
        """Say something else of a brand."""
        context = info.context
        change = profiles.Change(
            wanted.company.parsed() if wanted.company else None,
            wanted.billing.parsed() if wanted.billing else None,
            wanted.preferences.parsed() if wanted.preferences else None,
            member_id(wanted.contact_id) if wanted.contact_id else None,
            asset_id(wanted.logo_id) if wanted.logo_id else None,
            wanted.documents,
        )
        made = await profiles.change_brand(context.ports.brand, context.caller, brand_id(wanted.brand_id), change)
        return await _shown(context, made)

    @field(
        Right.STAFF,
        "Verify a brand, or reject it. It takes a reason and a fresh code (`stepUp`). A letter tells the brand's"
        " contact.",
        permission=Permission.VERIFY_BRANDS,
        graphql_type=answers.DecideBrandResult,
    )
    async def decide_brand(self, info: Info, wanted: Annotated[inputs.DecideBrandInput, Wanted]) -> object:
        """Verify a brand, or reject it."""
        context, id_ = info.context, brand_id(wanted.brand_id)
        made = await profiles.decide_brand(
            context.ports.brand, context.caller, id_, wanted.revision, wanted.reason, approve=wanted.approve
        )
        return show(made) if isinstance(made, Refusal) else BrandCase.of(made)


@strawberry.type
class BrandTeamMutation:
    """Who acts for a brand."""

    @field(
        Right.OWNER,
        "Give a member another role. It takes an owner, and an owner stays. Every open connection follows at once.",
        role=BrandRole.OWNER,
        graphql_type=answers.ChangeMemberRoleResult,
    )
    async def change_member_role(self, info: Info, wanted: Annotated[inputs.ChangeMemberRoleInput, Wanted]) -> object:
        """Give a member another role."""
        context = info.context
        made = await teams.change_role(context.ports.brand, context.caller, member_id(wanted.member_id), wanted.role)
        return show(made) if isinstance(made, Refusal) else types.BrandMember.of(made)

    @field(
        Right.OWNER,
        "Send a member away. It takes an owner, and an owner stays.",
        role=BrandRole.OWNER,
        graphql_type=answers.RemoveMemberResult,
    )
    async def remove_member(self, info: Info, wanted: Annotated[inputs.RemoveMemberInput, Wanted]) -> object:
        """Send a member away."""
        context = info.context
        return _gone(await teams.remove_member(context.ports.brand, context.caller, member_id(wanted.member_id)))

    @field(
        Right.OWNER,
        "Act for a brand no more. The last owner stays; open invitations that you sent are taken back.",
        role=BrandRole.VIEWER,
        graphql_type=answers.LeaveBrandResult,
    )
    async def leave_brand(self, info: Info, wanted: Annotated[inputs.LeaveBrandInput, Wanted]) -> object:
        """Act for a brand no more."""
        context = info.context
        return _gone(await teams.leave_brand(context.ports.brand, context.caller, brand_id(wanted.brand_id)))


@strawberry.type
class BrandInvitationMutation:
    """Who is asked to act for a brand."""

    @field(
        Right.OWNER,
        "Ask somebody by mail to act for a brand. It takes an owner. The link is good once, for seven days; the answer"
        " is the same whether the address is known or not.",
        role=BrandRole.OWNER,
        graphql_type=answers.InviteMemberResult,
    )
    async def invite_member(self, info: Info, wanted: Annotated[inputs.InviteMemberInput, Wanted]) -> object:
        """Ask somebody by mail to act for a brand."""
        context, id_ = info.context, brand_id(wanted.brand_id)
        mail = short("mail", wanted.mail)
        made = await invitations.invite(context.ports.brand, context.caller, id_, mail, wanted.role)
        return show(made) if isinstance(made, Refusal) else types.BrandInvitation.of(made)

    @field(
        Right.OWNER,
        "Send an open invitation once more. It takes an owner. The link of the letter before is no good any more.",
        role=BrandRole.OWNER,
        graphql_type=answers.ResendInvitationResult,
    )
    async def resend_invitation(self, info: Info, wanted: Annotated[inputs.ResendInvitationInput, Wanted]) -> object:
        """Send an open invitation once more."""
        context, id_ = info.context, invitation_id(wanted.invitation_id)
        made = await invitations.resend_invitation(context.ports.brand, context.caller, id_)
        return show(made) if isinstance(made, Refusal) else types.BrandInvitation.of(made)

    @field(
        Right.OWNER,
        "Take an open invitation back. It takes an owner.",
        role=BrandRole.OWNER,
        graphql_type=answers.RevokeInvitationResult,
    )
    async def revoke_invitation(self, info: Info, wanted: Annotated[inputs.RevokeInvitationInput, Wanted]) -> object:
        """Take an open invitation back."""
        context, id_ = info.context, invitation_id(wanted.invitation_id)
        return _ended(await invitations.revoke_invitation(context.ports.brand, context.caller, id_))

    @field(
        Right.SIGNED_IN,
        "Take an invitation up: one that went to your verified address, or whose link you hold.",
        graphql_type=answers.AcceptInvitationResult,
    )
    async def accept_invitation(self, info: Info, wanted: Annotated[inputs.AcceptInvitationInput, Wanted]) -> object:
        """Take an invitation up."""
        context = info.context
        made = await invitations.accept_invitation(context.ports.brand, context.caller, wanted.which)
        if isinstance(made, Refusal):
            return show(made)
        await context.look_again()
        return answers.BrandJoined(brand=await fetch_brand(context, str(made.brand)))

    @field(
        Right.SIGNED_IN,
        "Turn an invitation down: one that went to your verified address, or whose link you hold.",
        graphql_type=answers.DeclineInvitationResult,
    )
    async def decline_invitation(self, info: Info, wanted: Annotated[inputs.DeclineInvitationInput, Wanted]) -> object:
        """Turn an invitation down."""
        context = info.context
        return _ended(await invitations.decline_invitation(context.ports.brand, context.caller, wanted.which))


@strawberry.type
class BrandWalletMutation:
    """What a brand pays with."""

    @field(
        Right.OWNER,
        "Open a brand's prepaid wallet in a currency; opening it again answers the same. It takes a manager. Managers"
        " put money into it (`startTopUp`), and campaigns are launched from it.",
        role=BrandRole.MANAGER,
        graphql_type=answers.OpenBrandWalletResult,
    )
    async def open_brand_wallet(self, info: Info, wanted: Annotated[inputs.OpenBrandWalletInput, Wanted]) -> object:
        """Open a brand's prepaid wallet."""
        context, id_ = info.context, brand_id(wanted.brand_id)
        made = await wallets.open_brand_wallet(context.ports.brand, context.caller, id_, wanted.currency)
        return show(made) if isinstance(made, Refusal) else await fetch_wallet(context, str(made))


async def _shown(context: Context, made: Brand | Refusal) -> object:
    """A brand, to who may have no role in it yet as far as this request knew."""
    if isinstance(made, Refusal):
        return show(made)
    await context.look_again()
    return types.Brand(found=made)


def _ended(made: Invitation | Refusal) -> object:
    if isinstance(made, Refusal):
        return show(made)
    return answers.InvitationEnded(invitation_id=global_id(INVITATION, made.id))


def _gone(made: Member | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else answers.MemberGone(member_id=global_id(MEMBER, made.id))
