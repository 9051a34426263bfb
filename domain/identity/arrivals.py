"""Where sessions begin: kept sealed with each, and told to the person by a letter where they were not seen before."""

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from domain.actor import Origin
from domain.errors import KeyDestroyedError
from domain.identity.letters import queued_letter
from domain.identity.mail import NewSignIn
from domain.identity.mail_stores import QueuedLetter
from domain.identity.ports import IdentityPorts
from domain.ids import PersonId

_SIGHT: Final = {4: 24, 6: 48}
"""Bits of an address that stay when a provider gives its customer another."""
_VERSIONS: Final = re.compile(r"[\d._]+")
_UUID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where somebody comes from who is about to get a session, ready for its unit of work."""

    origin: Origin | None = None
    sealed: bytes | None = None
    letter: QueuedLetter | None = None
    """Tells them, if it is new."""


async def arrival(ports: IdentityPorts, person: PersonId, origin: Origin | None) -> Arrival:
    """Where a person comes from who proved who they are; before the unit of work, for seals take time."""
    if origin is None:
        return Arrival()
    return Arrival(origin, await sealed_origin(ports, person, origin), await _news(ports, person, origin))


async def sealed_origin(ports: IdentityPorts, person: PersonId, origin: Origin | None) -> bytes | None:
    """Where a session is used from, sealed for its row: device and address, a line each."""
    if origin is None:
        return None
    try:
        return await ports.vault.seal(person, "origin", f"{origin.address}\n{origin.device}")
    except KeyDestroyedError:
        return None


async def _news(ports: IdentityPorts, person: PersonId, origin: Origin) -> QueuedLetter | None:
    """A letter where this device, in this network, is new; None for the first session ever, or an address unproven.

    Its id follows from the person, device and network: of two who arrive at once only one's letter gets into the queue.
    """
    known = (await ports.people.people([person])).get(person)
    if known is None or known.mail is None or known.mail_verified_at is None:
        return None
    here, seen = place_of(origin.address, origin.device), await ports.people.places_of(person)
    if not seen or any(place_of(address, device) == here for address, device in seen):
        return None
    told = NewSignIn(origin.device, origin.address, ports.clock(), ports.pages.sessions)
    try:
        letter = await queued_letter(ports, person, known.mail, known.locale, told)
    except KeyDestroyedError:
        return None
    digest = ports.vault.index("new_sign_in", "\n".join((str(person), *here)))
    return replace(letter, id=UUID(bytes=digest[:_UUID_BYTES]))


def place_of(address: str, device: str) -> tuple[str, str]:
    """What makes two places the same: the network, and the device whatever version its programs have."""
    try:
        found = ip_address(address)
        network = str(ip_network((found.packed, _SIGHT[found.version]), strict=False))
    except ValueError:
        network = address
    return network, _VERSIONS.sub("", device)
