"""What people may do: permissions of staff in sets by role, and roles within a brand."""

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """One thing that staff may be allowed to do."""

    MANAGE_USERS = "manage_users"
    VERIFY_BRANDS = "verify_brands"
    VERIFY_STREAMERS = "verify_streamers"
    MANAGE_CAMPAIGNS = "manage_campaigns"
    VIEW_FINANCIALS = "view_financials"
    APPROVE_PAYOUTS = "approve_payouts"
    MODERATE_CONTENT = "moderate_content"
    ACCESS_AUDIT = "access_audit"
    MANAGE_DISPUTES = "manage_disputes"
    CONFIGURE_SYSTEM = "configure_system"


class StaffRole(StrEnum):
    """A role of staff; its permissions are a set that a super admin may change."""

    SUPER_ADMIN = "super_admin"
    ADMIN = "admin"
    MODERATOR = "moderator"
    SUPPORT = "support"


class BrandRole(StrEnum):
    """A role within a brand. Each may do what those after it may."""

    OWNER = "owner"
    MANAGER = "manager"
    VIEWER = "viewer"

    def covers(self, least: "BrandRole") -> bool:
        """Whether this role may do what `least` may."""
        return _RANK[self] >= _RANK[least]


_RANK = {BrandRole.VIEWER: 0, BrandRole.MANAGER: 1, BrandRole.OWNER: 2}

USUAL_PERMISSIONS: Mapping[StaffRole, frozenset[Permission]] = {
    StaffRole.SUPER_ADMIN: frozenset(Permission),
    StaffRole.ADMIN: frozenset(Permission) - {Permission.CONFIGURE_SYSTEM},
    StaffRole.MODERATOR: frozenset(
        {Permission.VERIFY_BRANDS, Permission.VERIFY_STREAMERS, Permission.MODERATE_CONTENT}
    ),
    StaffRole.SUPPORT: frozenset({Permission.MANAGE_USERS, Permission.VIEW_FINANCIALS}),
}
"""The sets that a new installation starts with. A super admin always has all: no edit can lock everybody out."""
