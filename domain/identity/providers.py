"""Signing in, and linking, by those who vouch for a person: other sites, and Telegram's signed proofs.

Doors: the mutations. A person is found by the provider's own id of them (`Profile.subject`), never by an address: who
comes with an unknown one is a new person, whatever address they share with anybody. A journey is good for one return,
in the browser that began it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError, UnavailableError
from domain.identity.addresses import mail_index, readable_mail
from domain.identity.letters import letter_of_identity
from domain.identity.mail import IdentityChange
from domain.identity.model import FRESH_SIGN_IN, Locale, PersonStatus, Portal, SessionEnd, Ticket, TicketPurpose
from domain.identity.ports import IdentityPorts
from domain.identity.provider import (
    Journey,
    Profile,
    Proof,
    Provider,
    ProviderLiedError,
    ProviderRefusedError,
    readable_name,
)
from domain.identity.refusals import (
    FreshSignInRequired,
    IdentityTaken,
    LastIdentity,
    LinkRefused,
    NotWhileImpersonating,
    ProviderRefused,
    UnknownIdentity,
)
from domain.identity.sessions import Means
from domain.identity.sign_in import SignInAnswer, finish_sign_in
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, uuid7
from domain.refusal import Refusal
from domain.vault import PLATFORM, Sealed

Signed = Mapping[str, object] | str
"""What Telegram signed: the fields of its sign-in button, or the launch text of a mini app."""

_LIFETIME: Final = timedelta(minutes=10)
_BODY: Final = "journey"
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class JourneyBegun:
    """Where to send the browser, and what it must bring back beside the provider's own parameters."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    """Kept by the page that began, out of the provider's sight: nobody else's return is finished with it."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The identity is one of the person's own now."""

    provider: Provider


class _TakenError(Exception):
    """Somebody else was faster: undo."""


async def begin_journey(
    ports: IdentityPorts, provider: Provider, portal: Portal, actor: Actor | None = None
) -> JourneyBegun | Refusal:
    """Begin to sign in by another site or, with an actor, to link it to them. Raises `ProviderUnavailableError`."""
    if provider not in ports.providers:
        return ProviderRefused("We do not offer to sign in by this site.")
    if actor is not None and (refusal := _may_link(ports, actor)):
        return refusal
    try:
        departure = await ports.providers[provider].begin(ports.pages.provider_return(provider))
    except ProviderLiedError as error:
        return await _refuse(ports, provider, error, actor.origin if actor else None)
    token, now = ports.opaque_tokens.new(), ports.clock()
    body = await ports.vault.seal(PLATFORM, _BODY, json.dumps({**asdict(departure.journey), "portal": portal}))
    digest, purpose = ports.opaque_tokens.digest(token), TicketPurpose.PROVIDER_JOURNEY
    person, session = (actor.person, actor.session) if actor else (None, None)
    async with ports.work() as work:
        await work.tickets.add(Ticket(digest, purpose, now, now + _LIFETIME, person, session, body))
    return JourneyBegun(departure.url, token)


async def finish_journey(
    ports: IdentityPorts, token: str, parameters: Mapping[str, str], actor: Actor | None, origin: Origin | None
) -> SignInAnswer | Linked | Refusal:
    """Come back from another site. The journey is forgotten before the site is asked: there is one try.

    What was begun to link is finished in the very session that began it. Raises `ProviderUnavailableError`.
    """
    digest = ports.opaque_tokens.digest(token)
    async with ports.work() as work:
        ticket = await work.tickets.lock(digest)
        if ticket is None or not ticket.good(ports.clock(), TicketPurpose.PROVIDER_JOURNEY):
            return LinkRefused("This took too long. Start again.")
        await work.tickets.use(digest, ports.clock())
    if ticket.person is not None and (actor is None or ticket.session != actor.session):
        return LinkRefused("This was begun by somebody else.")
    (text,) = await ports.vault.open([Sealed(PLATFORM, _BODY, ticket.body or b"")])
    told = json.loads(text or "{}")
    portal, provider = Portal(told.pop("portal")), Provider(told.pop("provider"))
    if provider not in ports.providers:
        return ProviderRefused("We do not offer to sign in by this site.")
    try:
        profile = await ports.providers[provider].finish(Journey(provider, **told), parameters)
    except (ProviderRefusedError, ProviderLiedError) as error:
        return await _refuse(ports, provider, error, origin)
    if ticket.person is not None and actor is not None:
        return await link(ports, actor, profile)
    return await enter(ports, profile, portal, origin)


async def enter_with_proof(
    ports: IdentityPorts, signed: Signed, portal: Portal, origin: Origin | None
) -> SignInAnswer | Refusal:
    """Sign in by what Telegram signed; each statement is good once."""
    proof = await _proof(ports, signed, origin)
    return proof if isinstance(proof, Refusal) else await enter(ports, proof.profile, portal, origin)


async def link_with_proof(ports: IdentityPorts, actor: Actor, signed: Signed) -> Linked | Refusal:
    """Link by what Telegram signed; each statement is good once."""
    if refusal := _may_link(ports, actor):
        return refusal
    proof = await _proof(ports, signed, actor.origin)
    return proof if isinstance(proof, Refusal) else await link(ports, actor, proof.profile)


async def enter(ports: IdentityPorts, profile: Profile, portal: Portal, origin: Origin | None) -> SignInAnswer:
    """Let in whom a provider vouched for; who is unknown becomes a new person. Two at once are one person.

    Raises `UnavailableError` if the identity changes hands over and over.
    """
    index = _index(ports, profile)
    for _ in range(_TRIES):
        async with ports.work() as work:
            found = await _used(ports, work, profile.provider, index)
        try:
            person = found or await _make_person(ports, profile, index, origin)
        except _TakenError:
            continue

        async def still_theirs(work: IdentityWork, person: PersonId = person) -> bool:
            owned = await work.people.find_identity(profile.provider, index)
            return owned is not None and owned[1] == person

        return await finish_sign_in(ports, person, portal, Means.PROVIDER, origin, still_theirs)
    raise UnavailableError("others sign in as the same person at the same moment: try again")


async def link(ports: IdentityPorts, actor: Actor, profile: Profile) -> Linked | Refusal:
    """Let a person sign in by a provider from now on. Somebody else's way of signing in stays theirs.

    Whoever comes by it is the person: so a letter tells them.
    """
    if refusal := _may_link(ports, actor):
        return refusal
    index, provider = _index(ports, profile), profile.provider
    try:
        subject = await ports.vault.seal(actor.person, "subject", profile.subject)
    except KeyDestroyedError:
        return FreshSignInRequired()
    letter = await letter_of_identity(ports, actor.person, IdentityChange.LINKED, provider)
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return FreshSignInRequired()
        if not await work.people.add_identity(uuid7(), actor.person, provider, index, subject):
            found = await work.people.find_identity(provider, index)
            return Linked(provider) if found is not None and found[1] == actor.person else IdentityTaken()
        await work.record(Deed("identity.linked", f"person:{actor.person}", actor, after={"provider": provider}))
        if letter is not None:
            await work.letters.add(letter)
    return Linked(provider)


async def unlink(ports: IdentityPorts, actor: Actor, identity: UUID) -> Refusal | None:
    """Take away a way of signing in; the last one stays. Other sessions end: one of them may be why it is done.

    A letter tells the person: it may be how they come in.
    """
    if refusal := _may_link(ports, actor):
        return refusal
    known = (await ports.people.identities_of([actor.person]))[actor.person]
    provider = next((Provider(each.provider) for each in known if each.id == identity), None)
    told = IdentityChange.UNLINKED
    letter = await letter_of_identity(ports, actor.person, told, provider) if provider else None
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return FreshSignInRequired()
        if await work.people.count_identities(actor.person) == 1:
            return LastIdentity()
        if not await work.people.remove_identity(actor.person, identity):
            return UnknownIdentity()
        await work.sessions.end(actor.person, ports.clock(), SessionEnd.IDENTITY_CHANGED, but=actor.session)
        await work.record(Deed("identity.unlinked", f"identity:{identity}", actor))
        if letter is not None:
            await work.letters.add(letter)
    return None


def _may_link(ports: IdentityPorts, actor: Actor) -> Refusal | None:
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    now = ports.clock()
    fresh = actor.authenticated_at is not None and now - actor.authenticated_at < FRESH_SIGN_IN
    return None if fresh or actor.stepped_up(now) else FreshSignInRequired()


async def _used(ports: IdentityPorts, work: IdentityWork, provider: Provider, index: bytes) -> PersonId | None:
    """Whose identity it is, noting that it was used."""
    found = await work.people.find_identity(provider, index)
    if found is None:
        return None
    identity, person = found
    await work.people.use_identity(identity, ports.clock())
    return person


def _index(ports: IdentityPorts, profile: Profile) -> bytes:
    return ports.vault.index(f"identity/{profile.provider}", profile.subject)


async def _make_person(ports: IdentityPorts, profile: Profile, index: bytes, origin: Origin | None) -> PersonId:
    """A new person for whom a provider vouched. Raises `_TakenError`, and nobody is made, if another was faster."""
    person = PersonId(uuid7())
    await ports.vault.create_key(person)
    try:
        await _add_person(ports, person, profile, index, origin)
    except _TakenError:
        await ports.vault.forget_key(person)
        raise
    return person


async def _add_person(
    ports: IdentityPorts, person: PersonId, profile: Profile, index: bytes, origin: Origin | None
) -> None:
    """Their address is kept only if the provider has seen that they read its mail; it makes them nobody else."""
    vault = ports.vault
    mail = readable_mail(profile.mail) if profile.mail and profile.mail_verified else None
    index_of_mail = mail_index(vault, mail) if mail else None
    subject = await vault.seal(person, "subject", profile.subject)
    name = await vault.seal(person, "name", readable_name(profile.name) or str(profile.provider).title())
    sealed_mail = await vault.seal(person, "mail", mail) if mail else None
    async with ports.work() as work:
        await work.people.add(
            person, Locale.INDONESIAN, name=name, mail=sealed_mail, mail_index=index_of_mail,
            mail_verified_at=ports.clock() if mail else None,
        )  # fmt: skip
        if not await work.people.add_identity(uuid7(), person, profile.provider, index, subject):
            raise _TakenError
        made = {"provider": str(profile.provider)}
        await work.record(Deed("person.made", f"person:{person}", about=person, after=made, origin=origin))


async def _proof(ports: IdentityPorts, signed: Signed, origin: Origin | None) -> Proof | Refusal:
    """What a signed statement proves, if it is good and was never brought before."""
    if ports.signed_proofs is None:
        return ProviderRefused("We do not offer to sign in by Telegram.")
    now, proofs = ports.clock(), ports.signed_proofs
    try:
        proof = proofs.of_mini_app(signed, now) if isinstance(signed, str) else proofs.of_widget(signed, now)
    except (ProviderRefusedError, ProviderLiedError) as error:
        return await _refuse(ports, Provider.TELEGRAM, error, origin)
    return proof if await _first_use(ports, proof) else LinkRefused("This was used before. Start again.")


async def _first_use(ports: IdentityPorts, proof: Proof) -> bool:
    """Remember a proof as used, as long as it could be brought again; False for one that was."""
    now, digest = ports.clock(), ports.opaque_tokens.digest(f"proof:{proof.digest}")
    async with ports.work() as work:
        return await work.tickets.add(Ticket(digest, TicketPurpose.USED_PROOF, now, proof.used_until))


async def _refuse(
    ports: IdentityPorts, provider: Provider, error: ProviderRefusedError | ProviderLiedError, origin: Origin | None
) -> Refusal:
    reason = "lied" if isinstance(error, ProviderLiedError) else "refused"
    async with ports.work() as work:
        await work.record(Deed("sign_in.refused", f"provider:{provider}", origin=origin, reason=reason))
    return ProviderRefused()
