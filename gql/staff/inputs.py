"""What the admin portal's fields take."""

from datetime import datetime

import strawberry

from domain.identity.provider import Provider
from domain.rights import Permission
from gql.staff.enums import StaffRole

_REASON = "Why, in at most 500 characters. It stands in the audit log."
_PERSON = "The global id of a person."


@strawberry.input(description="An id that a provider knows somebody by.")
class ProviderSubject:
    """An id that a provider knows somebody by."""

    provider: Provider = strawberry.field(description="Whose id.")
    subject: str = strawberry.field(description="The id; for a password the address.")


@strawberry.input(description="What is known of somebody: exactly one of these, and exactly as it is.")
class PeopleSearch:
    """What is known of somebody."""

    id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id, or the plain one that stands in the ledger."
    )
    mail: str | None = strawberry.field(
        default=None, description="The whole e-mail address, in whichever case it is written."
    )
    subject: ProviderSubject | None = strawberry.field(default=None, description="What a provider knows them by.")


@strawberry.input(description="Which lines of the audit log to show. What is left out does not matter.")
class AuditFilter:
    """Which lines to show."""

    actor_id: strawberry.ID | None = strawberry.field(default=None, description="Done by this person.")
    impersonator_id: strawberry.ID | None = strawberry.field(
        default=None, description="Done by this member of staff through somebody else's eyes."
    )
    about_id: strawberry.ID | None = strawberry.field(default=None, description="About this person.")
    target: str | None = strawberry.field(
        default=None, description="Done to exactly this: `person:<uuid>`, `role:support`."
    )
    action: str | None = strawberry.field(
        default=None, description="The beginning of what was done: `role.` finds `role.changed`."
    )
    since: datetime | None = strawberry.field(default=None, description="Then or later.")
    until: datetime | None = strawberry.field(default=None, description="Before then.")


@strawberry.input(description="A person, and why.")
class _OfPerson:
    """A person, and why."""

    person_id: strawberry.ID = strawberry.field(description=_PERSON)
    reason: str = strawberry.field(description=_REASON)


@strawberry.input(description="Which role somebody is to have.")
class SetStaffRoleInput(_OfPerson):
    """Which role somebody is to have."""

    role: StaffRole | None = strawberry.field(default=None, description="The role; null lets them go.")


@strawberry.input(description="Whom to keep out, and why.")
class BanPersonInput(_OfPerson):
    """Whom to keep out, and why."""


@strawberry.input(description="Whom to let in again, and why.")
class LiftBanInput(_OfPerson):
    """Whom to let in again, and why."""


@strawberry.input(description="Whose sessions are to end, and why.")
class EndPersonSessionsInput(_OfPerson):
    """Whose sessions are to end, and why."""


@strawberry.input(description="Through whose eyes to look, and why.")
class ImpersonateInput(_OfPerson):
    """Through whose eyes to look, and why."""


@strawberry.input(description="What a role is to be allowed.")
class SetRolePermissionsInput:
    """What a role is to be allowed."""

    role: StaffRole = strawberry.field(description="The role.")
    permissions: list[Permission] = strawberry.field(description="All that it may do from now on.")
    reason: str = strawberry.field(description=_REASON)


@strawberry.input(description="A network, and why.")
class _OfNetwork:
    """A network, and why."""

    network: str = strawberry.field(description="An address and the length of its prefix, such as 203.0.113.0/24.")
    reason: str = strawberry.field(description=_REASON)


@strawberry.input(description="From where staff may work, and why.")
class AllowNetworkInput(_OfNetwork):
    """From where staff may work, and why."""


@strawberry.input(description="From where staff may work no more, and why.")
class DisallowNetworkInput(_OfNetwork):
    """From where staff may work no more, and why."""


@strawberry.input(description="Two people who are one.")
class AskToMergeInput:
    """Two people who are one."""

    survivor_id: strawberry.ID = strawberry.field(description="Who both are to be.")
    merged_id: strawberry.ID = strawberry.field(description="Who is to be the survivor, with all that is theirs.")
    reason: str = strawberry.field(description=_REASON)


@strawberry.input(description="What is decided about a request to merge.")
class DecideMergeInput:
    """What is decided about a request to merge."""

    request_id: strawberry.ID = strawberry.field(description="The global id of the request.")
    approve: bool = strawberry.field(description="Whether they are one. Who asked may only say no.")
    reason: str = strawberry.field(description=_REASON)
