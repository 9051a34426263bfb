"""Proving that an account on another platform is one's own: a code, placed in its public profile, that staff reads.

Doors: the mutations of the streamer portal. What staff answers is in `checking`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.actor import Actor
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.identity.refusals import NotWhileImpersonating, TooManyTries, UnknownPerson
from domain.ids import derived, uuid7
from domain.quotas import PLATFORM_CODE
from domain.refusal import Refusal
from domain.streamer.events import PlatformUnlinked
from domain.streamer.model import (
    CODE_LIFETIME,
    NEXT,
    PROVED_BY_CODE,
    KeptLink,
    LinkId,
    LinkState,
    LinkStep,
    Platform,
    Streamer,
)
from domain.streamer.platforms import account_entered, account_index, code_digest, new_code
from domain.streamer.ports import StreamerPorts, StreamerWork
from domain.streamer.refusals import (
    AccountRefused,
    AccountTaken,
    CodeExpired,
    LinkNotFound,
    LinkNotReady,
    NotStreamer,
    PlatformLinked,
    SignInThere,
)
from domain.streamer.watching import tell_live

ACCOUNT_FIELD: Final = "platform_account"
"""As what the vault seals the name of an account."""


@dataclass(frozen=True, slots=True)
class OfferedCode:
    """A code for an account, shown this once."""

    code: str
    expires_at: datetime
    link: KeptLink


async def ask_code(ports: StreamerPorts, actor: Actor, platform: Platform, account: str) -> OfferedCode | Refusal:
    """Give a streamer a code to place in the profile of an account; a former one that waits is good no more.

    Its door: the mutation. So many a day and person; an account that another has proved to be theirs gets none.
    """
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    by_code = platform in PROVED_BY_CODE
    name = account_entered(platform, account) if by_code else None
    if name is None:
        return AccountRefused() if by_code else SignInThere()
    streamer = await ports.reads.streamer_of(actor.people)
    if streamer is None:
        return NotStreamer()
    taken = await ports.quotas.take(PLATFORM_CODE, str(actor.person))
    if not taken.allowed:
        return TooManyTries("You asked for many codes: take your time.", taken.retry_after_s)
    try:
        offered = await _offered(ports, streamer, platform, name)
    except KeyDestroyedError:
        return UnknownPerson()
    return await _begun(ports, actor, offered, name) or offered


async def _begun(ports: StreamerPorts, actor: Actor, offered: OfferedCode, name: str) -> Refusal | None:
    """Keep a link, or say why not."""
    link = offered.link
    async with ports.work() as work:
        kept = await work.streamers.lock_of(actor.people)
        if kept is None or kept.id != link.streamer:
            return NotStreamer()
        if await work.platform_links.is_held(link.platform, link.account_index, link.streamer):
            return AccountTaken()
        if not await work.platform_links.add(link):
            return PlatformLinked()
        after = {"platform": str(link.platform), "account": name}
        await work.record(
            Deed("platform_link.begun", f"platform_link:{link.id}", actor, about=link.person, after=after)
        )
    return None


async def say_placed(ports: StreamerPorts, actor: Actor, id_: LinkId) -> LinkState | Refusal:
    """Take a streamer's word that the code stands in the profile: staff will look. Again, and it is as it was."""
    async with ports.work() as work:
        link = await _own(work, actor, id_)
        if not isinstance(link, KeptLink):
            return link
        if link.state is LinkState.PLACED:
            return link.state
        state = NEXT.get((link.state, LinkStep.PLACE))
        if state is None:
            return LinkNotReady("No code waits to be placed for this link.", link.state)
        now = ports.clock()
        if link.code_expires_at is None or now >= link.code_expires_at:
            return CodeExpired()
        if await work.platform_links.is_held(link.platform, link.account_index, link.streamer):
            return AccountTaken()
        await work.platform_links.move(link.id, state, now)
        await work.record(Deed("platform_link.placed", f"platform_link:{link.id}", actor, about=link.person))
    return state


async def unlink(ports: StreamerPorts, actor: Actor, id_: LinkId) -> LinkState | Refusal:
    """Let go of an account, confirmed or not: whoever proves to have it may link it. Again, and it is as it was.

    What a platform granted us for it is given back by a job.
    """
    async with ports.work() as work:
        link = await _own(work, actor, id_)
        if not isinstance(link, KeptLink):
            return link
        if link.state is LinkState.UNLINKED:
            return link.state
        state = NEXT.get((link.state, LinkStep.UNLINK))
        if state is None:
            return LinkNotReady("There is nothing to unlink.", link.state)
        await work.platform_links.move(link.id, state, ports.clock())
        await work.grants.release(link.id, ports.clock())
        await work.live.leave(link.id)
        await tell_live(work, [link.id])
        if link.state is LinkState.CONFIRMED:
            await work.emit(PlatformUnlinked(derived("platform_link.unlinked", str(link.id)), link.streamer, link.id))
        await work.record(
            Deed("platform_link.unlinked", f"platform_link:{link.id}", actor, about=link.person,
                 before={"state": str(link.state)})
        )  # fmt: skip
    return state


async def _offered(ports: StreamerPorts, streamer: Streamer, platform: Platform, name: str) -> OfferedCode:
    """A code and the link that it is for. Raises `KeyDestroyedError`."""
    id_, code, now = LinkId(uuid7()), new_code(), ports.clock()
    sealed = await ports.vault.seal(streamer.person, ACCOUNT_FIELD, name)
    link = KeptLink(
        id_, streamer.id, streamer.person, platform, sealed, account_index(ports.vault, platform, name),
        code_digest(ports.vault, id_, code), now + CODE_LIFETIME, LinkState.OFFERED, now,
    )  # fmt: skip
    return OfferedCode(code, now + CODE_LIFETIME, link)


async def _own(work: StreamerWork, actor: Actor, id_: LinkId) -> KeptLink | Refusal:
    """A link of the actor's, locked."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    link = await work.platform_links.lock(id_)
    return link if link is not None and link.person in actor.people else LinkNotFound()
