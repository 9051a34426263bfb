"""What staff's enumerations mean to clients."""

from domain.identity.desk import MembershipKind
from domain.identity.model import PersonStatus
from domain.rights import StaffRole
from gql.enums import describe

__all__ = ["MembershipKind", "PersonStatus", "StaffRole"]

describe(
    StaffRole,
    "StaffRole",
    "A role of staff. What it may do is a set of permissions that super admins change.",
    {
        StaffRole.SUPER_ADMIN: "Everything, always.",
        StaffRole.ADMIN: "Runs the platform.",
        StaffRole.MODERATOR: "Looks after what is shown.",
        StaffRole.SUPPORT: "Looks after people.",
    },
)
describe(
    PersonStatus,
    "PersonStatus",
    "Whether a person may sign in.",
    {
        PersonStatus.ACTIVE: "They may.",
        PersonStatus.BANNED: "Staff keeps them out.",
        PersonStatus.MERGED: "They were found to be somebody else, and sign in as them.",
        PersonStatus.ERASED: "They are gone, and nobody can tell who they were.",
    },
)
describe(
    MembershipKind,
    "MembershipKind",
    "To what a person may belong.",
    {
        MembershipKind.PLAYER: "Players.",
        MembershipKind.STREAMER: "Streamers.",
        MembershipKind.BRAND: "A brand.",
        MembershipKind.STAFF: "Staff.",
    },
)
