"""Linking an account at a platform that says itself whose it is: there, signed in, and back with its word.

Doors: the mutations of the streamer portal. A journey is good for one return, by the person who began it. What the
platform granted is kept before anything else follows, so that nothing granted is ever forgotten: what no link needs is
given back by a job.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from domain.actor import Actor
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.identity.model import Ticket, TicketPurpose
from domain.identity.provider import Journey, Provider, ProviderLiedError, ProviderRefusedError
from domain.identity.providers import JourneyBegun
from domain.identity.refusals import LinkRefused, NotWhileImpersonating, TooManyTries, UnknownPerson
from domain.ids import derived, uuid7
from domain.quotas import PLATFORM_JOURNEY
from domain.refusal import Refusal
from domain.streamer.events import PlatformLinkConfirmed
from domain.streamer.grants import CHECKED_AGAIN, sealed_tokens
from domain.streamer.linking import ACCOUNT_FIELD
from domain.streamer.model import TELLING, KeptLink, LinkId, LinkState, Platform, Streamer
from domain.streamer.platforms import account_index
from domain.streamer.ports import StreamerPorts, StreamerWork
from domain.streamer.refusals import AccountTaken, NotStreamer, PlatformLinked, PlatformNotOffered, PlatformRefused
from domain.streamer.site import Account, GrantId, Tokens
from domain.streamer.watching import SUBJECT_FIELD
from domain.vault import PLATFORM, Sealed

_LIFETIME: Final = timedelta(minutes=10)
_BODY: Final = "platform_journey"


async def begin_link(ports: StreamerPorts, actor: Actor, platform: Platform) -> JourneyBegun | Refusal:
    """Begin to link an account by signing in there; so many a day. Raises `ProviderUnavailableError`."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    if platform not in ports.sites:
        return PlatformNotOffered()
    if await ports.reads.streamer_of(actor.people) is None:
        return NotStreamer()
    taken = await ports.quotas.take(PLATFORM_JOURNEY, str(actor.person))
    if not taken.allowed:
        return TooManyTries("You began many times: take your time.", taken.retry_after_s)
    departure = await ports.sites[platform].begin(ports.pages.platform_return(platform))
    token, now = ports.opaque_tokens.new(), ports.clock()
    body = await ports.vault.seal(PLATFORM, _BODY, json.dumps({**asdict(departure.journey), "platform": platform}))
    digest, purpose = ports.opaque_tokens.digest(token), TicketPurpose.PLATFORM_JOURNEY
    async with ports.work() as work:
        await work.tickets.add(Ticket(digest, purpose, now, now + _LIFETIME, actor.person, body=body))
    return JourneyBegun(departure.url, token)


async def finish_link(
    ports: StreamerPorts, actor: Actor, token: str, parameters: Mapping[str, str]
) -> LinkId | Refusal:
    """Come back from a platform: the account is the streamer's from now on. Raises `ProviderUnavailableError`.

    The journey is forgotten before the platform is asked: there is one try, whoever else comes with the same return.
    Who comes back with the account that is theirs already has its grant renewed.
    """
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    digest = ports.opaque_tokens.digest(token)
    async with ports.work() as work:
        ticket = await work.tickets.lock(digest)
        good = ticket is not None and ticket.good(ports.clock(), TicketPurpose.PLATFORM_JOURNEY)
        if ticket is None or not good or ticket.person not in actor.people:
            return LinkRefused("This took too long, or was begun by somebody else. Start again.")
        await work.tickets.use(digest, ports.clock())
    streamer = await ports.reads.streamer_of(actor.people)
    if streamer is None:
        return NotStreamer()
    (text,) = await ports.vault.open([Sealed(PLATFORM, _BODY, ticket.body or b"")])
    told = json.loads(text or "{}")
    platform, provider = Platform(told.pop("platform")), Provider(told.pop("provider"))
    if platform not in ports.sites:
        return PlatformNotOffered()
    try:
        account, tokens = await ports.sites[platform].finish(Journey(provider, **told), parameters)
    except (ProviderRefusedError, ProviderLiedError):
        return PlatformRefused()
    return await _kept(ports, actor, streamer, platform, account, tokens)


async def _kept(
    ports: StreamerPorts, actor: Actor, streamer: Streamer, platform: Platform, account: Account, tokens: Tokens
) -> LinkId | Refusal:
    """Keep what was granted, then link the account; what is granted for nothing goes back by itself."""
    grant, now = GrantId(uuid7()), ports.clock()
    sealed, index = await sealed_tokens(ports.vault, tokens), account_index(ports.vault, platform, account.subject)
    async with ports.work() as work:
        await work.grants.add(grant, platform, index, sealed, now)
    try:
        name = await ports.vault.seal(streamer.person, ACCOUNT_FIELD, account.name)
        subject = await ports.vault.seal(streamer.person, SUBJECT_FIELD, account.subject)
    except KeyDestroyedError:
        return UnknownPerson()
    link = KeptLink(
        LinkId(uuid7()), streamer.id, streamer.person, platform, name, index, None, None, LinkState.CONFIRMED, now
    )
    async with ports.work() as work:
        kept = await work.streamers.lock_of(actor.people)
        if kept is None or kept.id != streamer.id:
            return NotStreamer()
        found = await _linked(work, actor, link, grant, account.name, now)
        if not isinstance(found, Refusal):
            await work.live.watch(found, subject, now, now if platform in TELLING else None)
        return found


async def _linked(
    work: StreamerWork, actor: Actor, link: KeptLink, grant: GrantId, name: str, now: datetime
) -> LinkId | Refusal:
    """The link that the grant is for from now on: a new one, or that which the streamer has to this very account."""
    held = await work.platform_links.hold(link)
    if held is None:
        return AccountTaken()
    if held.account_index != link.account_index:
        return PlatformLinked("You have another account there: unlink it first.")
    await work.grants.release(held.id, now)
    await work.grants.assign(grant, held.id, now + CHECKED_AGAIN)
    if held.id == link.id:
        await work.emit(PlatformLinkConfirmed(derived("platform_link.confirmed", str(link.id)), link.streamer, link.id))
        after = {"platform": str(link.platform), "account": name}
        await work.record(
            Deed("platform_link.confirmed", f"platform_link:{link.id}", actor, about=link.person, after=after)
        )
    return held.id
