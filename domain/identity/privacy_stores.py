"""What privacy keeps and reads: its rows inside a unit of work, and everything that is a person's, a page at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.audit_log import Deeds
from domain.identity.mail_stores import SentExports
from domain.identity.ports import IdentityPorts
from domain.identity.privacy import Consent, ConsentPurpose, Erasure, Estate, Export, PrivacyPolicy, RetentionReason
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.ledger.ports import Books

Cell = str | int | bool | Decimal | None
Row = Mapping[str, Cell]
"""A line of an export: what it is called, and what it says."""


class Section(StrEnum):
    """What rows an export has of each context; statements and deeds are read by ports of their own."""

    PROFILE = "profile"
    IDENTITIES = "identities"
    SECOND_FACTORS = "second_factors"
    SESSIONS = "sessions"
    CONSENTS = "consents"
    MEMBERSHIPS = "memberships"
    BRAND_CONTACTS = "brand_contacts"
    BRAND_INVITATIONS = "brand_invitations"
    LETTERS = "letters"
    TOP_UPS = "top_ups"
    STREAMER = "streamer"
    PLATFORM_LINKS = "platform_links"
    FILES = "files"
    OVERLAYS = "overlays"
    OVERLAY_ALERTS = "overlay_alerts"
    OVERLAY_STOPS = "overlay_stops"
    PARTICIPATIONS = "participations"
    OFFERS = "offers"
    STREAMS = "streams"
    EARNINGS = "earnings"
    DISPUTES = "disputes"
    MESSAGES = "messages"
    MESSAGE_MARKS = "message_marks"
    MESSAGE_REPORTS = "message_reports"


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """What law keeps of an erased person, sealed with the custodian's key."""

    custodian: PersonId
    body: bytes
    reasons: tuple[RetentionReason, ...]
    until: datetime


class Consents(Protocol):
    """What people agreed to, inside a unit of work; the history only grows."""

    async def latest(self, person: PersonId, purpose: ConsentPurpose) -> Consent | None:
        """The last word of a person on a purpose. The person is locked."""
        ...

    async def add(self, person: PersonId, consent: Consent, origin: bytes | None) -> Consent:
        """Keep one more word; where it came from sealed."""
        ...


class Exports(SentExports, Protocol):
    """Exports inside a unit of work."""

    async def add(self, export: Export) -> bool:
        """Keep a wish; False where the person has an open one."""
        ...

    async def claim(self, now: datetime, until: datetime) -> Export | None:
        """The oldest wish that nobody deals with, for this caller until then; its `run` is one higher than before."""
        ...

    async def add_piece(self, export: Export, number: int, content: bytes, until: datetime) -> bool:
        """Keep a sealed piece and the claim until then; False where another has taken over, or it is over."""
        ...

    async def ready(self, export: Export) -> bool:
        """Keep that it can be fetched; False where another has taken over, or it is over."""
        ...

    async def failed(self, export: Export) -> None:
        """Give it up."""
        ...

    async def lock_ready(self, id_: UUID) -> Export | None:
        """An export that can be fetched, locked."""
        ...

    async def fetched(self, id_: UUID, now: datetime) -> None:
        """Note that somebody begins to fetch it: nobody else will."""
        ...

    async def piece(self, export: Export, number: int) -> bytes | None:
        """A sealed piece; None if it is gone."""
        ...

    async def forget_pieces(self, id_: UUID) -> None:
        """Delete what was to be fetched."""
        ...

    async def expire(self, now: datetime, fetched_before: datetime) -> int:
        """Let go of what was not fetched in time, and delete the pieces of all that is over; how many expired."""
        ...


class Erasures(Protocol):
    """Erasures inside a unit of work."""

    async def open(self, person: PersonId) -> Erasure | None:
        """A person's erasure that is scheduled or begun, locked."""
        ...

    async def add(self, erasure: Erasure) -> None:
        """Schedule. The person is locked and has no open one."""
        ...

    async def keep(self, id_: UUID, now: datetime) -> None:
        """Call it off."""
        ...

    async def lock(self, id_: UUID) -> Erasure | None:
        """An erasure that is neither called off nor done, locked."""
        ...

    async def due(self, now: datetime, after: UUID | None, limit: int) -> Sequence[Erasure]:
        """Erasures whose time has come and that are not done, by their ids."""
        ...

    async def begin(self, id_: UUID, now: datetime, retained_until: datetime | None) -> None:
        """Nobody can change their mind from now on."""
        ...

    async def done(self, id_: UUID, now: datetime) -> None:
        """Nothing can be read any more."""
        ...

    async def merged_into(self, people: Sequence[PersonId]) -> Sequence[PersonId]:
        """Everybody who was found to be one of these people."""
        ...

    async def letter_waits(self, id_: UUID) -> bool:
        """Whether a letter is still to be sent."""
        ...

    async def forget(self, people: Sequence[PersonId]) -> None:
        """Delete or empty everything personal of these people, sealed or not. Their ids stay, and what was paid."""
        ...

    async def retain(
        self, person: PersonId, custodian: PersonId, body: bytes, reasons: Sequence[RetentionReason], until: datetime
    ) -> None:
        """Keep who somebody was as long as law asks, sealed with the custodian's key."""
        ...

    async def retained(self, person: PersonId) -> KeptRecord | None:
        """What law keeps of a person, as long as it does."""
        ...

    async def release(self, now: datetime) -> Sequence[PersonId]:
        """Forget whom law keeps no longer; the people."""
        ...

    async def erased(self, after: PersonId | None, limit: int) -> Sequence[PersonId]:
        """People whose erasure is done, by their ids."""
        ...

    async def released(self, after: PersonId | None, limit: int) -> Sequence[PersonId]:
        """Custodians whose time is over, by their ids."""
        ...


class Estates(Protocol):
    """What people would leave behind, inside a unit of work."""

    async def of(self, people: Sequence[PersonId]) -> Estate:
        """What these people have together; they are one person under several ids."""
        ...


class PrivacyWork(IdentityWork, Protocol):
    """A unit of work as privacy needs it."""

    @property
    def consents(self) -> Consents:
        """What people agreed to."""
        ...

    @property
    def exports(self) -> Exports:
        """Exports."""
        ...

    @property
    def erasures(self) -> Erasures:
        """Erasures."""
        ...

    @property
    def estates(self) -> Estates:
        """What people would leave behind."""
        ...


class PrivacyReads(Protocol):
    """What people see of their privacy, read without locks."""

    async def consents_of(self, people: Sequence[PersonId]) -> Sequence[Consent]:
        """The last word on each purpose of people who are one."""
        ...

    async def consent_history(self, people: Sequence[PersonId], before: int | None, first: int) -> Sequence[Consent]:
        """Every word of people who are one, newest first, from below a position."""
        ...

    async def export_of(self, person: PersonId) -> Export | None:
        """A person's newest export."""
        ...

    async def erasure_of(self, person: PersonId) -> Erasure | None:
        """A person's erasure that is scheduled."""
        ...

    async def estate_of(self, people: Sequence[PersonId]) -> Estate:
        """What people who are one would leave behind."""
        ...

    def rows(self, section: Section, people: Sequence[PersonId]) -> AsyncIterator[Sequence[Row]]:
        """Everything of a section, page by page, readable."""
        ...


class PrivacyPorts(IdentityPorts, Protocol):
    """What privacy's actions are handed."""

    def work(self) -> AbstractAsyncContextManager[PrivacyWork]:
        """Open a unit of work."""
        ...

    @property
    def policy(self) -> PrivacyPolicy:
        """The rules."""
        ...

    @property
    def reads(self) -> PrivacyReads:
        """Privacy, read without locks."""
        ...

    @property
    def books(self) -> Books:
        """Accounts and statements."""
        ...

    @property
    def audit_log(self) -> Deeds:
        """The audit log."""
        ...
