"""What staff reads of others is a deed itself: who people are, where they were, and what was said of them."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.audit_log import Deed, DeedFilter, Deeds, KeptDeed
from domain.errors import NotPermittedError
from domain.identity.ports import IdentityPorts
from domain.ids import PersonId
from domain.rights import Permission

_LONGEST = 200


async def read_audit_log(
    ports: IdentityPorts, deeds: Deeds, actor: Actor, only: DeedFilter, first: int, after: int | None = None
) -> Sequence[KeptDeed]:
    """A page of the audit log. Its door: the admin portal's query. Raises `NotPermittedError`.

    It is written down before anybody gets to see it; the note stands in no page that it is about.
    """
    if not actor.may(Permission.ACCESS_AUDIT):
        raise NotPermittedError(Permission.ACCESS_AUDIT)
    found = await deeds.page(only, first, after)
    asked = {
        "actor": only.actor, "impersonator": only.impersonator, "about": only.about, "target": only.target,
        "action": only.action, "since": only.since and only.since.isoformat(),
        "until": only.until and only.until.isoformat(), "older_than": after,
    }  # fmt: skip
    told = {name: str(value)[:_LONGEST] for name, value in asked.items() if value is not None}
    async with ports.work() as work:
        await work.record(Deed("audit_log.read", "audit_log", actor, after=told))
    return found


async def look_at(ports: IdentityPorts, actor: Actor, people: Sequence[PersonId]) -> None:
    """Write down that staff looks at people, in one deed, before anybody gets to see them. Its doors: staff's fields.

    Whoever looks at themselves leaves no deed.
    """
    others = sorted({*people} - {actor.person})
    if not others:
        return
    if len(others) == 1:
        deed = Deed("person.looked_up", f"person:{others[0]}", actor, about=others[0])
    else:
        named = {f"person_{number}": str(person) for number, person in enumerate(others, 1)}
        deed = Deed("person.looked_up", "people", actor, after=named)
    async with ports.work() as work:
        await work.record(deed)
