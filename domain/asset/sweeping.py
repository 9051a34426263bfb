"""What nobody finishes is given up, and what is not to be kept is deleted. Its door: the schedule."""

from datetime import datetime, timedelta
from typing import Final

from domain.asset.model import State, Step
from domain.asset.ports import AssetPorts, Clearing
from domain.ids import AssetId
from domain.work import Swept

_MOST: Final = 200
"""Uploads in one sweep; others wait for the next."""
_LATECOMERS: Final = timedelta(minutes=10)
"""A file whose sending began in time may still come in."""


async def sweep_uploads(ports: AssetPorts, now: datetime) -> Swept:
    """Give up uploads whose time is over, then delete what is not to be kept. Many may run at once."""
    swept = Swept()
    async with ports.work() as work:
        overdue = await work.assets.overdue(now, _MOST)
    for id_ in overdue:
        await _expire(ports, id_, now)
    for clearing in await ports.reads.to_clear(now - _LATECOMERS, _MOST):
        swept.looked_at += 1
        try:
            await _clear(ports, clearing)
        except Exception as error:  # noqa: BLE001  # one file's trouble must not keep the others
            swept.failed.append((str(clearing.id), error))
    return swept


async def _expire(ports: AssetPorts, id_: AssetId, now: datetime) -> None:
    async with ports.work() as work:
        asset = await work.assets.lock(id_)
        expired = asset.decided(Step.EXPIRE, now, None, ()) if asset and asset.state is State.AWAITED else None
        if expired is not None:
            await work.assets.save(expired)


async def _clear(ports: AssetPorts, clearing: Clearing) -> None:
    await ports.files.discard(clearing.id, everything=clearing.everything)
    async with ports.work() as work:
        await work.assets.cleared(clearing.id)
