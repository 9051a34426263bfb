"""Addresses of what overlays show that is no text: each is good for one overlay with its present token, and one thing.

An address says nothing of whether the thing is shown at the moment: its door looks each time.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final
from uuid import UUID

from domain.overlay.model import OverlayId, Screen
from domain.overlay.ports import OverlayPorts
from domain.vault import Vault

_FORM: Final = re.compile(r"([0-9a-f]{32})-([0-9a-f]{32})-[A-Za-z0-9_-]{43}", re.ASCII)


def media_address(vault: Vault, screen: Screen, creative: UUID) -> str:
    """The address at which an overlay fetches a thing that it shows, by its last part. Nobody can make one up."""
    proof = vault.index("overlay_media", f"{screen.overlay} {screen.digest.hex()} {creative}")
    return f"{screen.overlay.hex}-{creative.hex}-{urlsafe_b64encode(proof).decode().rstrip('=')}"


async def asked_by(ports: OverlayPorts, address: str) -> tuple[Screen, UUID] | None:
    """Whose address it is, and of what; None where it is none of ours, or that overlay is off or has another token.

    Its door: where overlays fetch what they show.
    """
    read = _FORM.fullmatch(address)
    if read is None:
        return None
    overlay, creative = OverlayId(UUID(hex=read[1])), UUID(hex=read[2])
    screen = (await ports.overlays.screens([overlay])).get(overlay)
    if screen is None or not screen.is_on:
        return None
    right = hmac.compare_digest(media_address(ports.vault, screen, creative), address)
    return (screen, creative) if right else None
