"""Looking up who an erased person was, as long as law keeps it: for who asks in law's name, and never unseen."""

import json
from dataclasses import dataclass
from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed
from domain.identity.privacy import RetentionReason
from domain.identity.privacy_stores import PrivacyPorts
from domain.identity.refusals import UnknownPerson
from domain.identity.shredding import RETAINED
from domain.identity.staff import check
from domain.ids import PersonId
from domain.refusal import Refusal
from domain.rights import Permission
from domain.vault import Sealed


@dataclass(frozen=True, slots=True)
class Retained:
    """Who an erased person was."""

    person: PersonId
    name: str | None
    mail: str | None
    since: datetime
    """When they had come."""
    until: datetime
    """When this goes, too."""
    reasons: tuple[RetentionReason, ...]


async def look_up_retained(ports: PrivacyPorts, actor: Actor, person: PersonId, reason: str) -> Retained | Refusal:
    """Read what law keeps of an erased person. Its door: the admin portal's mutation.

    It takes the permission to read the audit log, a reason, and a fresh code; and it is written down whoever looks.
    """
    if refusal := check(ports, actor, Permission.ACCESS_AUDIT, reason):
        return refusal
    async with ports.work() as work:
        kept = await work.erasures.retained(person)
        if kept is None or kept.until <= ports.clock():
            return UnknownPerson()
        await work.record(Deed("person.retained_read", f"person:{person}", actor, reason=reason))
    (text,) = await ports.vault.open([Sealed(kept.custodian, RETAINED, kept.body)])
    if text is None:
        return UnknownPerson()
    told = json.loads(text)
    since = datetime.fromisoformat(told["since"])
    return Retained(person, told["name"], told["mail"], since, kept.until, kept.reasons)
