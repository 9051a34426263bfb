"""Staff stops campaigns that run, and only staff lets them go on."""

from domain.actor import Actor
from domain.campaign.editing import keep, not_ready
from domain.campaign.events import CampaignPaused, CampaignResumed
from domain.campaign.model import Campaign, CampaignId, CampaignStep
from domain.campaign.ports import CampaignPorts
from domain.campaign.refusals import UnknownCampaign
from domain.identity.staff import check
from domain.refusal import Refusal
from domain.rights import Permission


async def suspend_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId, reason: str) -> Campaign | Refusal:
    """Stop a campaign that runs, whatever its brand wants. Its door: staff's mutation. Raises `NotPermittedError`."""
    if refusal := check(ports, actor, Permission.MANAGE_CAMPAIGNS, reason):
        return refusal
    async with ports.work() as work:
        campaign = await work.campaigns.lock(id_)
        if campaign is None:
            return UnknownCampaign()
        stopped = campaign.stepped(CampaignStep.SUSPEND, ports.clock(), reason)
        if stopped is None:
            return not_ready(campaign)
        return await keep(work, actor, "campaign.suspended", campaign, stopped, CampaignPaused, reason)


async def reinstate_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId, reason: str) -> Campaign | Refusal:
    """Let a campaign that staff stopped stand as it stood before: what its brand had paused stays paused.

    Its door: staff's mutation. Raises `NotPermittedError`.
    """
    if refusal := check(ports, actor, Permission.MANAGE_CAMPAIGNS, reason):
        return refusal
    async with ports.work() as work:
        campaign = await work.campaigns.lock(id_)
        if campaign is None:
            return UnknownCampaign()
        back = campaign.reinstated(ports.clock())
        if back is None:
            return not_ready(campaign)
        return await keep(work, actor, "campaign.reinstated", campaign, back, CampaignResumed, reason)
