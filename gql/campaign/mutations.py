"""What people do with campaigns, and what staff finds of them."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from domain.actor import Actor
from domain.campaign import creatives, editing, model, running, showing, suspending
from domain.campaign.model import CampaignId
from domain.campaign.ports import CampaignPorts
from domain.refusal import Refusal
from domain.rights import BrandRole, Permission
from gql.access import Right, field
from gql.brand.types import brand_id
from gql.campaign import answers, inputs
from gql.campaign.creatives import Creative, creative_id
from gql.campaign.staff import CampaignCase
from gql.campaign.types import Campaign, campaign_id
from gql.context import Context, Info
from gql.refusals import show

Wanted = strawberry.argument(name="input", description="What is wanted.")
Action = Callable[[CampaignPorts, Actor, CampaignId], Awaitable[model.Campaign | Refusal]]


@strawberry.type
class CampaignMutation:
    """What a brand's managers plan."""

    @field(
        Right.OWNER,
        "Plan a campaign for a brand. It takes a manager. Nobody but the brand sees it before it is launched.",
        role=BrandRole.MANAGER,
        graphql_type=answers.CreateCampaignResult,
    )
    async def create_campaign(self, info: Info, wanted: Annotated[inputs.CreateCampaignInput, Wanted]) -> object:
        """Plan a campaign."""
        context, brand = info.context, brand_id(wanted.brand_id)
        plan, key = wanted.plan.parsed(), wanted.key
        return _shown(await editing.create_campaign(context.ports.campaign, context.caller, brand, plan, key))

    @field(
        Right.OWNER,
        "Give a campaign another plan. It takes a manager. What staff has seen must be handed in again, unless it runs:"
        " then title, description, link and budget stay as they are, and what was agreed stays what it was.",
        role=BrandRole.MANAGER,
        graphql_type=answers.EditCampaignResult,
    )
    async def edit_campaign(self, info: Info, wanted: Annotated[inputs.EditCampaignInput, Wanted]) -> object:
        """Give a campaign another plan."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        return _shown(await editing.edit_campaign(context.ports.campaign, context.caller, id_, wanted.plan.parsed()))

    @field(
        Right.OWNER,
        "Hand a campaign in, for staff to look at. It takes a manager.",
        role=BrandRole.MANAGER,
        graphql_type=answers.SubmitCampaignResult,
    )
    async def submit_campaign(self, info: Info, wanted: Annotated[inputs.SubmitCampaignInput, Wanted]) -> object:
        """Hand a campaign in."""
        return await _moved(info.context, editing.submit_campaign, wanted.campaign_id)

    @field(
        Right.STAFF,
        "Approve a campaign, or reject it, which can still be done until it is launched. It takes a reason and a fresh"
        " code (`stepUp`).",
        permission=Permission.MANAGE_CAMPAIGNS,
        graphql_type=answers.DecideCampaignResult,
    )
    async def decide_campaign(self, info: Info, wanted: Annotated[inputs.DecideCampaignInput, Wanted]) -> object:
        """Approve a campaign, or reject it."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        made = await editing.decide_campaign(
            context.ports.campaign, context.caller, id_, wanted.version, wanted.reason, approve=wanted.approve
        )
        return _case(made)


@strawberry.type
class CampaignRunMutation:
    """What becomes of a campaign that may run."""

    @field(
        Right.OWNER,
        "Put the whole budget from the brand's prepaid wallet into escrow, and let an approved campaign run. It takes a"
        " manager, and a brand that staff has verified.",
        role=BrandRole.MANAGER,
        graphql_type=answers.LaunchCampaignResult,
    )
    async def launch_campaign(self, info: Info, wanted: Annotated[inputs.LaunchCampaignInput, Wanted]) -> object:
        """Let an approved campaign run."""
        return await _moved(info.context, running.launch_campaign, wanted.campaign_id)

    @field(
        Right.OWNER,
        "Let a campaign stand still, at once; what was shown by then is paid. It takes a manager.",
        role=BrandRole.MANAGER,
        graphql_type=answers.PauseCampaignResult,
    )
    async def pause_campaign(self, info: Info, wanted: Annotated[inputs.PauseCampaignInput, Wanted]) -> object:
        """Let a campaign stand still."""
        return await _moved(info.context, running.pause_campaign, wanted.campaign_id)

    @field(
        Right.OWNER,
        "Let a paused campaign go on. It takes a manager. What staff has suspended only staff lets go on.",
        role=BrandRole.MANAGER,
        graphql_type=answers.ResumeCampaignResult,
    )
    async def resume_campaign(self, info: Info, wanted: Annotated[inputs.ResumeCampaignInput, Wanted]) -> object:
        """Let a paused campaign go on."""
        return await _moved(info.context, running.resume_campaign, wanted.campaign_id)

    @field(
        Right.STAFF,
        "Stop a campaign that runs, at once, whatever its brand wants, who reads why; what was shown by then is paid."
        " It takes a reason and a fresh code (`stepUp`).",
        permission=Permission.MANAGE_CAMPAIGNS,
        graphql_type=answers.SuspendCampaignResult,
    )
    async def suspend_campaign(self, info: Info, wanted: Annotated[inputs.SuspendCampaignInput, Wanted]) -> object:
        """Stop a campaign that runs."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        return _case(await suspending.suspend_campaign(context.ports.campaign, context.caller, id_, wanted.reason))

    @field(
        Right.STAFF,
        "Let a campaign that staff suspended stand as it stood before: it goes on, or is paused as its brand had it. It"
        " takes a reason and a fresh code (`stepUp`).",
        permission=Permission.MANAGE_CAMPAIGNS,
        graphql_type=answers.ReinstateCampaignResult,
    )
    async def reinstate_campaign(self, info: Info, wanted: Annotated[inputs.ReinstateCampaignInput, Wanted]) -> object:
        """Let a campaign that staff suspended stand as it stood before."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        return _case(await suspending.reinstate_campaign(context.ports.campaign, context.caller, id_, wanted.reason))

    @field(
        Right.OWNER,
        "End a campaign that was launched: from this moment on nothing of it is shown or counted. It takes a manager."
        " By itself it ends with its last day. What is left in escrow is the brand's again: at once where nobody went"
        " live in it; else as soon as the last minutes have their price, some minutes later, and what is still disputed"
        " or waits for staff after that.",
        role=BrandRole.MANAGER,
        graphql_type=answers.CompleteCampaignResult,
    )
    async def complete_campaign(self, info: Info, wanted: Annotated[inputs.CompleteCampaignInput, Wanted]) -> object:
        """End a campaign."""
        return await _moved(info.context, running.complete_campaign, wanted.campaign_id)

    @field(
        Right.OWNER,
        "Give a campaign up, wherever it stands. It takes a manager. What lies in escrow returns as after"
        " `completeCampaign`.",
        role=BrandRole.MANAGER,
        graphql_type=answers.CancelCampaignResult,
    )
    async def cancel_campaign(self, info: Info, wanted: Annotated[inputs.CancelCampaignInput, Wanted]) -> object:
        """Give a campaign up."""
        return await _moved(info.context, running.cancel_campaign, wanted.campaign_id)


@strawberry.type
class CreativeMutation:
    """What campaigns show."""

    @field(
        Right.OWNER,
        "Give a campaign something to show. It takes a manager. It is shown once a moderator has approved it; one that"
        " replaces another takes its place then.",
        role=BrandRole.MANAGER,
        graphql_type=answers.AddCreativeResult,
    )
    async def add_creative(self, info: Info, wanted: Annotated[inputs.AddCreativeInput, Wanted]) -> object:
        """Give a campaign something to show."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        replaces = creative_id(wanted.replaces_id) if wanted.replaces_id else None
        made = await showing.add_creative(
            context.ports.campaign, context.caller, id_, wanted.content, wanted.key, replaces
        )
        return _creative(made)

    @field(
        Right.OWNER,
        "Show a creative no more, at once. It takes a manager.",
        role=BrandRole.MANAGER,
        graphql_type=answers.RetireCreativeResult,
    )
    async def retire_creative(self, info: Info, wanted: Annotated[inputs.RetireCreativeInput, Wanted]) -> object:
        """Show a creative no more."""
        context, id_ = info.context, creative_id(wanted.creative_id)
        return _creative(await showing.retire_creative(context.ports.campaign, context.caller, id_))

    @field(
        Right.STAFF,
        "Approve a creative, or reject it, an approved one, too: it is shown no more, at once. It takes a reason and a"
        " fresh code (`stepUp`).",
        permission=Permission.MODERATE_CONTENT,
        graphql_type=answers.DecideCreativeResult,
    )
    async def decide_creative(self, info: Info, wanted: Annotated[inputs.DecideCreativeInput, Wanted]) -> object:
        """Approve a creative, or reject it."""
        context, id_ = info.context, creative_id(wanted.creative_id)
        made = await showing.decide_creative(
            context.ports.campaign, context.caller, id_, wanted.reason, approve=wanted.approve
        )
        return _creative(made)


def _creative(made: creatives.Creative | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else Creative.of(made)


def _case(made: model.Campaign | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else CampaignCase(found=made)


async def _moved(context: Context, action: Action, id_: str) -> object:
    return _shown(await action(context.ports.campaign, context.caller, campaign_id(id_)))


def _shown(made: model.Campaign | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else Campaign(found=made)
