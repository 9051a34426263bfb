"""Launching a campaign, halting it, and ending it: the budget goes into escrow whole."""

from datetime import datetime

from domain.actor import Actor
from domain.brand.model import Verification
from domain.campaign.agreeing import end_all
from domain.campaign.editing import keep, not_ready, of_brand, step_campaign, with_brand
from domain.campaign.escrow import fund, give_back
from domain.campaign.events import CampaignEnded, CampaignLaunched, CampaignPaused, CampaignResumed
from domain.campaign.model import Campaign, CampaignId, CampaignStep
from domain.campaign.ports import CampaignPorts, CampaignWork
from domain.campaign.refusals import BrandNotVerified, ScheduleOver
from domain.refusal import Refusal
from domain.work import Swept

_BATCH = 100


async def launch_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """Put the budget into escrow and let an approved campaign run. Its door: the mutation, for managers.

    Where the brand's prepaid wallet does not hold all of it, nothing moves and nothing changes.
    """
    async with ports.work() as work:
        found = await with_brand(ports, work, actor, id_)
        if isinstance(found, Refusal):
            return found
        brand, campaign = found
        now = ports.clock()
        launched = campaign.stepped(CampaignStep.LAUNCH, now)
        if launched is None:
            return not_ready(campaign)
        if brand.verification is not Verification.VERIFIED:
            return BrandNotVerified()
        if campaign.plan.schedule.closes_at <= now:
            return ScheduleOver()
        if refusal := await fund(work, campaign):
            return refusal
        return await keep(work, actor, "campaign.launched", campaign, launched, CampaignLaunched)


async def pause_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """Let a campaign stand still from this moment on. Its door: the mutation, for managers."""
    return await step_campaign(ports, actor, id_, CampaignStep.PAUSE, "campaign.paused", CampaignPaused)


async def resume_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """Let a paused campaign go on. Its door: the mutation, for managers. What staff has stopped stands still."""
    return await step_campaign(ports, actor, id_, CampaignStep.RESUME, "campaign.resumed", CampaignResumed)


async def complete_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """End a campaign that ran; nothing of it counts any more. Its door: the mutation, for managers."""
    async with ports.work() as work:
        campaign = await of_brand(ports, work, actor, id_)
        if isinstance(campaign, Refusal):
            return campaign
        return await _end(ports, work, actor, campaign, CampaignStep.COMPLETE)


async def cancel_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """Give a campaign up, wherever it stands. Its door: the mutation, for managers."""
    async with ports.work() as work:
        campaign = await of_brand(ports, work, actor, id_)
        if isinstance(campaign, Refusal):
            return campaign
        return await _end(ports, work, actor, campaign, CampaignStep.CANCEL)


async def complete_due(ports: CampaignPorts, now: datetime) -> Swept:
    """Complete campaigns whose last day has passed. Its door: the schedule; many may run at once."""
    swept = Swept()
    for id_ in await ports.reads.over(now, _BATCH):
        swept.looked_at += 1
        try:
            async with ports.work() as work:
                campaign = await work.campaigns.lock(id_)
                if campaign is not None and campaign.state.runs and campaign.plan.schedule.closes_at <= now:
                    await _end(ports, work, None, campaign, CampaignStep.COMPLETE)
        except Exception as error:  # noqa: BLE001  # one campaign's trouble must not stop the others
            swept.failed.append((str(id_), error))
    return swept


async def _end(
    ports: CampaignPorts, work: CampaignWork, actor: Actor | None, campaign: Campaign, step: CampaignStep
) -> Campaign | Refusal:
    """Complete or cancel. Where nobody ever went live the escrow returns whole; else a job gives back what is left."""
    now = ports.clock()
    ended = campaign.stepped(step, now)
    if ended is None:
        return not_ready(campaign)
    if campaign.state.runs:
        await end_all(work, campaign, now)
        if not await work.participations.ever_live(campaign.id):
            ended = await give_back(work, ended, now)
    return await keep(work, actor, f"campaign.{ended.state}", campaign, ended, CampaignEnded)
