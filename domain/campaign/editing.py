"""Planning a campaign: made, edited, handed in, decided on. Roles: its brand's managers plan, staff decides."""

from domain.actor import Actor
from domain.audit_log import Deed, Detail
from domain.brand.model import Brand
from domain.brand.profiles import as_member
from domain.brand.refusals import UnknownBrand
from domain.campaign.events import CampaignCreated, CampaignDecided, CampaignEdited, CampaignEvent, CampaignSubmitted
from domain.campaign.model import Campaign, CampaignId, CampaignStep, Plan
from domain.campaign.ports import CampaignPorts, CampaignWork
from domain.campaign.refusals import CampaignMovedOn, CampaignNotReady, PlanRefused, UnknownCampaign
from domain.identity.refusals import TooManyTries
from domain.identity.staff import check
from domain.ids import BrandId, derived, uuid7
from domain.quotas import CAMPAIGN
from domain.refusal import Refusal
from domain.rights import BrandRole, Permission


async def create_campaign(
    ports: CampaignPorts, actor: Actor, brand: BrandId, plan: Plan, key: str
) -> Campaign | Refusal:
    """Plan a campaign. Its door: the mutation, for managers. The same key again is the same campaign."""
    if plan.fault:
        return _refused(plan.fault)
    id_ = CampaignId(derived(f"campaign:{brand}", key))
    known = (await ports.reads.campaigns_by_id([id_])).get(id_)
    if known is None and not (taken := await ports.quotas.take(CAMPAIGN, f"brand:{brand}")).allowed:
        return TooManyTries("This brand has made many campaigns lately: wait before the next.", taken.retry_after_s)
    made = Campaign(id_, brand, plan, ports.clock())
    async with ports.work() as work:
        found = await as_member(work, actor, brand, BrandRole.MANAGER)
        if isinstance(found, Refusal):
            return found
        if not await work.campaigns.add(made):
            return await work.campaigns.lock(id_) or UnknownCampaign()
        await work.record(Deed("campaign.created", f"campaign:{id_}", actor, after=told(made)))
        await work.emit(CampaignCreated(uuid7(), id_))
    return made


async def edit_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId, plan: Plan) -> Campaign | Refusal:
    """Give a campaign another plan, which is a version of its own. Its door: the mutation, for managers.

    One that staff has seen must be handed in again, unless it runs: then the brief and the budget stay. What was
    agreed with streamers under an earlier version stays what it was.
    """
    if plan.fault:
        return _refused(plan.fault)
    async with ports.work() as work:
        campaign = await of_brand(ports, work, actor, id_)
        if isinstance(campaign, Refusal) or campaign.plan == plan:
            return campaign
        if plan.currency is not campaign.plan.currency:
            return _refused("budget")
        edited = campaign.edited(plan, ports.clock())
        if isinstance(edited, str):
            return PlanRefused(f"`{edited}` stays as it is while the campaign runs.", edited)
        if edited is None:
            return not_ready(campaign)
        return await keep(work, actor, "campaign.edited", campaign, edited, CampaignEdited)


async def submit_campaign(ports: CampaignPorts, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """Hand a campaign in, for staff to look at. Its door: the mutation, for managers."""
    return await step_campaign(ports, actor, id_, CampaignStep.SUBMIT, "campaign.submitted", CampaignSubmitted)


async def decide_campaign(
    ports: CampaignPorts, actor: Actor, id_: CampaignId, version: int, reason: str, *, approve: bool
) -> Campaign | Refusal:
    """Approve a campaign or reject it, in the version that staff looked at. Its door: staff's mutation.

    What is approved and not launched can still be rejected. Raises `NotPermittedError`.
    """
    if refusal := check(ports, actor, Permission.MANAGE_CAMPAIGNS, reason):
        return refusal
    async with ports.work() as work:
        campaign = await work.campaigns.lock(id_)
        if campaign is None:
            return UnknownCampaign()
        if campaign.version != version:
            return CampaignMovedOn()
        step = CampaignStep.APPROVE if approve else CampaignStep.REJECT
        moved = campaign.stepped(step, ports.clock(), "" if approve else reason)
        if moved is None:
            return not_ready(campaign)
        action = "campaign.approved" if approve else "campaign.rejected"
        return await keep(work, actor, action, campaign, moved, CampaignDecided, reason)


async def step_campaign(
    ports: CampaignPorts, actor: Actor, id_: CampaignId, step: CampaignStep, action: str, event: type[CampaignEvent]
) -> Campaign | Refusal:
    """A step that asks for nothing but a manager of the brand, and that the campaign can take it."""
    async with ports.work() as work:
        campaign = await of_brand(ports, work, actor, id_)
        if isinstance(campaign, Refusal):
            return campaign
        moved = campaign.stepped(step, ports.clock())
        return not_ready(campaign) if moved is None else await keep(work, actor, action, campaign, moved, event)


async def of_brand(ports: CampaignPorts, work: CampaignWork, actor: Actor, id_: CampaignId) -> Campaign | Refusal:
    """A campaign of a brand that the actor is a manager of at this moment, locked; or why there is none for them."""
    found = await with_brand(ports, work, actor, id_)
    return found if isinstance(found, Refusal) else found[1]


async def with_brand(
    ports: CampaignPorts, work: CampaignWork, actor: Actor, id_: CampaignId
) -> tuple[Brand, Campaign] | Refusal:
    """The same with the brand. A campaign never changes hands: its brand is looked up before anything is locked."""
    known = (await ports.reads.campaigns_by_id([id_])).get(id_)
    if known is None:
        return UnknownCampaign()
    brand = await as_member(work, actor, known.brand, BrandRole.MANAGER)
    if isinstance(brand, Refusal):
        return UnknownCampaign() if isinstance(brand, UnknownBrand) else brand
    campaign = await work.campaigns.lock(id_)
    return UnknownCampaign() if campaign is None else (brand, campaign)


async def keep(
    work: CampaignWork, actor: Actor | None, action: str, before: Campaign, after: Campaign,
    event: type[CampaignEvent], reason: str = "",
) -> Campaign:  # fmt: skip
    """Keep a step with its deed and its event; a job has no actor."""
    await work.campaigns.save(after)
    changed = {name: value for name, value in told(after).items() if value != told(before)[name]}
    was = {name: told(before)[name] for name in changed}
    await work.record(Deed(action, f"campaign:{after.id}", actor, before=was, after=changed, reason=reason))
    await work.emit(event(uuid7(), after.id))
    return after


def told(campaign: Campaign) -> dict[str, Detail]:
    """A campaign as the audit log tells it; a version is kept whole in its own row."""
    plan = campaign.plan
    return {
        "state": str(campaign.state), "version": campaign.version, "title": plan.brief.title,
        "budget": f"{plan.budget} {plan.currency}",
        "rate": f"{plan.terms.rate} {plan.currency} {plan.terms.pricing} for {plan.terms.minutes} minutes",
    }  # fmt: skip


def not_ready(campaign: Campaign) -> CampaignNotReady:
    """Why a step cannot be taken."""
    state = campaign.state.replace("_", " ")
    return CampaignNotReady(f"That cannot be done with a campaign that is {state}.", campaign.state)


def _refused(field: str) -> PlanRefused:
    return PlanRefused(f"`{field}` is missing, too long, or cannot be so.", field)
