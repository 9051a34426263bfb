"""What is kept of requests for mail, of letters that wait, and of the addresses that people sign in with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.identity.model import Locale
from domain.ids import PersonId


class MailWish(StrEnum):
    """What somebody wants a mail for."""

    SIGN_UP = "sign_up"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a wish, not a secret
    CHANGE_MAIL = "change_mail"


@dataclass(frozen=True, slots=True)
class MailRequest:
    """Somebody asked for a mail. Nothing in it tells whether the address is known: that is found out afterwards."""

    id: UUID
    wish: MailWish
    mail_index: bytes
    locale: Locale
    created_at: datetime
    person: PersonId | None = None
    """Who names a new address as theirs, and with whose key the body is sealed; that of a sign-up with nobody's."""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class QueuedLetter:
    """A letter that waits to be sent, or to be sent again."""

    id: UUID
    person: PersonId
    occasion: str
    locale: Locale
    created_at: datetime
    body: bytes
    """The address and what the occasion says, sealed with the person's key: nobody's for who is none yet."""
    attempts: int = 0
    """This one included."""


@dataclass(frozen=True, slots=True)
class KeptPassword:
    """The password behind an address."""

    identity: UUID
    person: PersonId
    hash: str


class MailRequests(Protocol):
    """Requests for mail inside a unit of work."""

    async def add(self, request: MailRequest) -> None:
        """Store a request."""
        ...

    async def waiting(self, after: datetime, limit: int, but: Sequence[UUID]) -> Sequence[MailRequest]:
        """Requests made after then that nobody has answered, oldest first, but for these."""
        ...

    async def lock(self, id_: UUID) -> bool:
        """Be alone with a request; False if it is answered, or in other hands."""
        ...

    async def done(self, id_: UUID, now: datetime) -> None:
        """Note that a request was answered, and forget its body."""
        ...

    async def withdraw_changes(self, person: PersonId) -> None:
        """Delete the requests of a person for another address that nobody has answered."""
        ...

    async def stale_candidates(self, before: datetime, limit: int) -> Sequence[PersonId]:
        """Who followed a sign-up's link that expired before then, and never became a person: they may have a key."""
        ...

    async def forget_candidates(self, candidates: Sequence[PersonId]) -> None:
        """Delete their links."""
        ...

    async def forget_old(self, before: datetime) -> None:
        """Delete requests from before then."""
        ...


class LetterQueue(Protocol):
    """Letters inside a unit of work."""

    async def add(self, letter: QueuedLetter) -> None:
        """Let a letter be sent, as soon as this unit of work is committed; one of this id that is there stays."""
        ...

    async def claim(self, now: datetime, limit: int, pauses: Sequence[timedelta]) -> Sequence[QueuedLetter]:
        """Letters that are due, each put off by the pause that follows this attempt; those in other hands are left."""
        ...

    async def sent(self, id_: UUID, now: datetime) -> None:
        """Note that a letter was sent, and forget what was in it."""
        ...

    async def failed(self, id_: UUID, now: datetime) -> None:
        """Give a letter up, and forget what was in it."""
        ...

    async def forget_old(self, before: datetime) -> None:
        """Delete letters from before then that were sent or given up."""
        ...

    async def forget_expired_tickets(self, before: datetime) -> None:
        """Delete tickets that expired before then."""
        ...


class SentExports(Protocol):
    """Exports whose links went to an address, inside a unit of work."""

    async def withdraw(self, person: PersonId) -> None:
        """Let nobody fetch what is ready, and whoever makes one begin anew: its link goes where mail goes from now on.

        The person is locked.
        """
        ...


class Mailboxes(Protocol):
    """Who is behind an address, inside a unit of work."""

    async def owner(self, mail_index: bytes) -> PersonId | None:
        """Who signs in with the address and a password; else the first person whose verified address it is.

        Who was erased, or is one with another by now, does not count.
        """
        ...

    async def password(self, mail_index: bytes) -> KeptPassword | None:
        """The password that an address signs in with."""
        ...

    async def verify(self, person: PersonId, mail_index: bytes, now: datetime) -> None:
        """Note that a person reads the mail of an address, if it is the one that they have."""
        ...

    async def verified(self, person: PersonId) -> bytes | None:
        """The digest of the address that a person proved to read the mail of, if they did."""
        ...

    async def move_password(self, person: PersonId, mail_index: bytes, subject: bytes) -> bool:
        """Let a person's password, if there is one, go with another address.

        False when that is somebody else's: then the unit of work is to be given up.
        """
        ...
