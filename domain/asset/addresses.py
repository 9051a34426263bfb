"""Addresses of files: good for a short while, for whoever holds them, and nobody can make one up."""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from domain.asset.model import ADDRESS_LIFETIME, Asset, Rendition, RenditionName
from domain.asset.ports import AssetPorts
from domain.ids import AssetId
from domain.vault import Vault

_STEP_S: Final = 300
"""Addresses end at full five minutes, so that a browser meets the same one again and need not fetch anew."""
_FORM: Final = re.compile(r"([0-9a-f]{32})-([a-z]{1,20})-([0-9]{1,12})-([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that somebody may fetch."""

    asset: Asset
    rendition: Rendition


def address_of(ports: AssetPorts, asset: Asset, name: RenditionName) -> str | None:
    """Where a file is fetched for the next quarter of an hour; None where there is none of this size."""
    rendition, now = asset.rendition(name), ports.clock()
    if rendition is None:
        return None
    if not asset.rule.is_personal:
        elsewhere = ports.files.address(asset.id, rendition, asset.declared.file_name, now)
        if elsewhere is not None:
            return elsewhere
    until = -(-int((now + ADDRESS_LIFETIME).timestamp()) // _STEP_S) * _STEP_S
    return f"{ports.files.site}/assets/{asset.id.hex}-{name}-{until}-{_proof(ports.vault, asset.id, name, until)}"


async def shown(ports: AssetPorts, address: str) -> Shown | None:
    """The file of an address, by its last part; None for one that is too old, not ours, or of what is gone."""
    read = _FORM.fullmatch(address)
    if read is None or read[2] not in set(RenditionName):
        return None
    id_, name, until = AssetId(UUID(hex=read[1])), RenditionName(read[2]), int(read[3])
    if not hmac.compare_digest(_proof(ports.vault, id_, name, until), read[4]):
        return None
    if ports.clock() >= datetime.fromtimestamp(0, UTC) + timedelta(seconds=until):
        return None
    asset = (await ports.reads.assets([id_])).get(id_)
    rendition = asset.rendition(name) if asset else None
    return Shown(asset, rendition) if asset and rendition else None


def _proof(vault: Vault, id_: AssetId, name: RenditionName, until: int) -> str:
    digest = vault.index("asset_address", f"{id_} {name} {until}")
    return urlsafe_b64encode(digest).decode().rstrip("=")
