"""A second proof beside the first: an authenticator app and codes on paper; set up, asked for, taken away.

Doors: the mutations of the person themselves, and `answerSecondFactor` in the middle of a sign-in. Setting up and
taking away want a step-up: by a second factor, by mail where there is none yet; who has neither a factor nor a
confirmed address needs a fresh sign-in. No secret is ever shown twice.
"""

from dataclasses import dataclass, field
from typing import Final

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.identity.arrivals import arrival
from domain.identity.factor_changes import (
    end_other_sessions,
    forget_codes_of_nothing,
    know_at_once,
    letter_of_change,
    may_change_factors,
    stays,
    tell_factor_changed,
)
from domain.identity.factor_proofs import entered, forget_tries, one_too_many, open_totp, proves, too_many_codes
from domain.identity.mail import FactorChange
from domain.identity.model import PersonStatus, Portal, SecondFactor, TicketPurpose
from domain.identity.one_time_codes import CodePurpose, new_recovery_codes, recovery_code_entered
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import CodeRefused, LinkRefused, PersonBanned, SignInRefused
from domain.identity.sessions import Means, SignedIn, begin_session
from domain.identity.sign_in import may_work_here
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.refusal import Refusal

ISSUER: Final = "Gametriggers"
CHALLENGE_TRIES: Final = 5
_TOO_LONG: Final = "This took too long. Sign in again."
_TOO_MANY: Final = "Too many codes were tried. Sign in again."


@dataclass(frozen=True, slots=True)
class TotpOffer:
    """A secret for an authenticator app, shown once: as text, and as what a QR code says."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Codes to be kept on paper, shown once."""

    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Challenge:
    """Whose sign-in waits for a code, and where to."""

    person: PersonId
    portal: Portal


async def offer_totp(ports: IdentityPorts, actor: Actor) -> TotpOffer | Refusal:
    """Begin to set up an authenticator app. Until `confirm_totp` nothing changes; a new offer replaces the last."""
    secret = ports.authenticator_apps.new_secret()
    sealed = await ports.vault.seal(actor.person, "totp", secret)
    person = (await ports.people.people([actor.person])).get(actor.person)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        await work.second_factors.offer_totp(actor.person, sealed)
    account = (person.mail or person.name if person else None) or str(actor.person)
    return TotpOffer(secret, ports.authenticator_apps.provisioning_uri(secret, account, ISSUER))


async def confirm_totp(ports: IdentityPorts, actor: Actor, code: str) -> RecoveryCodes | Refusal:
    """Finish with a code of the app. Gives recovery codes, and the present session its second factor."""
    if refusal := await too_many_codes(ports, actor.session):
        return refusal
    offer = await open_totp(ports, actor.person, offered=True)
    step = ports.authenticator_apps.matching_step(offer.secret, code, ports.clock()) if offer else None
    letter = await letter_of_change(ports, actor.person, FactorChange.TOTP_ADDED)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        kept = await work.second_factors.lock_totp(actor.person)
        if offer is None or kept is None or kept.offered != offer.sealed or step is None:
            return CodeRefused()
        await work.second_factors.confirm_totp(actor.person, step, ports.clock())
        await _prove_session(ports, work, actor)
        codes = await _renew_codes(ports, work, actor)
        await end_other_sessions(ports, work, actor)
        await tell_factor_changed(work, actor, FactorChange.TOTP_ADDED, letter)
    await forget_tries(ports, actor.session)
    await know_at_once(ports, actor)
    return codes


async def remove_totp(ports: IdentityPorts, actor: Actor) -> Refusal | None:
    """Take the authenticator app away; staff keeps at least one second factor. Without one nothing happens."""
    letter = await letter_of_change(ports, actor.person, FactorChange.TOTP_REMOVED)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        if refusal := await stays(work, actor, without=SecondFactor.TOTP):
            return refusal
        if await work.second_factors.remove_totp(actor.person):
            await forget_codes_of_nothing(work, actor.person)
            await end_other_sessions(ports, work, actor)
            await tell_factor_changed(work, actor, FactorChange.TOTP_REMOVED, letter)
    return None


async def renew_recovery_codes(ports: IdentityPorts, actor: Actor) -> RecoveryCodes | Refusal:
    """New recovery codes; the old ones are worth nothing from then on."""
    letter = await letter_of_change(ports, actor.person, FactorChange.RECOVERY_CODES_RENEWED)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        if not await work.second_factors.enrolled(actor.person):
            return CodeRefused("Set up an authenticator app or a passkey first.")
        codes = await _renew_codes(ports, work, actor)
        await tell_factor_changed(work, actor, FactorChange.RECOVERY_CODES_RENEWED, letter)
    return codes


async def answer_second_factor(
    ports: IdentityPorts, challenge: str, code: str, origin: Origin | None
) -> SignedIn | Refusal:
    """Go on with a sign-in by a code of the app or a recovery code. A challenge stands five tries, for one session."""
    digest = ports.opaque_tokens.digest(challenge)
    asked = await _tried(ports, digest)
    if isinstance(asked, LinkRefused):
        return asked
    actor, portal = Actor(asked.person, origin=origin), asked.portal
    come = await arrival(ports, actor.person, origin)
    given = await entered(ports, actor.person, code)
    async with ports.work() as work:
        if refusal := await _not_any_more(ports, work, actor, digest, portal):
            return refusal
        if refusal := await one_too_many(ports, work, actor.person, given):
            return refusal
        if not await proves(ports, work, actor, given):
            await work.record(
                Deed("second_factor.refused", f"person:{actor.person}", about=actor.person, origin=origin)
            )
            return SignInRefused()
        await work.tickets.use(digest, ports.clock())
        return await begin_session(
            ports, work, actor.person, portal, Means.SECOND_FACTOR, second_factor=True, come=come
        )


async def _tried(ports: IdentityPorts, challenge: bytes) -> _Challenge | LinkRefused:
    """What a challenge is for. The try is counted before it is judged, so that many at once are no more than five."""
    async with ports.work() as work:
        ticket = await work.tickets.lock(challenge)
        if ticket is None or ticket.person is None or not ticket.good(ports.clock(), TicketPurpose.SECOND_FACTOR):
            return LinkRefused(_TOO_LONG)
        if await work.tickets.count_try(challenge) > CHALLENGE_TRIES:
            return LinkRefused(_TOO_MANY)
    return _Challenge(ticket.person, Portal((ticket.body or b"").decode()))


async def _not_any_more(
    ports: IdentityPorts, work: IdentityWork, actor: Actor, challenge: bytes, portal: Portal
) -> Refusal | None:
    """Why a sign-in that waited for its second factor may not go on: much may happen between two steps. Locks both."""
    status = await work.people.lock(actor.person)
    ticket = await work.tickets.lock(challenge)
    if ticket is None or not ticket.good(ports.clock(), TicketPurpose.SECOND_FACTOR):
        return LinkRefused(_TOO_LONG)
    may_work = portal is not Portal.ADMIN or await may_work_here(work, actor.person, actor.origin)
    if status is PersonStatus.ACTIVE and may_work:
        return None
    reason = "not staff here" if status is PersonStatus.ACTIVE else status or "unknown"
    refused = Deed("sign_in.refused", f"person:{actor.person}", about=actor.person, origin=actor.origin, reason=reason)
    await work.record(refused)
    return PersonBanned() if status is PersonStatus.BANNED else SignInRefused()


async def _prove_session(ports: IdentityPorts, work: IdentityWork, actor: Actor) -> None:
    if actor.session is not None:
        now = ports.clock()
        await work.sessions.mark(actor.session, second_factor_at=now, stepped_up_at=now)


async def _renew_codes(ports: IdentityPorts, work: IdentityWork, actor: Actor) -> RecoveryCodes:
    codes = new_recovery_codes()
    entered = [recovery_code_entered(code) or code for code in codes]
    digests = [ports.opaque_tokens.code_digest(CodePurpose.RECOVERY, actor.person, code) for code in entered]
    await work.second_factors.put_recovery_codes(actor.person, digests)
    return RecoveryCodes(codes)
