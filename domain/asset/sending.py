"""Beginning an upload: who may send what, and where to. Its door: the mutation."""

from typing import Final

from domain.actor import Actor
from domain.asset.model import MEBIBYTE, RULES, SHA256_BYTES, UPLOAD_LIFETIME, Asset, Declared, Purpose
from domain.asset.ports import AssetPorts, Destination
from domain.asset.refusals import UnknownAssetOwner, UploadNotPossible
from domain.errors import KeyDestroyedError
from domain.identity.model import PersonStatus
from domain.identity.refusals import NotWhileImpersonating, TooManyTries, UnknownPerson
from domain.ids import AssetId, BrandId, uuid7
from domain.quotas import UPLOAD, UPLOADED_MEBIBYTES
from domain.refusal import Refusal

FILE_NAME_FIELD: Final = "asset_file_name"
"""As what the vault seals what somebody called a file."""


async def start_upload(
    ports: AssetPorts, actor: Actor, purpose: Purpose, brand: BrandId | None, declared: Declared
) -> tuple[Asset, Destination] | Refusal:
    """Expect a file, for a brand or for oneself, and say where to send it within the hour.

    So many a day and person, and so many mebibytes. Files for a brand take the role in it that the purpose asks for.
    """
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    owner = owner_of(actor, purpose, brand)
    if owner is None:
        return UnknownAssetOwner()
    if refusal := _impossible(purpose, declared) or await _too_many(ports, actor, declared):
        return refusal
    id_, token, now = AssetId(uuid7()), ports.opaque_tokens.new(), ports.clock()
    asset = Asset(id_, owner, purpose, actor.person, declared, now, now + UPLOAD_LIFETIME)
    try:
        file_name = await ports.vault.seal(actor.person, FILE_NAME_FIELD, declared.file_name)
    except KeyDestroyedError:
        return UnknownPerson()
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        await work.assets.add(asset, file_name, ports.opaque_tokens.digest(token))
    return asset, ports.files.destination(id_, declared, token)


def owner_of(actor: Actor, purpose: Purpose, brand: BrandId | None) -> str | None:
    """Whose a file of a purpose is to be that the actor sends; None where they may send none."""
    role = RULES[purpose].role
    if role is None:
        return actor.owner if brand is None else None
    owner = f"brand:{brand}"
    return owner if brand is not None and actor.stands_for(owner, role) else None


def _impossible(purpose: Purpose, declared: Declared) -> UploadNotPossible | None:
    rule = RULES[purpose]
    if declared.media_type not in rule.types:
        known = ", ".join(sorted(rule.types))
        return UploadNotPossible(f"A file of this purpose is one of {known}.", "mediaType")
    most = rule.most(declared.media_type)
    if not 1 <= declared.length <= most:
        return UploadNotPossible(f"A file of this purpose has 1 to {most} bytes.", "length")
    if len(declared.sha256) != SHA256_BYTES:
        return UploadNotPossible("A SHA-256 digest has 64 hexadecimal digits.", "sha256")
    return None


async def _too_many(ports: AssetPorts, actor: Actor, declared: Declared) -> TooManyTries | None:
    subject = f"person:{actor.person}"
    for quota, cost in ((UPLOAD, 1), (UPLOADED_MEBIBYTES, -(-declared.length // MEBIBYTE))):
        taken = await ports.quotas.take(quota, subject, cost=cost)
        if not taken.allowed:
            return TooManyTries("You have sent many files lately: wait before the next.", taken.retry_after_s)
    return None
