"""A second proof beside the first: an authenticator app, codes on paper, passkeys; set up, asked for, taken away.

Doors: the mutations of the person themselves, and `answerSecondFactor` in the middle of a sign-in. Setting up and
taking away want a fresh sign-in where there is no second factor yet, and a step-up where there is. No secret is ever
shown twice.
"""

from dataclasses import dataclass, field
from typing import Final

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.identity.mail import FactorChange
from domain.identity.model import FRESH_SIGN_IN, PersonStatus, Portal, SecondFactor, Ticket, TicketPurpose
from domain.identity.one_time_codes import CodePurpose, accept_step, new_recovery_codes, recovery_code_entered
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import (
    CodeRefused,
    FreshSignInRequired,
    LinkRefused,
    NotWhileImpersonating,
    SecondFactorStays,
    SignInRefused,
    StepUpRequired,
    TooManyTries,
)
from domain.identity.sessions import Means, SignedIn, begin_session, sealed_origin
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.quotas import SECOND_FACTOR
from domain.refusal import Refusal
from domain.vault import Sealed

ISSUER: Final = "Gametriggers"


@dataclass(frozen=True, slots=True)
class TotpOffer:
    """A secret for an authenticator app, shown once: as text, and as what a QR code says."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Codes to be kept on paper, shown once."""

    codes: tuple[str, ...]


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
    if refusal := await _too_many(ports, actor.person):
        return refusal
    offer = await _open_totp(ports, actor.person, offered=True)
    step = ports.authenticator_apps.matching_step(offer.secret, code, ports.clock()) if offer else None
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        kept = await work.second_factors.lock_totp(actor.person)
        if offer is None or kept is None or kept.offered != offer.sealed or step is None:
            return CodeRefused()
        await work.second_factors.confirm_totp(actor.person, step, ports.clock())
        await _prove_session(ports, work, actor)
        codes = await _renew_codes(ports, work, actor)
        await tell_factor_changed(work, actor, FactorChange.TOTP_ADDED)
    return codes


async def remove_totp(ports: IdentityPorts, actor: Actor) -> Refusal | None:
    """Take the authenticator app away; staff keeps at least one second factor."""
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        if refusal := await stays(work, actor, without=SecondFactor.TOTP):
            return refusal
        await work.second_factors.remove_totp(actor.person)
        await tell_factor_changed(work, actor, FactorChange.TOTP_REMOVED)
    return None


async def renew_recovery_codes(ports: IdentityPorts, actor: Actor) -> RecoveryCodes | Refusal:
    """New recovery codes; the old ones are worth nothing from then on."""
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        if not await work.second_factors.enrolled(actor.person):
            return CodeRefused("Set up an authenticator app or a passkey first.")
        codes = await _renew_codes(ports, work, actor)
        await tell_factor_changed(work, actor, FactorChange.RECOVERY_CODES_RENEWED)
    return codes


async def answer_second_factor(
    ports: IdentityPorts, challenge: str, code: str, origin: Origin | None
) -> SignedIn | Refusal:
    """Go on with a sign-in by a code of the app or a recovery code. A challenge is good for one session."""
    digest = ports.opaque_tokens.digest(challenge)
    async with ports.work() as work:
        ticket = await work.tickets.lock(digest)
    if ticket is None or ticket.person is None or not ticket.good(ports.clock(), TicketPurpose.SECOND_FACTOR):
        return LinkRefused("This took too long. Sign in again.")
    if refusal := await _too_many(ports, ticket.person):
        return refusal
    sealed = await sealed_origin(ports, ticket.person, origin)
    app = await _open_totp(ports, ticket.person)
    async with ports.work() as work:
        if not await _still_good(ports, work, ticket):
            return LinkRefused("This took too long. Sign in again.")
        if not await proves(ports, work, ticket.person, app, code):
            await work.record(Deed("second_factor.refused", f"person:{ticket.person}", origin=origin))
            return SignInRefused()
        await work.tickets.use(digest, ports.clock())
        signed_in = await begin_session(
            ports, work, ticket.person, Portal((ticket.body or b"").decode()), Means.SECOND_FACTOR,
            second_factor=True, origin=origin, sealed=sealed,
        )  # fmt: skip
    await ports.quotas.forget(SECOND_FACTOR, str(ticket.person))
    return signed_in


async def step_up(ports: IdentityPorts, actor: Actor, code: str) -> Refusal | None:
    """Confirm with a fresh code of the app, or a recovery code: for five minutes the session may do weighty things."""
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    if refusal := await _too_many(ports, actor.person):
        return refusal
    app = await _open_totp(ports, actor.person)
    async with ports.work() as work:
        await work.people.lock(actor.person)
        if not await proves(ports, work, actor.person, app, code):
            await work.record(Deed("step_up.refused", f"session:{actor.session}", actor))
            return CodeRefused()
        await work.sessions.mark(actor.session, stepped_up_at=ports.clock())
        await work.record(Deed("step_up.given", f"session:{actor.session}", actor))
    await ports.quotas.forget(SECOND_FACTOR, str(actor.person))
    return None


async def proves(ports: IdentityPorts, work: IdentityWork, person: PersonId, app: "OpenTotp | None", code: str) -> bool:
    """Whether a code is the app's, newer than the last one, or an unused recovery code; it is used up by that."""
    now = ports.clock()
    if app is not None and (step := ports.authenticator_apps.matching_step(app.secret, code, now)) is not None:
        kept = await work.second_factors.lock_totp(person)
        if kept is None or kept.secret != app.sealed or accept_step(kept.last_step, step) is None:
            return False
        await work.second_factors.take_step(person, step)
        return True
    entered = recovery_code_entered(code)
    if entered is None:
        return False
    digest = ports.opaque_tokens.code_digest(CodePurpose.RECOVERY, person, entered)
    return await work.second_factors.use_recovery_code(person, digest, now)


async def may_change_factors(ports: IdentityPorts, work: IdentityWork, actor: Actor) -> Refusal | None:
    """Why the actor may not change their second factors at this moment. Locks the person."""
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    await work.people.lock(actor.person)
    now = ports.clock()
    if await work.second_factors.enrolled(actor.person):
        return None if actor.stepped_up(now) else StepUpRequired()
    fresh = actor.authenticated_at is not None and now - actor.authenticated_at < FRESH_SIGN_IN
    return None if fresh else FreshSignInRequired()


async def stays(work: IdentityWork, actor: Actor, *, without: SecondFactor) -> Refusal | None:
    """Refuse to leave staff without a second factor."""
    left = await work.second_factors.enrolled(actor.person) - {without, SecondFactor.RECOVERY_CODE}
    is_staff = await work.members.staff_role(actor.person) is not None
    return SecondFactorStays() if is_staff and not left else None


async def tell_factor_changed(work: IdentityWork, actor: Actor, change: FactorChange) -> None:
    """Write down that a second factor came or went."""
    await work.record(Deed(f"second_factor.{change}", f"person:{actor.person}", actor))


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


@dataclass(frozen=True, slots=True)
class OpenTotp:
    """A person's secret as it is kept, and readable."""

    sealed: bytes
    secret: str = field(repr=False)


async def _open_totp(ports: IdentityPorts, person: PersonId, *, offered: bool = False) -> OpenTotp | None:
    """A person's secret, opened before any lock that lasts is taken; whether it still holds is seen under one."""
    async with ports.work() as work:
        kept = await work.second_factors.lock_totp(person)
    sealed = (kept.offered if offered else kept.secret) if kept else None
    if sealed is None:
        return None
    (secret,) = await ports.vault.open([Sealed(person, "totp", sealed)])
    return OpenTotp(sealed, secret) if secret is not None else None


async def _too_many(ports: IdentityPorts, person: PersonId) -> Refusal | None:
    taken = await ports.quotas.take(SECOND_FACTOR, str(person))
    return None if taken.allowed else TooManyTries("Too many codes were tried. Wait a while.", taken.retry_after_s)


async def _still_good(ports: IdentityPorts, work: IdentityWork, ticket: Ticket) -> bool:
    """Whether a challenge is still open and its person may still sign in; both locked."""
    if ticket.person is None or await work.people.lock(ticket.person) is not PersonStatus.ACTIVE:
        return False
    found = await work.tickets.lock(ticket.digest)
    return found is not None and found.good(ports.clock(), TicketPurpose.SECOND_FACTOR)
