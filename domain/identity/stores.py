"""What identity keeps: its rows inside a unit of work. Personal texts come in sealed, as the vault made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.factor_stores import SecondFactors
from domain.identity.mail_stores import LetterQueue, Mailboxes, MailRequests, SentExports
from domain.identity.model import (
    Locale,
    MergeRequest,
    PersonStatus,
    Session,
    SessionEnd,
    Ticket,
    TicketPurpose,
)
from domain.identity.staff_stores import Members
from domain.ids import PersonId, SessionId
from domain.work import Work


@dataclass(frozen=True, slots=True)
class KeptRefresh:
    """A refresh token as it is kept, with its session; both locked."""

    session: Session
    issued_at: datetime
    expires_at: datetime
    spent_at: datetime | None
    status: PersonStatus


class People(Protocol):
    """People and their identities inside a unit of work. Personal texts come in sealed, as the vault made them."""

    async def add(
        self,
        person: PersonId,
        locale: Locale,
        *,
        name: bytes | None,
        mail: bytes | None,
        mail_index: bytes | None,
        mail_verified_at: datetime | None,
    ) -> None:
        """Store a new person."""
        ...  # fmt: skip

    async def lock(self, person: PersonId) -> PersonStatus | None:
        """Be alone with a person until the unit of work ends, and learn their status; None if there is no such."""
        ...

    async def set_status(
        self,
        person: PersonId,
        status: PersonStatus,
        *,
        reason: bytes | None = None,
        survivor: PersonId | None = None,
    ) -> None:
        """Change a person's status."""
        ...  # fmt: skip

    async def set_mail(self, person: PersonId, mail: bytes, mail_index: bytes, verified_at: datetime | None) -> None:
        """Change a person's address."""
        ...

    async def add_identity(
        self, id_: UUID, person: PersonId, provider: str, subject_index: bytes, subject: bytes
    ) -> bool:
        """Link a way of signing in; False when the provider's subject belongs to somebody already."""
        ...

    async def find_identity(self, provider: str, subject_index: bytes) -> tuple[UUID, PersonId] | None:
        """Whose identity it is."""
        ...

    async def count_identities(self, person: PersonId) -> int:
        """How many ways of signing in a person has."""
        ...

    async def remove_identity(self, person: PersonId, id_: UUID) -> bool:
        """Unlink; False if the person has no such identity."""
        ...

    async def use_identity(self, id_: UUID, now: datetime) -> None:
        """Note that it was signed in with."""
        ...

    async def password_hash(self, person: PersonId) -> str | None:
        """The hash of a person's password; None where they have none."""
        ...

    async def set_password(self, person: PersonId, hash_: str) -> None:
        """Keep the hash of a new password."""
        ...


class SessionStore(Protocol):
    """Sessions and refresh tokens inside a unit of work."""

    async def add(self, session: Session, origin: bytes | None) -> None:
        """Store a new session; its origin sealed."""
        ...

    async def lock(self, session: SessionId) -> Session | None:
        """A session, locked."""
        ...

    async def mark(
        self,
        session: SessionId,
        *,
        used_at: datetime | None = None,
        second_factor_at: datetime | None = None,
        stepped_up_at: datetime | None = None,
        authenticated_at: datetime | None = None,
    ) -> None:
        """Set what is given."""
        ...  # fmt: skip

    async def end(
        self,
        person: PersonId,
        now: datetime,
        reason: SessionEnd,
        *,
        only: SessionId | None = None,
        but: SessionId | None = None,
    ) -> Sequence[SessionId]:
        """End all living sessions of a person (with those that look through their eyes), one, or all but one."""
        ...  # fmt: skip

    async def add_token(self, digest: bytes, session: SessionId, issued_at: datetime, expires_at: datetime) -> None:
        """Store a refresh token; one that is there stays as it is."""
        ...

    async def lock_by_token(self, digest: bytes) -> KeptRefresh | None:
        """A refresh token and its session, locked."""
        ...

    async def spend(self, digest: bytes, now: datetime) -> None:
        """Note that a refresh token was used."""
        ...

    async def forget_expired_tokens(self, before: datetime) -> None:
        """Delete refresh tokens that expired before then."""
        ...

    async def forget_old(self, before: datetime) -> None:
        """Delete sessions that were over before then, and that no token and no other session refers to."""
        ...


class Tickets(Protocol):
    """Single-use tokens inside a unit of work."""

    async def add(self, ticket: Ticket) -> bool:
        """Store a ticket; False when one of this digest is there already (a proof that was used before)."""
        ...

    async def lock(self, digest: bytes) -> Ticket | None:
        """A ticket, locked."""
        ...

    async def lock_open(self, session: SessionId, purpose: TicketPurpose) -> Ticket | None:
        """A session's newest unused ticket of a purpose, locked."""
        ...

    async def use(self, digest: bytes, now: datetime) -> None:
        """Note that it was used."""
        ...

    async def count_try(self, digest: bytes) -> int:
        """Count a guess, and answer how many there were."""
        ...

    async def withdraw(self, person: PersonId, purpose: TicketPurpose, *, kept: int = 0) -> None:
        """Delete a person's unused tickets of a purpose, but for so many of the newest."""
        ...


class Merges(Protocol):
    """Requests to join two people, and joining them, inside a unit of work."""

    async def add(self, request: MergeRequest) -> bool:
        """Store a request; False when there is an open one for the same merged person."""
        ...

    async def lock(self, id_: UUID) -> MergeRequest | None:
        """A request, locked."""
        ...

    async def decide(self, id_: UUID, by: PersonId, now: datetime, *, approved: bool) -> None:
        """Note what was decided."""
        ...

    async def join(self, survivor: PersonId, merged: PersonId, subjects: Mapping[UUID, bytes]) -> None:
        """Give the survivor the merged person's identities (their subjects sealed anew), memberships and own merges.

        A password goes over where the survivor has none; second factors do not, and open exports are over.
        """
        ...


class IdentityWork(Work, Protocol):
    """A unit of work as identity needs it."""

    @property
    def people(self) -> People:
        """People."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Sessions."""
        ...

    @property
    def tickets(self) -> Tickets:
        """Single-use tokens."""
        ...

    @property
    def second_factors(self) -> SecondFactors:
        """Second factors."""
        ...

    @property
    def merges(self) -> Merges:
        """Joining people."""
        ...

    @property
    def members(self) -> Members:
        """Memberships."""
        ...

    @property
    def mailboxes(self) -> Mailboxes:
        """Addresses."""
        ...

    @property
    def mail_requests(self) -> MailRequests:
        """Requests for mail."""
        ...

    @property
    def exports(self) -> SentExports:
        """Exports."""
        ...

    @property
    def letters(self) -> LetterQueue:
        """Letters that wait."""
        ...
