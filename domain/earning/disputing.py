"""Disputing minutes, and deciding on that. Doors: mutations of both sides, and staff's.

A dispute stops the minutes that it names and no others. What staff rules is carried out by the ledger afterwards, under
ids that are the minutes' own, like everything that is asked about them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.actor import Actor
from domain.audit_log import Deed, Detail
from domain.brand.profiles import as_member
from domain.campaign.escrow import APPEALED_WITHIN
from domain.campaign.participation import ParticipationId, Side
from domain.campaign.refusals import UnknownParticipation
from domain.earning.asking import tell
from domain.earning.dispute import LONGEST_REASON, MOST_NAMED, RULED, WHOLE_PRICE, Dispute, DisputeId, Parties, Ruling
from domain.earning.ports import EarningPorts, EarningWork
from domain.earning.refusals import AppealTooLate, DisputeNotOpen, DisputeRefused, MinutesNotDisputable
from domain.errors import KeyDestroyedError
from domain.identity.refusals import FourEyesRequired, TooManyTries
from domain.identity.staff import check
from domain.ids import derived
from domain.quotas import DISPUTE
from domain.refusal import Refusal
from domain.rights import BrandRole, Permission

REASON_FIELD: Final = "dispute_reason"
"""As what the vault seals why minutes are disputed."""


async def open_dispute(
    ports: EarningPorts,
    actor: Actor,
    participation: ParticipationId,
    minutes: Sequence[datetime],
    reason: str,
    key: str,
) -> Dispute | Refusal:
    """Dispute minutes: as the brand's manager those that wait, as the streamer those whose evidence staff rejected.

    A streamer does so within `APPEALED_WITHIN`, by the clock once nobody returns the escrow any more. The same key
    again is the same dispute.
    """
    named = tuple(sorted(set(minutes)))
    if not 0 < len(named) <= MOST_NAMED or not 0 < len(reason.strip()) <= len(reason) <= LONGEST_REASON:
        return DisputeRefused()
    sealed = await _sealed(ports, actor, reason)
    if isinstance(sealed, Refusal):
        return sealed
    id_ = DisputeId(derived(f"dispute:{participation}:{actor.person}", key))
    async with ports.work() as work:
        side = await _side(work, actor, participation)
        if isinstance(side, Refusal):
            return side
        if known := await work.disputes.lock(id_):
            return known
        closed = await work.disputes.disputable(participation, named, side)
        now = ports.clock()
        if closed is None or (side is Side.STREAMER and min(closed) + APPEALED_WITHIN <= now):
            return MinutesNotDisputable() if closed is None else AppealTooLate()
        opened = Dispute(id_, participation, side, actor.person, sealed, now, named)
        changed = await work.disputes.open(opened)
        target, told = f"participation:{participation}", _told(opened)
        await work.record(Deed("dispute.opened", target, actor, about=actor.person, after=told, reason=reason))
        await tell(work, changed)
    return opened


async def decide_dispute(
    ports: EarningPorts, actor: Actor, id_: DisputeId, ruling: Ruling, reason: str, thousandths: int = 0
) -> Ruling | Refusal:
    """Rule on a dispute; reduced, its minutes are paid at so many thousandths of their price.

    Nobody rules on their own. Raises `NotPermittedError`.
    """
    if refusal := check(ports, actor, Permission.MANAGE_DISPUTES, reason):
        return refusal
    if (ruling is Ruling.REDUCED) is not (0 < thousandths < WHOLE_PRICE):
        return DisputeRefused("A reduced price is between nothing and all of it.")
    async with ports.work() as work:
        dispute = await work.disputes.lock(id_)
        if dispute is None or dispute.ruling is not None:
            return DisputeNotOpen()
        parties = await work.disputes.parties(dispute.participation)
        if parties is None or _concerns(actor, dispute, parties):
            return FourEyesRequired()
        if (dispute.side, ruling) not in RULED:
            return DisputeRefused("There is nothing to reduce: these minutes were never paid.")
        changed = await work.disputes.rule(dispute, ruling, thousandths, ports.clock())
        told = {**_told(dispute), "ruling": str(ruling), "thousandths": thousandths}
        await work.record(Deed("dispute.decided", f"dispute:{id_}", actor, after=told, reason=reason))
        await tell(work, changed)
    return ruling


def _told(dispute: Dispute) -> dict[str, Detail]:
    """A dispute as the audit log tells it."""
    first, last = dispute.minutes[0], dispute.minutes[-1]
    return {
        "participation": str(dispute.participation), "side": str(dispute.side), "minutes": len(dispute.minutes),
        "first": first.isoformat(), "last": last.isoformat(),
    }  # fmt: skip


async def _sealed(ports: EarningPorts, actor: Actor, reason: str) -> bytes | Refusal:
    """Somebody's own words, once they may say more of them."""
    taken = await ports.quotas.take(DISPUTE, f"person:{actor.person}")
    if not taken.allowed:
        return TooManyTries("You have disputed much lately: wait before the next.", taken.retry_after_s)
    try:
        return await ports.vault.seal(actor.person, REASON_FIELD, reason)
    except KeyDestroyedError:
        return UnknownParticipation()


def _concerns(actor: Actor, dispute: Dispute, parties: Parties) -> bool:
    """Whether a member of staff is one of the two sides."""
    return bool({dispute.opened_by, parties.person} & set(actor.people)) or parties.brand in actor.brands


async def _side(work: EarningWork, actor: Actor, participation: ParticipationId) -> Side | Refusal:
    """On which side of a participation somebody stands; what is another's is as what does not exist."""
    parties = await work.disputes.parties(participation)
    if parties is None:
        return UnknownParticipation()
    if parties.person in actor.people:
        return Side.STREAMER
    member = await as_member(work, actor, parties.brand, BrandRole.MANAGER)
    return UnknownParticipation() if isinstance(member, Refusal) else Side.BRAND
