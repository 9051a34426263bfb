"""The audit log: who did what, as whom, to what; kept for ever in the sealed chain, personal data only encrypted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from domain.actor import Actor, Origin
from domain.ids import PersonId, uuid7

Detail = str | int | bool | None
_NOTHING: Mapping[str, Detail] = MappingProxyType({})


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
    before: Mapping[str, Detail] = field(default=_NOTHING)
    after: Mapping[str, Detail] = field(default=_NOTHING)
    reason: str = ""
    origin: Origin | None = None
    """Where it came from; the actor's own origin when left out."""
    id: UUID = field(default_factory=uuid7)
