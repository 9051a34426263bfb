"""The audit log, as staff reads it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Self

import strawberry

from domain import audit_log
from domain.audit_log import Detail, KeptDeed
from gql.access import Right, field
from gql.paging import cursor_of
from gql.scalars import Cursor
from gql.staff.types import Person
from gql.weights import at_most

AUDIT_LOG = "audit-log"
"""Whose cursors these are."""


@strawberry.type(description="One thing that a deed found or left.")
class DeedDetail:
    """A name and a value."""

    name: str = field(Right.PARENT, "What it is.")
    value: str = field(Right.PARENT, "Its value, as JSON writes it.")


@strawberry.type(description="A line of the audit log. It never changes; what is personal of it may become unreadable.")
class Deed:
    """A line of the audit log."""

    kept: strawberry.Private[KeptDeed]

    @field(Right.PARENT, "When it was written down.")
    def recorded_at(self) -> datetime:
        """When it was written down."""
        return self.kept.recorded_at

    @field(Right.PARENT, "What was done: `session.revoked`, `staff.role_changed`.")
    def action(self) -> str:
        """What was done."""
        return self.kept.action

    @field(Right.PARENT, "To what, as kind and id: `person:<uuid>`, `role:support`.")
    def target(self) -> str:
        """To what."""
        return self.kept.target

    @field(Right.PARENT, "Who did it; null for somebody unknown, a command or a job.")
    def actor(self) -> Person | None:
        """Who did it."""
        return Person(key=self.kept.actor) if self.kept.actor else None

    @field(Right.PARENT, "The member of staff who looked through the actor's eyes, if one did.")
    def impersonator(self) -> Person | None:
        """Who looked through the actor's eyes."""
        return Person(key=self.kept.impersonator) if self.kept.impersonator else None

    @field(Right.PARENT, "About whom it is.")
    def about(self) -> Person | None:
        """About whom it is."""
        return Person(key=self.kept.about) if self.kept.about else None

    @field(Right.PARENT, "The request that it was part of.")
    def request_id(self) -> str | None:
        """The request that it was part of."""
        return self.kept.request_id

    @field(Right.PARENT, "The network address that it came from; null where it is not known, or was erased.")
    def place(self) -> str | None:
        """The address that it came from."""
        return self.kept.origin.address if self.kept.origin else None

    @field(Right.PARENT, "What the device calls itself; null where it is not known, or was erased.")
    def device(self) -> str | None:
        """What the device calls itself."""
        return self.kept.origin.device if self.kept.origin else None

    @field(Right.PARENT, "What was before; null where it was erased.", list_size=at_most(20))
    def before(self) -> list[DeedDetail] | None:
        """What was before."""
        return _shown(self.kept.told.before) if self.kept.told else None

    @field(Right.PARENT, "What was after; null where it was erased.", list_size=at_most(20))
    def after(self) -> list[DeedDetail] | None:
        """What was after."""
        return _shown(self.kept.told.after) if self.kept.told else None

    @field(Right.PARENT, "Why; null where it was erased.")
    def reason(self) -> str | None:
        """Why."""
        return self.kept.told.reason if self.kept.told else None

    @field(Right.PARENT, "Whether something of it was somebody's who is erased.")
    def erased(self) -> bool:
        """Whether something of it is unreadable for ever."""
        return self.kept.erased


@strawberry.type(description="What the sealed chain says of a part of the audit log.")
class AuditLogVerification:
    """What the sealed chain says."""

    intact: bool = field(
        Right.PARENT, "Every line is what and where it was when it was sealed; none is missing, none was put in."
    )
    deeds: int = field(Right.PARENT, "How many lines were held against the chain.")
    unsealed: int = field(Right.PARENT, "How many of them are too fresh to be sealed: the chain says nothing of them.")
    first_wrong: str | None = field(Right.PARENT, "The first line that is wrong or missing, in words.")
    next: Cursor | None = field(
        Right.PARENT, "Where to go on, as `oldest`; null where there is no more of what was asked for."
    )

    @classmethod
    def of(cls, found: audit_log.Verification) -> Self:
        """Show what was found."""
        return cls(
            intact=found.intact,
            deeds=found.deeds,
            unsealed=found.unsealed,
            first_wrong=found.first_wrong,
            next=None if found.next is None else cursor_of(AUDIT_LOG, found.next),
        )


def _shown(details: Mapping[str, Detail]) -> list[DeedDetail]:
    return [DeedDetail(name=name, value=json.dumps(value)) for name, value in details.items()]
