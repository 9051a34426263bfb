"""Finishing an upload: what came is measured and looked into, and only what was looked into is ever handed out.

What is kept is written anew from the very bytes that were checked, in a place that no client can write to: whatever is
sent to the old place afterwards changes nothing. Nothing is decided before all files lie there, so a death on the way
leaves an upload that can be finished again.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

from domain.actor import Actor
from domain.asset.events import AssetReady, AssetRefused
from domain.asset.keeping import sealed_pieces
from domain.asset.model import IMAGES, Asset, Flaw, MediaType, Purpose, Rendition, RenditionName, State, Step
from domain.asset.ports import Arrived, AssetPorts, Made
from domain.asset.refusals import UnknownAsset, UploadExpired, UploadMissing, UploadRefused
from domain.asset.signatures import sniff
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.identity.refusals import NotWhileImpersonating, TooManyTries
from domain.ids import AssetId, derived
from domain.quotas import UPLOAD_FINISHED
from domain.refusal import Refusal

_WORDS: Final[Mapping[Flaw, str]] = {
    Flaw.SIZE: "The file is not as long as you said.",
    Flaw.HASH: "The file is another than you said: its SHA-256 differs.",
    Flaw.TYPE: "The file is not of the type that you said.",
    Flaw.TOO_LARGE: "The picture has too many pixels.",
    Flaw.UNREADABLE: "The picture cannot be read.",
}

Kept = tuple[Rendition, ...]


async def finish_upload(ports: AssetPorts, actor: Actor, id_: AssetId) -> Asset | Refusal:
    """Check the file that came; it is ready then, or refused for good. Its door: the mutation.

    Again, and the answer is the same; of two at once, one decides. As long as nothing came, nothing is decided.
    """
    asset = await _to_finish(ports, actor, id_)
    if isinstance(asset, Refusal) or asset.state is not State.AWAITED:
        return asset
    async with ports.files.arrived(id_, asset.declared.length) as arrived:
        if arrived is None:
            return UploadMissing()
        try:
            found = await _checked(ports, asset, arrived)
        except KeyDestroyedError:
            return UnknownAsset()
    decided = await _decide(ports, actor, asset, found)
    return _told(replace(decided, declared=asset.declared))


async def _to_finish(ports: AssetPorts, actor: Actor, id_: AssetId) -> Asset | Refusal:
    """An upload whose file may be looked into now, or one that is ready; or why there is none."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    asset = (await ports.reads.assets([id_])).get(id_)
    if asset is None or not is_own(actor, asset):
        return UnknownAsset()
    if asset.state is not State.AWAITED:
        return _told(asset)
    if ports.clock() >= asset.upload_until:
        return UploadExpired()
    taken = await ports.quotas.take(UPLOAD_FINISHED, f"person:{actor.person}")
    if not taken.allowed:
        return TooManyTries("You have finished many uploads lately: wait a while.", taken.retry_after_s)
    return asset


def is_own(actor: Actor, asset: Asset) -> bool:
    """Whether somebody may see an asset as whoever sent it does."""
    role = asset.rule.role
    return actor.stands_for(asset.owner, role) if role else asset.owner in actor.owners


def _told(asset: Asset) -> Asset | Refusal:
    """What is answered of a decided upload."""
    if asset.state is State.READY:
        return asset
    if asset.state is State.REFUSED and asset.flaw is not None:
        return UploadRefused(_WORDS[asset.flaw], asset.flaw)
    return UploadExpired() if asset.state is State.EXPIRED else UnknownAsset()


async def _checked(ports: AssetPorts, asset: Asset, arrived: Arrived) -> Flaw | Kept:
    """Keep the files of what came; or what is wrong with it. Raises `KeyDestroyedError`."""
    declared = asset.declared
    if arrived.length != declared.length:
        return Flaw.SIZE
    if arrived.sha256 != declared.sha256:
        return Flaw.HASH
    if sniff(arrived.head, arrived.tail) is not declared.media_type:
        return Flaw.TYPE
    if declared.media_type not in IMAGES:
        whole = Rendition(RenditionName.WHOLE, declared.media_type, arrived.length)
        await _keep(ports, asset, Made(whole, arrived.file))
        return (whole,)
    return await _picture(ports, asset, arrived, declared.media_type)


async def _picture(ports: AssetPorts, asset: Asset, arrived: Arrived, type_: MediaType) -> Flaw | Kept:
    sizes = asset.purpose is not Purpose.BRAND_DOCUMENT
    async with ports.pictures.renditions(arrived.file, type_, sizes=sizes) as made:
        if isinstance(made, Flaw):
            return made
        for each in made:
            await _keep(ports, asset, each)
        return tuple(each.rendition for each in made)


async def _keep(ports: AssetPorts, asset: Asset, made: Made) -> None:
    name = made.rendition.name
    pieces: AsyncIterator[bytes] = ports.files.pieces(made.file)
    if asset.rule.is_personal:
        pieces = sealed_pieces(ports.vault, asset, name, pieces)
    await ports.files.keep(asset.id, name, pieces)


async def _decide(ports: AssetPorts, actor: Actor, asset: Asset, found: Flaw | Kept) -> Asset:
    """Write down what was found, unless somebody was faster: then what they found."""
    flaw = found if isinstance(found, Flaw) else None
    async with ports.work() as work:
        present = await work.assets.lock(asset.id) or asset
        step = Step.REFUSE if flaw else Step.ACCEPT
        decided = present.decided(step, ports.clock(), flaw, () if isinstance(found, Flaw) else found)
        if decided is None:
            return present
        await work.assets.save(decided)
        after = {"owner": asset.owner, "purpose": str(asset.purpose), "type": str(asset.declared.media_type)}
        verdict = "refused" if flaw else "ready"
        target = f"asset:{asset.id}"
        await work.record(
            Deed(f"asset.{verdict}", target, actor, after={**after, "flaw": str(flaw)} if flaw else after)
        )
        cause = derived(f"asset.{verdict}", str(asset.id))
        await work.emit(AssetRefused(cause, asset.id) if flaw else AssetReady(cause, asset.id))
    return decided
