"""What platforms granted us, looked after: asked every hour whether it still holds, renewed, and given back.

Door: the schedule; that a worker starts, or that none ran for a while, makes overdue what is asked first. Whoever looks
after a grant has it alone for a while (a lease), for a platform that renews a grant may honour what was renewed no
more: two who renew the same one would lose it. Between a platform's answer and our commit a process may die: then the
lease ends, the next one tries with what we have, and at worst the streamer links once more.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.ids import derived, uuid7
from domain.streamer.checking import REASON_FIELD
from domain.streamer.events import PlatformUnlinked
from domain.streamer.model import NEXT, KeptLink, LinkId, LinkStep
from domain.streamer.ports import StreamerPorts, StreamerWork
from domain.streamer.site import GrantId, GrantRefusedError, KeptGrant, Site, Tokens
from domain.streamer.watching import tell_live
from domain.vault import PLATFORM, Sealed, Vault
from domain.work import Swept

CHECKED_AGAIN: Final = timedelta(minutes=55)
"""Platforms ask that a token is validated every hour; the schedule looks each minute."""
LEASE: Final = timedelta(minutes=3)
"""Longer than a platform's answers may take."""
_FIELD: Final = "platform_grant"
_WITHDRAWN: Final = (
    "The platform honours no more what you granted us: you took it back there, or it ran out. Link the account again."
)
_AT_ONCE, _MOST = 8, 128


async def sealed_tokens(vault: Vault, tokens: Tokens) -> bytes:
    """Tokens as they are kept. They are secrets of the house, not said of a person: they go when they are no good."""
    return await vault.seal(PLATFORM, _FIELD, json.dumps(asdict(tokens)))


async def opened_tokens(vault: Vault, sealed: Mapping[UUID, bytes]) -> Mapping[UUID, Tokens]:
    """Tokens as they are, under the same keys; of what cannot be opened nothing."""
    if not sealed:
        return {}
    texts = await vault.open([Sealed(PLATFORM, _FIELD, tokens) for tokens in sealed.values()])
    found = zip(sealed, texts, strict=True)
    return {which: Tokens(**json.loads(text)) for which, text in found if text is not None}


async def look_after_grants(ports: StreamerPorts, now: datetime) -> Swept:
    """See to every grant whose time has come; many may run at once. One that fails stops nobody and comes again."""
    sweep, gate = Swept(), asyncio.Semaphore(_AT_ONCE)
    async with ports.work() as work:
        due = await work.grants.claim(list(ports.sites), now, now + LEASE, _MOST)
    opened = await opened_tokens(ports.vault, {grant.id: grant.tokens for grant in due})

    async def see_to(grant: KeptGrant, tokens: Tokens) -> None:
        async with gate:
            try:
                await _see_to(ports, ports.sites[grant.platform], grant, tokens)
            except Exception as error:  # noqa: BLE001  # one grant's trouble must not keep the others
                sweep.failed.append((str(grant.id), error))

    await asyncio.gather(*(see_to(grant, opened[grant.id]) for grant in due if grant.id in opened))
    sweep.looked_at = len(due)
    return sweep


async def _see_to(ports: StreamerPorts, site: Site, grant: KeptGrant, tokens: Tokens) -> None:
    if grant.link is None:
        await _give_back(ports, site, grant, tokens)
        return
    try:
        await site.check(tokens)
    except GrantRefusedError:
        await _renew(ports, site, grant, grant.link, tokens)
        return
    async with ports.work() as work:
        await work.grants.put_off(grant, ports.clock() + CHECKED_AGAIN)


async def _give_back(ports: StreamerPorts, site: Site, grant: KeptGrant, tokens: Tokens) -> None:
    """End what no link needs; where that would end another grant of the same account, only forget it."""
    async with ports.work() as work:
        is_needed = site.takes_back_all and await work.grants.is_outlived(grant)
    if not is_needed:
        await site.revoke(tokens)
    async with ports.work() as work:
        await work.grants.drop(grant)


async def _renew(ports: StreamerPorts, site: Site, grant: KeptGrant, link: LinkId, tokens: Tokens) -> None:
    """Have other tokens, or learn that the streamer took the grant back."""
    try:
        renewed = await site.renew(tokens)
    except GrantRefusedError:
        reason = await _sealed_reason(ports, link)
        async with ports.work() as work:
            kept = await work.platform_links.lock(link)
            if await work.grants.drop(grant) and kept is not None:
                await _withdraw(work, kept, reason, ports.clock())
        return
    sealed, now = await sealed_tokens(ports.vault, renewed), ports.clock()
    async with ports.work() as work:
        if not await work.grants.renew(grant, sealed, now + CHECKED_AGAIN):
            # Somebody else has it by now: what was granted just now is nobody's, and goes back.
            await work.grants.add(GrantId(uuid7()), grant.platform, grant.account, sealed, now)


async def _sealed_reason(ports: StreamerPorts, link: LinkId) -> bytes | None:
    """Why the link is none any more, for the streamer alone; nothing where they were erased meanwhile."""
    found = (await ports.reads.links([link])).get(link)
    try:
        return await ports.vault.seal(found.person, REASON_FIELD, _WITHDRAWN) if found else None
    except KeyDestroyedError:
        return None


async def _withdraw(work: StreamerWork, link: KeptLink, reason: bytes | None, now: datetime) -> None:
    """The link is none any more; the streamer reads so, and why, among their links."""
    state = NEXT.get((link.state, LinkStep.WITHDRAW))
    if state is None:
        return
    await work.platform_links.move(link.id, state, now, reason)
    await work.live.leave(link.id)
    await tell_live(work, [link.id])
    await work.emit(PlatformUnlinked(derived("platform_link.unlinked", str(link.id)), link.streamer, link.id))
    await work.record(Deed("platform_link.withdrawn", f"platform_link:{link.id}", about=link.person))
