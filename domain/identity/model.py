"""Identity's nouns: a person, how they sign in, what they are a member of, and their sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.actor import Actor, Origin
from domain.identity.networks import within
from domain.ids import BrandId, PersonId, SessionId
from domain.rights import BrandRole, Permission, StaffRole

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=7)
REFRESH_GRACE = timedelta(seconds=10)
"""So long a spent token still answers its one successor, for two tabs that refresh at once. There is never a fork."""
STAFF_LIFETIME = timedelta(hours=8)
STAFF_IDLE = timedelta(minutes=15)
STEP_UP_LIFETIME = timedelta(minutes=5)
FRESH_SIGN_IN = timedelta(minutes=15)
"""Linking and unlinking want a sign-in that is no older."""
LINK_LIFETIME = timedelta(minutes=30)
IMPERSONATION_LIFETIME = timedelta(minutes=30)


class PersonStatus(StrEnum):
    """Whether a person may sign in."""

    ACTIVE = "active"
    BANNED = "banned"
    MERGED = "merged"
    """Found to be the same as another person, the survivor."""
    ERASED = "erased"


class Locale(StrEnum):
    """The languages that we write in."""

    INDONESIAN = "id"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Person:
    """One human being. Name and address are None for one who was erased or never gave them."""

    id: PersonId
    status: PersonStatus
    created_at: datetime
    locale: Locale = Locale.INDONESIAN
    name: str | None = None
    mail: str | None = None
    mail_verified_at: datetime | None = None
    reason: str = ""
    """Why they are banned."""
    survivor: PersonId | None = None


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """One member of staff found that two people are one; another decides."""

    id: UUID
    survivor: PersonId
    merged: PersonId
    reason: bytes | None
    """Why, sealed with the merged person's key; None where one of both was erased."""
    asked_by: PersonId
    asked_at: datetime
    decided_by: PersonId | None = None
    decided_at: datetime | None = None
    approved: bool | None = None


class Portal(StrEnum):
    """Which of our sites a session belongs to."""

    BRAND = "brand"
    STREAMER = "streamer"
    PLAYER = "player"
    ADMIN = "admin"


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    TOKEN_REUSED = "token_reused"  # noqa: S105  # a reason, not a secret
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # a reason, not a secret
    BANNED = "banned"
    IDENTITY_CHANGED = "identity_changed"
    MERGED = "merged"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in on one device; the family of its refresh tokens."""

    id: SessionId
    person: PersonId
    portal: Portal
    created_at: datetime
    authenticated_at: datetime
    last_used_at: datetime
    expires_at: datetime
    second_factor_at: datetime | None = None
    stepped_up_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: SessionEnd | None = None
    impersonator: PersonId | None = None
    through: SessionId | None = None
    """The session of staff in which the impersonator began it; this one does not outlive that."""

    def living(self, now: datetime) -> bool:
        """Whether it may still be used: not ended, not past its time, and not idle where staff uses it."""
        is_staffs = self.portal is Portal.ADMIN or self.impersonator is not None
        idle = is_staffs and now - self.last_used_at > STAFF_IDLE
        return self.ended_at is None and now < self.expires_at and not idle

    def ended(self, now: datetime, reason: SessionEnd) -> "Session":
        """The session after its end; an end that was before stays."""
        return self if self.ended_at else replace(self, ended_at=now, end_reason=reason)


class SignedOutError(Exception):
    """The session is not to be used any more. Its text may be told to whoever sent the token."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides what a session may do: read at once, kept in memory, forgotten when any of it changes."""

    session: Session
    status: PersonStatus
    staff_role: StaffRole | None = None
    permissions: frozenset[Permission] = frozenset()
    networks: tuple[str, ...] = ()
    """Networks in CIDR notation from which staff may work; none: only this machine itself."""
    brands: Mapping[BrandId, BrandRole] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    is_streamer: bool = False
    also: frozenset[PersonId] = frozenset()
    """People who were merged into this one."""
    is_unreachable: bool = False

    def actor(self, now: datetime, origin: Origin | None) -> Actor:
        """Who is calling. Raises `SignedOutError`. Staff rights stand only behind second factor, portal and network."""
        session = self.session
        if self.status is not PersonStatus.ACTIVE or not session.living(now):
            raise SignedOutError("Your session has ended; sign in again.")
        if session.impersonator is not None and not self._allows(origin):
            raise SignedOutError("Staff may not work from here.")
        staffed = (
            self.staff_role is not None
            and session.portal is Portal.ADMIN
            and session.second_factor_at is not None
            and self._allows(origin)
        )
        return Actor(
            session.person,
            session.id,
            self.staff_role if staffed else None,
            self.permissions if staffed else frozenset(),
            self.brands,
            self.is_streamer,
            self.also,
            session.impersonator,
            self.is_unreachable,
            session.stepped_up_at + STEP_UP_LIFETIME if session.stepped_up_at else None,
            session.authenticated_at,
            origin,
            session.portal,
        )

    def _allows(self, origin: Origin | None) -> bool:
        """Whether staff may work from there."""
        return origin is None or within(self.networks, origin.address)


class SecondFactor(StrEnum):
    """What a person may prove themselves with beside their first means."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


class TicketPurpose(StrEnum):
    """What a single-use token is good for. One made for a purpose is no good for any other."""

    CONFIRM_SIGN_UP = "confirm_sign_up"
    VERIFY_MAIL = "verify_mail"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a purpose, not a secret
    SECOND_FACTOR = "second_factor"
    STEP_UP_CODE = "step_up_code"
    PASSKEY_CHALLENGE = "passkey_challenge"
    PROVIDER_JOURNEY = "provider_journey"
    USED_PROOF = "used_proof"
    INVITATION = "invitation"
    EXPORT_DOWNLOAD = "export_download"
    PLATFORM_JOURNEY = "platform_journey"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A single-use token as it is kept: by its digest, never itself."""

    digest: bytes
    purpose: TicketPurpose
    created_at: datetime
    expires_at: datetime
    person: PersonId | None = None
    session: SessionId | None = None
    body: bytes | None = None
    """What it stands for; sealed where it is personal."""
    used_at: datetime | None = None
    tries: int = 0

    def good(self, now: datetime, purpose: TicketPurpose) -> bool:
        """Whether it may be used, for this, now."""
        return self.purpose is purpose and self.used_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Identity:
    """One way in which a person may sign in."""

    id: UUID
    person: PersonId
    provider: str
    subject: str | None
    """The provider's own id of the person (for a password the address); None where it cannot be read any more."""
    created_at: datetime
    last_used_at: datetime | None = None
