"""What is raised on overlays: shown once, one after the other, and nothing lost while a page was away for a while.

Doors: the mutation of the streamer portal, which sends one to look at.
"""

import json
from typing import Final

from domain.actor import Actor
from domain.errors import KeyDestroyedError
from domain.identity.refusals import NotWhileImpersonating, TooManyTries, UnknownPerson
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.overlay.actions import is_line, own_overlay
from domain.overlay.events import OverlayAlertRaised
from domain.overlay.model import AlertKind, KeptOverlay, Notice, OverlayId
from domain.overlay.ports import OverlayPorts
from domain.overlay.refusals import OverlayNotFound, OverlayRefused
from domain.quotas import OVERLAY_TEST
from domain.refusal import Refusal

ALERT_FIELD: Final = "overlay_alert"
"""As what the vault seals what an alert says."""

LONGEST_NAME: Final = 50
LONGEST_MESSAGE: Final = 200
_TIP: Final = Money.whole(50_000, Currency.IDR)
"""What a tip comes to that nobody gave."""


async def send_test(
    ports: OverlayPorts, actor: Actor, id_: OverlayId, kind: AlertKind, name: str, message: str
) -> OverlayId | Refusal:
    """Raise something on an overlay of the actor's, to look at: it moves no money. Its door: the mutation."""
    if refusal := _refused(actor, name, message):
        return refusal
    known = (await ports.overlays.overlays([id_])).get(id_)
    if known is None or known.person not in actor.people:
        return OverlayNotFound()
    taken = await ports.quotas.take(OVERLAY_TEST, str(actor.person))
    if not taken.allowed:
        return TooManyTries("You sent many tests: let them be shown first.", taken.retry_after_s)
    notice = Notice(kind, name, message, _TIP if kind is AlertKind.TIP else None)
    try:
        body = await ports.vault.seal(known.person, ALERT_FIELD, written(notice))
    except KeyDestroyedError:
        return UnknownPerson()
    async with ports.work() as work:
        kept = await own_overlay(work, actor, id_)
        if not isinstance(kept, KeptOverlay):
            return kept
        sequence = await work.overlays.raise_alert(id_, body, ports.clock(), is_test=True)
        await work.emit(OverlayAlertRaised(uuid7(), id_, sequence))
    return id_


def _refused(actor: Actor, name: str, message: str) -> Refusal | None:
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    if not is_line(name, LONGEST_NAME):
        return OverlayRefused(f"A name has 1 to {LONGEST_NAME} characters, and no space around it.", "name")
    if message and not is_line(message, LONGEST_MESSAGE):
        return OverlayRefused(f"A message has at most {LONGEST_MESSAGE} characters, in one line.", "message")
    return None


def written(notice: Notice) -> str:
    """What an alert says, as it is sealed."""
    amount = notice.amount
    paid = [amount.minor, amount.currency.value] if amount else None
    return json.dumps({"kind": notice.kind, "name": notice.name, "message": notice.message, "amount": paid})


def read(text: str) -> Notice:
    """What `written` wrote."""
    found = json.loads(text)
    paid = found["amount"]
    amount = Money(paid[0], Currency(paid[1])) if paid else None
    return Notice(AlertKind(found["kind"]), found["name"], found["message"], amount)
