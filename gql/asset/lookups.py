"""What batched fields look files up with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.asset.addresses import address_of
from domain.asset.model import Asset, RenditionName
from domain.ids import AssetId
from domain.ports import Ports


@dataclass(frozen=True, slots=True)
class Located:
    """A file, and where it is fetched in each of its sizes."""

    asset: Asset
    addresses: Mapping[RenditionName, str]


async def assets(ports: Ports, ids: Sequence[AssetId | None]) -> Mapping[AssetId | None, Located]:
    """Files by id, whosever they are; nothing for those who have none."""
    known = [id_ for id_ in ids if id_ is not None]
    found = await ports.asset.reads.assets(known) if known else {}
    return {id_: located(ports, asset) for id_, asset in found.items()}


def located(ports: Ports, asset: Asset) -> Located:
    """A file with its addresses, which are good for a short while."""
    addresses = {each.name: address_of(ports.asset, asset, each.name) for each in asset.renditions}
    return Located(asset, {name: address for name, address in addresses.items() if address is not None})
