"""Sessions of overlays: one for each time that a page connects, by which what it saw is told apart and believed.

A session is not kept: its id and the nonce that signs it are told to the page in its scene, and the page brings both
with every report. Nobody makes a nonce without our key, none is good for another overlay, and with a new token all
former ones are bad. Whoever reports must come as that overlay, too, so that one which is off reports nothing.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from domain.clock import Clock
from domain.ids import uuid7
from domain.overlay.model import Screen
from domain.vault import Vault

_SCOPE: Final = "overlay_session"
_LENGTH: Final = 32
_SPAN: Final = 40


@dataclass(frozen=True, slots=True)
class OverlaySession:
    """One connection of a page."""

    id: UUID
    opened_at: datetime

    @property
    def text(self) -> str:
        """What a page calls it."""
        return f"{self.id.hex}{int(self.opened_at.timestamp()):0{_SPAN - _LENGTH}x}"


@dataclass(frozen=True, slots=True)
class SignedSession:
    """A session, and the nonce that shows that it is one of ours."""

    session: OverlaySession
    nonce: str


def open_session(vault: Vault, clock: Clock, screen: Screen) -> SignedSession:
    """Begin a session of an overlay. Its door: the subscription that tells its scene."""
    session = OverlaySession(uuid7(), clock().replace(microsecond=0))
    return SignedSession(session, _nonce(vault, screen, session.text))


def believed(vault: Vault, screen: Screen, id_: str, nonce: str) -> OverlaySession | None:
    """The session that an overlay says it reports from; None where it is none of ours, or not that overlay's.

    Its door: the mutation that takes reports.
    """
    if not (id_.isascii() and nonce.isascii()):
        return None
    if not hmac.compare_digest(_nonce(vault, screen, id_).encode(), nonce.encode()):
        return None
    opened_at = datetime.fromtimestamp(int(id_[_LENGTH:], 16), UTC)
    return OverlaySession(UUID(hex=id_[:_LENGTH]), opened_at)


def _nonce(vault: Vault, screen: Screen, id_: str) -> str:
    return vault.index(_SCOPE, f"{screen.overlay} {screen.digest.hex()} {id_}").hex()
