"""What staff answers to a streamer who says that a code stands in their profile. Doors: the admin portal's mutations.

Staff reads the profile and types the code that stands there, which we keep a digest of alone: so nobody confirms
what they have not read. Nobody checks their own.
"""

import hmac
from typing import Final

from domain.actor import Actor
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError, NotPermittedError
from domain.identity.refusals import FourEyesRequired, StepUpRequired
from domain.identity.staff import check
from domain.ids import derived
from domain.refusal import Refusal
from domain.rights import Permission
from domain.streamer.events import PlatformLinkConfirmed
from domain.streamer.model import NEXT, KeptLink, LinkId, LinkState, LinkStep
from domain.streamer.platforms import code_digest
from domain.streamer.ports import StreamerPorts, StreamerWork
from domain.streamer.refusals import AccountTaken, CodeNotThere, LinkNotFound, LinkNotReady

REASON_FIELD: Final = "platform_reason"
"""As what the vault seals why a link was rejected or withdrawn."""


async def confirm_link(ports: StreamerPorts, actor: Actor, id_: LinkId, code: str) -> LinkState | Refusal:
    """Confirm that a code stands in the public profile, by typing it. Of two who claim an account the first has it."""
    if not actor.may(Permission.VERIFY_STREAMERS):
        raise NotPermittedError(Permission.VERIFY_STREAMERS)
    if not actor.stepped_up(ports.clock()):
        return StepUpRequired()
    async with ports.work() as work:
        link = await _to_check(work, actor, id_, LinkStep.CONFIRM)
        if not isinstance(link, KeptLink):
            return link
        if not hmac.compare_digest(code_digest(ports.vault, link.id, code), link.code_digest or b""):
            return CodeNotThere()
        if not await work.platform_links.move(link.id, LinkState.CONFIRMED, ports.clock()):
            return AccountTaken("Another streamer has proved that this account is theirs: reject this link.")
        confirmed = derived("platform_link.confirmed", str(link.id))
        await work.emit(PlatformLinkConfirmed(confirmed, link.streamer, link.id))
        await work.record(Deed("platform_link.confirmed", f"platform_link:{link.id}", actor, about=link.person))
    return LinkState.CONFIRMED


async def reject_link(ports: StreamerPorts, actor: Actor, id_: LinkId, reason: str) -> LinkState | Refusal:
    """Say that the code does not stand there, and why; the streamer reads it, and may ask for another code."""
    if refusal := check(ports, actor, Permission.VERIFY_STREAMERS, reason):
        return refusal
    async with ports.work() as work:
        found = await _to_check(work, actor, id_, LinkStep.REJECT)
    if not isinstance(found, KeptLink):
        return found
    try:
        sealed = await ports.vault.seal(found.person, REASON_FIELD, reason)
    except KeyDestroyedError:
        return LinkNotFound()
    async with ports.work() as work:
        link = await _to_check(work, actor, id_, LinkStep.REJECT)
        if not isinstance(link, KeptLink):
            return link
        await work.platform_links.move(link.id, LinkState.REJECTED, ports.clock(), sealed)
        target = f"platform_link:{link.id}"
        await work.record(Deed("platform_link.rejected", target, actor, about=link.person, reason=reason))
    return LinkState.REJECTED


async def _to_check(work: StreamerWork, actor: Actor, id_: LinkId, step: LinkStep) -> KeptLink | Refusal:
    """A link that waits for staff, locked."""
    link = await work.platform_links.lock(id_)
    if link is None:
        return LinkNotFound()
    if link.person in actor.people:
        return FourEyesRequired()
    if (link.state, step) not in NEXT:
        return LinkNotReady("This link does not wait to be checked.", link.state)
    return link
