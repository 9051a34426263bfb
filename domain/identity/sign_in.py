"""Where every way of signing in ends: a session, a question for the second factor, or no."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.actor import Origin
from domain.audit_log import Deed
from domain.identity.arrivals import arrival
from domain.identity.model import PersonStatus, Portal, SecondFactor, Ticket, TicketPurpose
from domain.identity.networks import within
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import PersonBanned, SignInRefused
from domain.identity.sessions import Means, SignedIn, begin_session
from domain.identity.stores import IdentityWork
from domain.ids import PersonId

_ANSWER_WITHIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The first means was right; one of these is to follow, with the challenge."""

    challenge: str
    methods: frozenset[SecondFactor]
    expires_at: datetime


SignInAnswer = SignedIn | SecondFactorNeeded | SignInRefused | PersonBanned


StillRight = Callable[[IdentityWork], Awaitable[bool]]
"""Whether what somebody proved outside of the unit of work holds within it, alone with the person."""


async def finish_sign_in(
    ports: IdentityPorts,
    person: PersonId,
    portal: Portal,
    means: Means,
    origin: Origin | None,
    still_right: StillRight | None = None,
) -> SignInAnswer:
    """Let a person in who proved who they are by `means`. Its doors: each mutation and page that signs in.

    The admin portal takes staff only, from allowed networks. A passkey is two factors in one. Staff without a second
    factor get a session in which they can do nothing but set one up: their rights stand behind it (`Standing.actor`).
    """
    come = await arrival(ports, person, origin)
    async with ports.work() as work:
        status = await work.people.lock(person)
        if still_right is not None and not await still_right(work):
            return SignInRefused()
        if status is not PersonStatus.ACTIVE:
            await work.record(_refused(person, origin, status or "unknown"))
            return PersonBanned() if status is PersonStatus.BANNED else SignInRefused()
        if portal is Portal.ADMIN and not await may_work_here(work, person, origin):
            await work.record(_refused(person, origin, "not staff here"))
            return SignInRefused()
        methods = frozenset() if means is Means.PASSKEY else await work.second_factors.enrolled(person)
        if methods:
            return await _ask(ports, work, person, portal, methods)
        proven = means is Means.PASSKEY
        return await begin_session(ports, work, person, portal, means, second_factor=proven, come=come)


def _refused(person: PersonId, origin: Origin | None, reason: str) -> Deed:
    return Deed("sign_in.refused", f"person:{person}", about=person, origin=origin, reason=reason)


async def may_work_here(work: IdentityWork, person: PersonId, origin: Origin | None) -> bool:
    """Whether a person is staff, at a place where staff may work."""
    if await work.members.staff_role(person) is None:
        return False
    return origin is None or within(await work.members.networks(), origin.address)


async def _ask(
    ports: IdentityPorts, work: IdentityWork, person: PersonId, portal: Portal, methods: frozenset[SecondFactor]
) -> SecondFactorNeeded:
    now, challenge = ports.clock(), ports.opaque_tokens.new()
    expires_at = now + _ANSWER_WITHIN
    await work.tickets.add(
        Ticket(
            ports.opaque_tokens.digest(challenge),
            TicketPurpose.SECOND_FACTOR,
            now,
            expires_at,
            person,
            body=portal.encode(),
        )
    )
    return SecondFactorNeeded(challenge, methods, expires_at)
