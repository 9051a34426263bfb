"""From an offer to the last minute: countered, accepted, live, completed; or rejected, withdrawn, lapsed.

Whoever made the open offer waits; the other side answers it, by its number: nobody accepts terms that they have not
seen. The campaign is locked before the participation, so that none is agreed on or goes live in one that has ended.
"""

from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed, Detail
from domain.brand.profiles import as_member
from domain.brand.refusals import UnknownBrand
from domain.campaign.beginning import offer_of, refused_terms
from domain.campaign.editing import not_ready
from domain.campaign.events import (
    OfferAccepted,
    OfferCountered,
    ParticipationEnded,
    ParticipationEvent,
    ParticipationWentLive,
    ScreensChanged,
)
from domain.campaign.model import Campaign, CampaignState, Terms
from domain.campaign.participation import (
    Offer,
    OfferState,
    Participation,
    ParticipationId,
    ParticipationState,
    ParticipationStep,
    Side,
)
from domain.campaign.ports import CampaignPorts, CampaignWork
from domain.campaign.refusals import (
    DisclosureRequired,
    MemberTakesPart,
    NotYourTurn,
    OfferMovedOn,
    ParticipationNotReady,
    UnknownParticipation,
)
from domain.ids import uuid7
from domain.refusal import Refusal
from domain.rights import BrandRole
from domain.work import Swept

_BATCH = 100
_T = ParticipationStep
Table = tuple[Participation, Campaign, Side]


async def counter_offer(
    ports: CampaignPorts, actor: Actor, id_: ParticipationId, number: int, terms: Terms
) -> Participation | Refusal:
    """Answer an offer by other terms, which the other side answers then. Its door: the mutation, for both sides."""
    async with ports.work() as work:
        found = await _answering(ports, work, actor, id_, number)
        if isinstance(found, Refusal):
            return found
        (participation, campaign, side), _ = found
        moved = participation.stepped(_T.COUNTER, ports.clock())
        if refusal := refused_terms(campaign, terms):
            return refusal
        if moved is None:
            return _not_ready(participation)
        await work.participations.close_offer(id_, OfferState.COUNTERED)
        offer = offer_of(participation, campaign, side, number + 1, terms, now=ports.clock())
        await work.participations.offer(offer)
        return await _keep(work, actor, "participation.countered", participation, moved, OfferCountered)


async def accept_offer(
    ports: CampaignPorts, actor: Actor, id_: ParticipationId, number: int
) -> Participation | Refusal:
    """Agree on the terms of the open offer, for good. Its door: the mutation, for the side that did not make it."""
    async with ports.work() as work:
        found = await _answering(ports, work, actor, id_, number)
        if isinstance(found, Refusal):
            return found
        (participation, _, _), offer = found
        moved = participation.agreed(offer, ports.clock())
        if moved is None:
            return _not_ready(participation)
        if await work.teams.acts_for(participation.brand, participation.person):
            return MemberTakesPart()
        await work.participations.close_offer(id_, OfferState.ACCEPTED)
        return await _keep(work, actor, "participation.accepted", participation, moved, OfferAccepted)


async def reject_participation(ports: CampaignPorts, actor: Actor, id_: ParticipationId) -> Participation | Refusal:
    """Turn an open offer down, and with it the participation. Its door: the mutation, for who is to answer it."""
    async with ports.work() as work:
        found = await _at_the_table(ports, work, actor, id_)
        if isinstance(found, Refusal):
            return found
        participation, _, side = found
        moved = participation.stepped(_T.REJECT, ports.clock())
        offer = await work.participations.open_offer(id_)
        if moved is None or offer is None:
            return _not_ready(participation)
        if offer.side is side:
            return NotYourTurn()
        await work.participations.close_offer(id_, OfferState.CLOSED)
        return await _keep(work, actor, "participation.rejected", participation, moved, ParticipationEnded)


async def withdraw_participation(ports: CampaignPorts, actor: Actor, id_: ParticipationId) -> Participation | Refusal:
    """Take back what one has offered; a streamer also leaves what was agreed, and keeps what they earned.

    Its door: the mutation, for both sides.
    """
    async with ports.work() as work:
        found = await _at_the_table(ports, work, actor, id_)
        if isinstance(found, Refusal):
            return found
        participation, _, side = found
        moved = participation.stepped(_T.WITHDRAW, ports.clock())
        if moved is None:
            return _not_ready(participation)
        offer = await work.participations.open_offer(id_)
        if side is not (offer.side if offer else Side.STREAMER):
            return NotYourTurn()
        await work.participations.close_offer(id_, OfferState.CLOSED)
        return await _keep(work, actor, "participation.withdrawn", participation, moved, ParticipationEnded)


async def go_live(
    ports: CampaignPorts, actor: Actor, id_: ParticipationId, *, disclosed: bool
) -> Participation | Refusal:
    """Let minutes count from now on; viewers are told whose they are. Its door: the mutation, for the streamer."""
    async with ports.work() as work:
        found = await _at_the_table(ports, work, actor, id_)
        if isinstance(found, Refusal):
            return found
        participation, campaign, side = found
        if side is not Side.STREAMER:
            return NotYourTurn()
        moved = participation.stepped(_T.GO_LIVE, ports.clock())
        if moved is None:
            return _not_ready(participation)
        if campaign.state is not CampaignState.ACTIVE:
            return not_ready(campaign)
        if not disclosed:
            return DisclosureRequired()
        return await _keep(work, actor, "participation.live", participation, moved, ParticipationWentLive)


async def complete_participation(ports: CampaignPorts, actor: Actor, id_: ParticipationId) -> Participation | Refusal:
    """End a participation that is live; what was earned stays earned. Its door: the mutation, for the brand."""
    async with ports.work() as work:
        found = await _at_the_table(ports, work, actor, id_)
        if isinstance(found, Refusal):
            return found
        participation, _, side = found
        if side is not Side.BRAND:
            return NotYourTurn()
        moved = participation.stepped(_T.COMPLETE, ports.clock())
        if moved is None:
            return _not_ready(participation)
        return await _keep(work, actor, "participation.completed", participation, moved, ParticipationEnded)


async def lapse_offers(ports: CampaignPorts, now: datetime) -> Swept:
    """Withdraw participations whose open offer nobody answered in time. Its door: the schedule, also many at once."""
    swept = Swept()
    for id_ in await ports.reads.unanswered(now, _BATCH):
        swept.looked_at += 1
        try:
            async with ports.work() as work:
                participation = await work.participations.lock(id_)
                offer = await work.participations.open_offer(id_)
                if participation is not None and offer is not None and offer.expires_at <= now:
                    await _lapse(work, participation, now)
        except Exception as error:  # noqa: BLE001  # one participation's trouble must not stop the others
            swept.failed.append((str(id_), error))
    return swept


async def end_all(work: CampaignWork, campaign: Campaign, now: datetime) -> None:
    """A campaign has ended, and is locked: who is live has completed, what was not begun or agreed on is over."""
    for participation in await work.participations.under_way(campaign.id):
        if participation.state is ParticipationState.LIVE:
            moved = participation.stepped(_T.COMPLETE, now)
            if moved is not None:
                await _keep(work, None, "participation.completed", participation, moved, ParticipationEnded)
        else:
            await _lapse(work, participation, now)


async def _lapse(work: CampaignWork, participation: Participation, now: datetime) -> None:
    moved = participation.stepped(_T.LAPSE, now)
    if moved is not None:
        await work.participations.close_offer(participation.id, OfferState.CLOSED)
        await _keep(work, None, "participation.lapsed", participation, moved, ParticipationEnded)


async def _answering(
    ports: CampaignPorts, work: CampaignWork, actor: Actor, id_: ParticipationId, number: int
) -> tuple[Table, Offer] | Refusal:
    """The open offer that the actor is to answer, of a campaign that runs; or why there is none."""
    found = await _at_the_table(ports, work, actor, id_)
    if isinstance(found, Refusal):
        return found
    participation, campaign, side = found
    offer = await work.participations.open_offer(id_)
    if offer is None:
        return _not_ready(participation)
    if offer.number != number or offer.expires_at <= ports.clock():
        return OfferMovedOn()
    if offer.side is side:
        return NotYourTurn()
    return not_ready(campaign) if campaign.state is not CampaignState.ACTIVE else (found, offer)


async def _at_the_table(
    ports: CampaignPorts, work: CampaignWork, actor: Actor, id_: ParticipationId
) -> Table | Refusal:
    """A participation with its campaign and the actor's side, alone with it; what is others' is unknown."""
    known = (await ports.reads.participations_by_id([id_])).get(id_)
    if known is None:
        return UnknownParticipation()
    side = known.side_of(actor.people)
    if side is Side.BRAND:
        brand = await as_member(work, actor, known.brand, BrandRole.MANAGER)
        if isinstance(brand, Refusal):
            return UnknownParticipation() if isinstance(brand, UnknownBrand) else brand
    campaign = await work.campaigns.share(known.campaign)
    participation = await work.participations.lock(id_)
    return UnknownParticipation() if campaign is None or participation is None else (participation, campaign, side)


async def _keep(
    work: CampaignWork, actor: Actor | None, action: str, before: Participation, after: Participation,
    event: type[ParticipationEvent],
) -> Participation:  # fmt: skip
    await work.participations.save(after)
    was: dict[str, Detail] = {"state": str(before.state)}
    now: dict[str, Detail] = {"state": str(after.state)}
    if after.agreement is not None and before.agreement is None:
        terms = after.agreement.terms
        now["terms"] = f"{terms.rate} {terms.rate.currency} {terms.pricing} for {terms.minutes} minutes"
    await work.record(Deed(action, f"participation:{after.id}", actor, before=was, after=now))
    await work.emit(event(uuid7(), after.id))
    if after.streamer is not None and ParticipationState.LIVE in {before.state, after.state}:
        await work.emit(ScreensChanged(uuid7(), after.streamer))
    return after


def _not_ready(participation: Participation) -> ParticipationNotReady:
    state = participation.state
    return ParticipationNotReady(f"That cannot be done with a participation that is {state}.", state)
