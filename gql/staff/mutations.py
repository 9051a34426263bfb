"""What staff does. Every deed takes a reason and a fresh code (`stepUp`), and stands in the audit log."""

from typing import Annotated

import strawberry

from domain.identity import merging, staff
from domain.identity.model import MergeRequest
from domain.identity.sessions import SignedIn
from domain.refusal import Refusal
from domain.rights import Permission
from gql.access import Right, field
from gql.context import Context, Info
from gql.identity import types as identity
from gql.identity.enums import TokenTransport
from gql.refusals import show
from gql.staff import answers, inputs, types
from gql.staff.queries import networks_of_staff, roles_of_staff
from gql.staff.types import MANAGE, MERGE, person_id, uuid_of

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class StaffMutation:
    """People, as staff looks after them."""

    @field(
        Right.STAFF,
        "Give somebody a role of staff, change it, or let them go. Nobody gives or takes what they do not have, and the"
        " last super admin stays.",
        permission=MANAGE,
        graphql_type=answers.SetStaffRoleResult,
    )
    async def set_staff_role(self, info: Info, wanted: Annotated[inputs.SetStaffRoleInput, Wanted]) -> object:
        """Give, change or take a role of staff."""
        context, person = info.context, person_id(wanted.person_id)
        made = await staff.change_staff_role(context.identity, context.caller, person, wanted.role, wanted.reason)
        return _changed(context, wanted.person_id, made)

    @field(
        Right.STAFF,
        "Keep somebody out. Their sessions end within seconds; what is theirs stays theirs.",
        permission=MANAGE,
        graphql_type=answers.BanPersonResult,
    )
    async def ban_person(self, info: Info, wanted: Annotated[inputs.BanPersonInput, Wanted]) -> object:
        """Keep somebody out."""
        context, person = info.context, person_id(wanted.person_id)
        made = await staff.ban(context.identity, context.caller, person, wanted.reason)
        return _changed(context, wanted.person_id, made)

    @field(Right.STAFF, "Let somebody in again.", permission=MANAGE, graphql_type=answers.LiftBanResult)
    async def lift_ban(self, info: Info, wanted: Annotated[inputs.LiftBanInput, Wanted]) -> object:
        """Let somebody in again."""
        context, person = info.context, person_id(wanted.person_id)
        made = await staff.lift_ban(context.identity, context.caller, person, wanted.reason)
        return _changed(context, wanted.person_id, made)

    @field(
        Right.STAFF,
        "End all sessions of somebody, with those in which they look through others' eyes. They may sign in again.",
        permission=MANAGE,
        graphql_type=answers.EndPersonSessionsResult,
    )
    async def end_person_sessions(self, info: Info, wanted: Annotated[inputs.EndPersonSessionsInput, Wanted]) -> object:
        """End all sessions of somebody."""
        context, person = info.context, person_id(wanted.person_id)
        made = await staff.end_sessions_of(context.identity, context.caller, person, wanted.reason)
        return show(made) if isinstance(made, Refusal) else identity.SessionsEnded(ended=made.sessions)

    @field(
        Right.STAFF,
        "Look through somebody's eyes for half an hour: a session of theirs that cannot be refreshed and changes"
        " nothing. `viewer.impersonator` tells of it. Its token comes as a bearer token, to be kept by the"
        " page that asked and nowhere else.",
        permission=MANAGE,
        graphql_type=answers.ImpersonateResult,
    )
    async def impersonate(self, info: Info, wanted: Annotated[inputs.ImpersonateInput, Wanted]) -> object:
        """Look through somebody's eyes."""
        context, person = info.context, person_id(wanted.person_id)
        made = await staff.impersonate(context.identity, context.caller, person, wanted.reason)
        if isinstance(made, SignedIn):
            return identity.SignedIn.of(made, TokenTransport.BEARER, context)
        return show(made)


@strawberry.type
class MergeMutation:
    """Two people who are one."""

    @field(
        Right.STAFF,
        "Say that two people are one. Nothing changes until somebody else agrees.",
        permission=MANAGE,
        graphql_type=answers.AskToMergeResult,
    )
    async def ask_to_merge(self, info: Info, wanted: Annotated[inputs.AskToMergeInput, Wanted]) -> object:
        """Say that two people are one."""
        context, survivor, merged = info.context, person_id(wanted.survivor_id), person_id(wanted.merged_id)
        return _request(await merging.ask_to_merge(context.identity, context.caller, survivor, merged, wanted.reason))

    @field(
        Right.STAFF,
        "Agree to a merge, or turn it down. Who asked may only turn it down. An agreement cannot be undone: ways of"
        " signing in and memberships become the survivor's; the ledger stays, and the survivor stands for both.",
        permission=MANAGE,
        graphql_type=answers.DecideMergeResult,
    )
    async def decide_merge(self, info: Info, wanted: Annotated[inputs.DecideMergeInput, Wanted]) -> object:
        """Agree to a merge, or turn it down."""
        context, id_ = info.context, uuid_of(MERGE, wanted.request_id)
        return _request(
            await merging.decide_merge(context.identity, context.caller, id_, wanted.reason, approve=wanted.approve)
        )


@strawberry.type
class SystemMutation:
    """What staff may do, and from where."""

    @field(
        Right.STAFF,
        "Change what a role may do. Super admins alone do it, and may themselves do everything.",
        permission=Permission.CONFIGURE_SYSTEM,
        graphql_type=answers.SetRolePermissionsResult,
    )
    async def set_role_permissions(
        self, info: Info, wanted: Annotated[inputs.SetRolePermissionsInput, Wanted]
    ) -> object:
        """Change what a role may do."""
        context, given = info.context, frozenset(wanted.permissions)
        made = await staff.change_permissions(context.identity, context.caller, wanted.role, given, wanted.reason)
        if isinstance(made, Refusal):
            return show(made)
        (role,) = [each for each in await roles_of_staff(context) if each.role is wanted.role]
        return answers.RoleChanged(role=role)

    @field(
        Right.STAFF,
        "Let staff work from a network. The address that you work from has to be allowed first.",
        permission=Permission.CONFIGURE_SYSTEM,
        graphql_type=answers.AllowNetworkResult,
    )
    async def allow_network(self, info: Info, wanted: Annotated[inputs.AllowNetworkInput, Wanted]) -> object:
        """Let staff work from a network."""
        context = info.context
        made = await staff.allow_network(context.identity, context.caller, wanted.network, wanted.reason)
        return await _networks(context, made)

    @field(
        Right.STAFF,
        "Let staff work from a network no more; not from the one that you work from.",
        permission=Permission.CONFIGURE_SYSTEM,
        graphql_type=answers.DisallowNetworkResult,
    )
    async def disallow_network(self, info: Info, wanted: Annotated[inputs.DisallowNetworkInput, Wanted]) -> object:
        """Let staff work from a network no more."""
        context = info.context
        made = await staff.disallow_network(context.identity, context.caller, wanted.network, wanted.reason)
        return await _networks(context, made)


def _changed(context: Context, id_: str, made: staff.Done | Refusal) -> object:
    if isinstance(made, Refusal):
        return show(made)
    context.renew()
    return answers.PersonChanged(person=types.Person(key=person_id(id_)))


async def _networks(context: Context, made: staff.Done | Refusal) -> object:
    if isinstance(made, Refusal):
        return show(made)
    return answers.NetworksChanged(networks=await networks_of_staff(context))


def _request(made: MergeRequest | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else types.MergeRequest.of(made)
