"""Beginning a participation: a streamer applies, or a brand invites one. Either way an offer is open then."""

from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed
from domain.campaign.editing import not_ready, of_brand
from domain.campaign.events import ParticipationBegun
from domain.campaign.model import Campaign, CampaignId, CampaignState, Terms
from domain.campaign.participation import (
    OFFER_LIFETIME,
    Offer,
    Participation,
    ParticipationId,
    ParticipationState,
    Side,
)
from domain.campaign.ports import CampaignPorts, CampaignWork, Candidate
from domain.campaign.refusals import (
    AlreadyTakingPart,
    MemberTakesPart,
    NotEligible,
    TermsRefused,
    UnknownCampaign,
    UnknownStreamer,
)
from domain.campaign.targeting import Verdict, eligibility
from domain.identity.model import PersonStatus
from domain.identity.refusals import TooManyTries, UnknownPerson
from domain.ids import uuid7
from domain.quotas import PARTICIPATION
from domain.refusal import Refusal
from domain.streamer.model import StreamerId
from domain.streamer.refusals import NotStreamer


async def apply_to_campaign(
    ports: CampaignPorts, actor: Actor, id_: CampaignId, terms: Terms | None = None
) -> Participation | Refusal:
    """Ask to take part, on the campaign's terms or others. Its door: the mutation, for streamers."""
    candidate = await ports.reads.candidate(actor.people)
    if candidate is None:
        return NotStreamer()
    if refusal := await _too_many(ports, actor):
        return refusal
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        campaign = await work.campaigns.share(id_)
        if campaign is None or campaign.launched_at is None:
            return UnknownCampaign()
        return await _begin(ports, work, actor, campaign, candidate, Side.STREAMER, terms)


async def invite_streamer(
    ports: CampaignPorts, actor: Actor, id_: CampaignId, streamer: StreamerId, terms: Terms | None = None
) -> Participation | Refusal:
    """Ask a streamer to take part, on the campaign's terms or others. Its door: the mutation, for managers."""
    candidate = await ports.reads.candidate(streamer)
    if refusal := await _too_many(ports, actor):
        return refusal
    async with ports.work() as work:
        campaign = await of_brand(ports, work, actor, id_)
        if isinstance(campaign, Refusal):
            return campaign
        if candidate is None or await work.people.lock(candidate.person) is None:
            return UnknownStreamer()
        return await _begin(ports, work, actor, campaign, candidate, Side.BRAND, terms)


async def _begin(
    ports: CampaignPorts, work: CampaignWork, actor: Actor, campaign: Campaign, candidate: Candidate, side: Side,
    terms: Terms | None,
) -> Participation | Refusal:  # fmt: skip
    terms, now = terms or campaign.plan.terms, ports.clock()
    if campaign.state is not CampaignState.ACTIVE:
        return not_ready(campaign)
    if refusal := refused_terms(campaign, terms) or _not_eligible(campaign, candidate):
        return refusal
    state = ParticipationState.APPLIED if side is Side.STREAMER else ParticipationState.INVITED
    made = Participation(
        ParticipationId(uuid7()), campaign.id, campaign.brand, candidate.id, candidate.person, side, now, state
    )
    if await work.teams.acts_for(campaign.brand, candidate.person):
        return MemberTakesPart()
    if not await work.participations.add(made):
        return AlreadyTakingPart()
    await work.participations.offer(offer_of(made, campaign, side, 1, terms, now=now))
    await work.record(Deed(f"participation.{state}", f"participation:{made.id}", actor))
    await work.emit(ParticipationBegun(uuid7(), made.id))
    return made


def offer_of(
    participation: Participation, campaign: Campaign, side: Side, number: int, terms: Terms, *, now: datetime
) -> Offer:
    """An offer of a side, under the campaign's plan as it is now."""
    return Offer(participation.id, number, side, terms, campaign.version, now, now + OFFER_LIFETIME)


def refused_terms(campaign: Campaign, terms: Terms) -> Refusal | None:
    """Why terms cannot be offered in a campaign."""
    return None if terms.is_possible and terms.rate.currency is campaign.plan.currency else TermsRefused()


def _not_eligible(campaign: Campaign, candidate: Candidate) -> Refusal | None:
    """What keeps a streamer out; nothing that is only unknown does."""
    findings = eligibility(campaign.plan.targeting, candidate.facts).findings
    found = next((finding for finding in findings if finding.verdict is Verdict.NOT_MET), None)
    return None if found is None else NotEligible(found.why, found.rule)


async def _too_many(ports: CampaignPorts, actor: Actor) -> Refusal | None:
    taken = await ports.quotas.take(PARTICIPATION, f"person:{actor.person}")
    if taken.allowed:
        return None
    return TooManyTries("You have begun many participations lately: wait before the next.", taken.retry_after_s)
