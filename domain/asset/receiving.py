"""Which upload a token is for. Its door: where files come in over HTTP."""

from domain.asset.model import Asset
from domain.asset.ports import AssetPorts


async def awaited_by(ports: AssetPorts, token: str) -> Asset | None:
    """The upload that a token was given out for; None for one that is too old, finished, or was never ours."""
    asset = await ports.reads.awaited(ports.opaque_tokens.digest(token))
    return asset if asset is not None and ports.clock() < asset.upload_until else None
