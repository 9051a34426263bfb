"""The audit log: who did what, as whom, to what; kept for ever in the sealed chain, personal data only encrypted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from domain.actor import Actor, Origin
from domain.ids import PersonId, SessionId, uuid7
from domain.vault import PLATFORM

Detail = str | int | bool | None
_NOTHING: Mapping[str, Detail] = MappingProxyType({})

LONGEST_DETAIL = 1_000
"""Characters of a value in `before` and `after`, and of the reason."""

_SECRETS = ("password", "secret", "token", "code", "hash", "key")
_NO_SECRETS = ("passkey",)


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the audit log. Secrets never stand in it: no password, code, token or key, not even hashed."""

    action: str
    """What was done, past and dotted: `session.revoked`, `role.changed`."""
    target: str
    """To what, as kind and id: `person:<uuid>`, `role:support`."""
    actor: Actor | None = None
    """Who did it; None for somebody unknown (a failed sign-in), a command or a job."""
    about: PersonId | None = None
    """Whose personal data `before` and `after` are: they are encrypted with that person's key. None: with nobody's."""
    before: Mapping[str, Detail] = field(default_factory=lambda: _NOTHING)
    after: Mapping[str, Detail] = field(default_factory=lambda: _NOTHING)
    reason: str = ""
    origin: Origin | None = None
    """Where it came from; the actor's own origin when left out."""
    id: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        """Raises ValueError for a detail that is named like a secret, and for one that is too long for a line."""
        for details in (self.before, self.after):
            for name, value in details.items():
                if _named_like_a_secret(name):
                    raise ValueError(f"{self.action} would keep {name!r} for ever: no secret stands in the audit log")
                if isinstance(value, str) and len(value) > LONGEST_DETAIL:
                    raise ValueError(f"{name!r} of {self.action} has more than {LONGEST_DETAIL} characters")
        if len(self.reason) > LONGEST_DETAIL:
            raise ValueError(f"the reason of {self.action} has more than {LONGEST_DETAIL} characters")

    @property
    def came_from(self) -> Origin | None:
        """Where it came from, as far as anybody knows."""
        return self.origin or (self.actor.origin if self.actor else None)

    @property
    def origin_of(self) -> PersonId:
        """Whose address and device those are: of whoever sat there, else of the person whom it is about.

        Of somebody who guesses and whom nobody knows, they are sealed all the same, with the key of nobody.
        """
        if self.actor is None:
            return self.about or PLATFORM
        return self.actor.impersonator or self.actor.person


def _named_like_a_secret(name: str) -> bool:
    name = name.lower()
    for harmless in _NO_SECRETS:
        name = name.replace(harmless, "")
    return any(secret in name for secret in _SECRETS)


@dataclass(frozen=True, slots=True)
class Told:
    """What a deed changed, and why."""

    before: Mapping[str, Detail]
    after: Mapping[str, Detail]
    reason: str


@dataclass(frozen=True, slots=True)
class KeptDeed:
    """A line of the audit log as it is read back."""

    position: int
    """Its place in the sealed chain, which it shares with the ledger; also the cursor of lists."""
    id: UUID
    recorded_at: datetime
    action: str
    target: str
    actor: PersonId | None
    session: SessionId | None
    impersonator: PersonId | None
    about: PersonId | None
    request_id: str | None
    origin: Origin | None
    """None where it was not known, or is erased."""
    told: Told | None
    """None where it is erased."""
    erased: bool
    """Something personal of it is unreadable for ever: the person was erased. (Or tampered with, as an audit tells.)"""


@dataclass(frozen=True, slots=True)
class DeedFilter:
    """Which deeds of the log; what is left out does not matter."""

    actor: PersonId | None = None
    impersonator: PersonId | None = None
    target: str | None = None
    about: PersonId | None = None
    action: str | None = None
    """The beginning of an action: `role.` finds `role.changed`."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this instant."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What the sealed chain says of a part of the audit log."""

    deeds: int
    """How many were held against it."""
    unsealed: int
    """How many of them are too fresh to be sealed: the chain says nothing of them yet."""
    first_wrong: str | None
    """The first row that is wrong or missing, in words."""
    next: int | None = None
    """The position to go on from, where it stopped before the end; None: there is nothing more to hold against it."""

    @property
    def intact(self) -> bool:
        """Every deed is what and where it was when it was sealed, and none is missing or new among them."""
        return self.first_wrong is None


class Deeds(Protocol):
    """Reads of the audit log."""

    async def page(self, only: DeedFilter, first: int, after: int | None = None) -> Sequence[KeptDeed]:
        """The newest so many deeds, decrypted as far as keys are left; `after`: older ones than at this position."""
        ...

    async def verify(self, first: int | None = None, last: int | None = None, seals: int | None = None) -> Verification:
        """Hold the deeds from one position to another against the sealed chain; None is the beginning or the end.

        It costs as much as the chain between them is long: `seals` is how many of its links to walk along at most.
        """
        ...
