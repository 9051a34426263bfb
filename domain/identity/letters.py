"""Letters on their way: queued with what happened, readable only with their reader's key, and sent by a job."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from domain.errors import KeyDestroyedError
from domain.identity.mail import (
    AlreadyRegistered,
    ConfirmSignUp,
    FactorChange,
    IdentityChange,
    IdentityChanged,
    MailUndeliverableError,
    Occasion,
    ResetPassword,
    StepUpCode,
    VerifyAddress,
)
from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import LINK_LIFETIME, Locale
from domain.identity.one_time_codes import MAIL_CODE_LIFETIME
from domain.identity.ports import IdentityPorts
from domain.identity.provider import Provider
from domain.ids import PersonId, uuid7
from domain.vault import PLATFORM, Sealed
from domain.work import Swept

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 10, 20, 60, 120, 240, 480))
"""After each attempt, before the next. The first is longer than any attempt takes: none is made twice at once."""

_FIELD: Final = "letter"
_AT_ONCE: Final = 16
_MOST_ROUNDS: Final = 50
_KINDS: Final[Mapping[str, type]] = {kind.__name__: kind for kind in get_args(Occasion)}
_READ: Final[Mapping[Any, Callable[[str], object]]] = {
    str: str, datetime: datetime.fromisoformat, FactorChange: FactorChange,
    IdentityChange: IdentityChange, Provider: Provider,
}  # fmt: skip
_USELESS_AFTER: Final[Mapping[type, timedelta]] = {
    ConfirmSignUp: LINK_LIFETIME,
    AlreadyRegistered: LINK_LIFETIME,
    VerifyAddress: LINK_LIFETIME,
    ResetPassword: LINK_LIFETIME,
    StepUpCode: MAIL_CODE_LIFETIME,
}
"""A link or code that is no good any more is not sent."""


async def queued_letter(
    ports: IdentityPorts, person: PersonId, to: str, locale: Locale, occasion: Occasion
) -> QueuedLetter:
    """A letter, sealed before the unit of work that puts it into `work.letters`. Raises `KeyDestroyedError`.

    Who only signs up has no key yet: theirs is sealed with nobody's.
    """
    told = {part.name: getattr(occasion, part.name) for part in fields(occasion)}
    written = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
    name, text = type(occasion).__name__, json.dumps({"to": to, "occasion": written})
    body = await ports.vault.seal(_owner(name, person), _FIELD, text)
    return QueuedLetter(uuid7(), person, name, locale, ports.clock(), body)


def _owner(occasion: str, person: PersonId) -> PersonId:
    """With whose key a letter is sealed."""
    return PLATFORM if occasion == ConfirmSignUp.__name__ else person


async def send_letters(ports: IdentityPorts, now: datetime) -> Swept:
    """Send every letter that is due. Its door: the schedule; many may run at once.

    A letter is marked as sent after it was sent: a process that dies between the two sends it once more, under the
    same Message-ID, which is the letter's id, and mail programs show it once. Nothing is sent twice otherwise, and
    nothing is lost.
    """
    swept = Swept()
    for _ in range(_MOST_ROUNDS):
        async with ports.work() as work:
            due = await work.letters.claim(now, _AT_ONCE, PAUSES)
        if not due:
            break
        failures = await asyncio.gather(*(_deal(ports, each) for each in due))
        swept.looked_at += len(due)
        swept.failed += [(str(each.id), error) for each, error in zip(due, failures, strict=True) if error is not None]
    return swept


async def _deal(ports: IdentityPorts, queued: QueuedLetter) -> Exception | None:
    """Send one letter, or give it up; what went wrong, if anything did."""
    try:
        sent = await _send(ports, queued)
    except MailUndeliverableError as error:
        await _mark(ports, queued, sent=False)
        return error
    except Exception as error:  # noqa: BLE001  # one letter's trouble, even a bug of ours, must not keep the others
        if queued.attempts > len(PAUSES):
            await _mark(ports, queued, sent=False)
        return error
    await _mark(ports, queued, sent=sent)
    return None


async def _send(ports: IdentityPorts, queued: QueuedLetter) -> bool:
    """Send a letter; False for one that helps nobody any more: its reader was erased, or its link is too old."""
    (text,) = await ports.vault.open([Sealed(_owner(queued.occasion, queued.person), _FIELD, queued.body)])
    if text is None:
        return False
    occasion, to = _read(queued.occasion, text)
    lifetime = _USELESS_AFTER.get(type(occasion))
    if lifetime is not None and ports.clock() - queued.created_at > lifetime:
        return False
    await ports.mailer.send(ports.wording.word(occasion, to, queued.locale, queued.id))
    return True


async def _mark(ports: IdentityPorts, queued: QueuedLetter, *, sent: bool) -> None:
    async with ports.work() as work:
        mark = work.letters.sent if sent else work.letters.failed
        await mark(queued.id, ports.clock())


def _read(name: str, text: str) -> tuple[Occasion, str]:
    found, kind = json.loads(text), _KINDS[name]
    told = {part.name: _READ[part.type](found["occasion"][part.name]) for part in fields(kind)}
    return kind(**told), found["to"]


async def letter_to(
    ports: IdentityPorts, person: PersonId, occasion: Occasion, *, proven: bool = False
) -> QueuedLetter | None:
    """A letter to the address that a person has, sealed; None where they have none, or were erased.

    Where it must be `proven`, also None for an address that nobody confirmed.
    """
    found = (await ports.people.people([person])).get(person)
    if found is None or found.mail is None or (proven and found.mail_verified_at is None):
        return None
    try:
        return await queued_letter(ports, person, found.mail, found.locale, occasion)
    except KeyDestroyedError:
        return None


async def letter_of_identity(
    ports: IdentityPorts, person: PersonId, change: IdentityChange, provider: Provider
) -> QueuedLetter | None:
    """What tells a person of a change in how they sign in; None where no address is surely theirs."""
    told = IdentityChanged(change, provider, ports.clock(), ports.pages.identities)
    return await letter_to(ports, person, told, proven=True)
