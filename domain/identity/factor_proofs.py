"""Proving a second factor by a code: an authenticator app's, or one of the recovery codes. Each is good once."""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from domain.actor import Actor
from domain.identity.factor_changes import letter_of_change, tell_factor_changed
from domain.identity.mail import FactorChange
from domain.identity.mail_stores import QueuedLetter
from domain.identity.one_time_codes import CodePurpose, accept_step, recovery_code_entered
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import TooManyTries
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, SessionId
from domain.quotas import SECOND_FACTOR
from domain.refusal import Refusal
from domain.vault import Sealed

MOST_TRIES: Final = 50
TRIES_WITHIN: Final = timedelta(days=1)
"""So many codes of six digits are tried of a person's within this time: one guesser in six thousand gets in."""
_WAIT: Final = "Too many codes were tried. Wait a while."


@dataclass(frozen=True, slots=True)
class OpenTotp:
    """A person's secret as it is kept, and readable."""

    sealed: bytes
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """A code as somebody entered it, with what judging it takes from outside of the unit of work."""

    code: str = field(repr=False)
    app: OpenTotp | None
    recovery: str | None = field(repr=False)
    """The code as a recovery code; None if it cannot be one."""
    letter: QueuedLetter | None
    """What tells the person that a recovery code was used."""


async def entered(ports: IdentityPorts, person: PersonId, code: str) -> Entered:
    """Make ready to judge a code, before any lock that lasts is taken."""
    recovery = recovery_code_entered(code)
    if recovery is not None:
        letter = await letter_of_change(ports, person, FactorChange.RECOVERY_CODE_USED)
        return Entered(code, None, recovery, letter)
    return Entered(code, await open_totp(ports, person), None, None)


async def proves(ports: IdentityPorts, work: IdentityWork, actor: Actor, given: Entered) -> bool:
    """Whether a code is the app's and newer than the last one, or an unused recovery code; it is used up by that."""
    person, now = actor.person, ports.clock()
    if given.recovery is not None:
        digest = ports.opaque_tokens.code_digest(CodePurpose.RECOVERY, person, given.recovery)
        if not await work.second_factors.use_recovery_code(person, digest, now):
            return False
        await tell_factor_changed(work, actor, FactorChange.RECOVERY_CODE_USED, given.letter)
        await work.second_factors.forget_tries(person)
        return True
    if given.app is None:
        return False
    kept = await work.second_factors.lock_totp(person)
    if kept is None or kept.secret != given.app.sealed:
        return False
    step = accept_step(kept.last_step, ports.authenticator_apps.matching_step(given.app.secret, given.code, now))
    if step is None:
        return False
    await work.second_factors.take_step(person, step)
    await work.second_factors.forget_tries(person)
    return True


async def open_totp(ports: IdentityPorts, person: PersonId, *, offered: bool = False) -> OpenTotp | None:
    """A person's secret, opened before any lock that lasts is taken; whether it still holds is seen under one."""
    async with ports.work() as work:
        kept = await work.second_factors.lock_totp(person)
    sealed = (kept.offered if offered else kept.secret) if kept else None
    if sealed is None:
        return None
    (secret,) = await ports.vault.open([Sealed(person, "totp", sealed)])
    return OpenTotp(sealed, secret) if secret is not None else None


async def too_many_codes(ports: IdentityPorts, session: SessionId | None) -> Refusal | None:
    """Count a code that is tried in a session; a refusal where there were too many.

    By session, so that nobody else uses up the person's own tries. Where this is not counted, `one_too_many` is.
    """
    taken = await ports.quotas.take(SECOND_FACTOR, str(session))
    return None if taken.allowed else TooManyTries(_WAIT, taken.retry_after_s)


async def one_too_many(ports: IdentityPorts, work: IdentityWork, person: PersonId, given: Entered) -> Refusal | None:
    """Count a code of six digits, before it is judged; a refusal where there were too many of a person's.

    A recovery code is past guessing, and so remains to a person whose tries somebody else has used up.
    """
    if given.recovery is not None:
        return None
    tried, since = await work.second_factors.count_try(person, ports.clock(), TRIES_WITHIN)
    left = since + TRIES_WITHIN - ports.clock()
    return TooManyTries(_WAIT, math.ceil(left.total_seconds())) if tried > MOST_TRIES else None


async def forget_tries(ports: IdentityPorts, session: SessionId | None) -> None:
    """A code was right: begin to count anew."""
    await ports.quotas.forget(SECOND_FACTOR, str(session))
