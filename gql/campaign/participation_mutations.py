"""What streamers and brands do to come to terms, and with what they agreed on."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from domain.actor import Actor
from domain.campaign import agreeing, beginning, participation
from domain.campaign.participation import ParticipationId
from domain.campaign.ports import CampaignPorts
from domain.refusal import Refusal
from domain.rights import BrandRole
from domain.streamer.model import StreamerId
from gql.access import Right, field
from gql.brand.types import uuid_from
from gql.campaign import participation_answers as answers
from gql.campaign import participation_inputs as inputs
from gql.campaign.participations import participation_id, shown_to
from gql.campaign.types import campaign_id
from gql.context import Context, Info
from gql.node import key_of
from gql.refusals import show
from gql.streamer.types import Streamer

Wanted = strawberry.argument(name="input", description="What is wanted.")
Action = Callable[[CampaignPorts, Actor, ParticipationId], Awaitable[participation.Participation | Refusal]]


@strawberry.type
class ParticipationMutation:
    """How the two sides come to terms."""

    @field(
        Right.SIGNED_IN,
        "Ask to take part in a campaign that runs, as a streamer. The brand answers within a week.",
        graphql_type=answers.ApplyToCampaignResult,
    )
    async def apply_to_campaign(self, info: Info, wanted: Annotated[inputs.ApplyToCampaignInput, Wanted]) -> object:
        """Ask to take part in a campaign."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        terms = wanted.terms.parsed() if wanted.terms else None
        made = await beginning.apply_to_campaign(context.ports.campaign, context.caller, id_, terms)
        return _shown(context, made)

    @field(
        Right.OWNER,
        "Ask a streamer to take part in a campaign that runs. It takes a manager. The streamer answers within a week.",
        role=BrandRole.MANAGER,
        graphql_type=answers.InviteStreamerResult,
    )
    async def invite_streamer(self, info: Info, wanted: Annotated[inputs.InviteStreamerInput, Wanted]) -> object:
        """Ask a streamer to take part in a campaign."""
        context, id_ = info.context, campaign_id(wanted.campaign_id)
        streamer = StreamerId(uuid_from(key_of(Streamer.kind, wanted.streamer_id)))
        terms = wanted.terms.parsed() if wanted.terms else None
        made = await beginning.invite_streamer(context.ports.campaign, context.caller, id_, streamer, terms)
        return _shown(context, made)

    @field(
        Right.OWNER,
        "Answer an offer by other terms, which the other side answers then. On the brand's side it takes a manager.",
        graphql_type=answers.CounterOfferResult,
    )
    async def counter_offer(self, info: Info, wanted: Annotated[inputs.CounterOfferInput, Wanted]) -> object:
        """Answer an offer by other terms."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await agreeing.counter_offer(
            context.ports.campaign, context.caller, id_, wanted.number, wanted.terms.parsed()
        )
        return _shown(context, made)

    @field(
        Right.OWNER,
        "Agree to the other side's open offer, for good. On the brand's side it takes a manager.",
        graphql_type=answers.AcceptOfferResult,
    )
    async def accept_offer(self, info: Info, wanted: Annotated[inputs.AcceptOfferInput, Wanted]) -> object:
        """Agree to the other side's open offer."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await agreeing.accept_offer(context.ports.campaign, context.caller, id_, wanted.number)
        return _shown(context, made)


@strawberry.type
class ParticipationCourseMutation:
    """What becomes of a participation."""

    @field(
        Right.OWNER,
        "Turn the other side's open offer down, and with it the participation. On the brand's side it takes a manager.",
        graphql_type=answers.RejectParticipationResult,
    )
    async def reject_participation(
        self, info: Info, wanted: Annotated[inputs.RejectParticipationInput, Wanted]
    ) -> object:
        """Turn the other side's open offer down."""
        return await _moved(info.context, agreeing.reject_participation, wanted.participation_id)

    @field(
        Right.OWNER,
        "Take your open offer back; a streamer also leaves what was agreed, and keeps what was earned.",
        graphql_type=answers.WithdrawParticipationResult,
    )
    async def withdraw_participation(
        self, info: Info, wanted: Annotated[inputs.WithdrawParticipationInput, Wanted]
    ) -> object:
        """Take an open offer back, or leave."""
        return await _moved(info.context, agreeing.withdraw_participation, wanted.participation_id)

    @field(
        Right.OWNER,
        "Go live with what was agreed, as its streamer: minutes count from now on. Viewers must be told.",
        graphql_type=answers.GoLiveResult,
    )
    async def go_live(self, info: Info, wanted: Annotated[inputs.GoLiveInput, Wanted]) -> object:
        """Go live with what was agreed."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await agreeing.go_live(context.ports.campaign, context.caller, id_, disclosed=wanted.disclosed)
        return _shown(context, made)

    @field(
        Right.OWNER,
        "End a participation that is live, for its brand; what was earned stays earned. It takes a manager.",
        graphql_type=answers.CompleteParticipationResult,
    )
    async def complete_participation(
        self, info: Info, wanted: Annotated[inputs.CompleteParticipationInput, Wanted]
    ) -> object:
        """End a participation that is live."""
        return await _moved(info.context, agreeing.complete_participation, wanted.participation_id)


async def _moved(context: Context, action: Action, id_: str) -> object:
    return _shown(context, await action(context.ports.campaign, context.caller, participation_id(id_)))


def _shown(context: Context, made: participation.Participation | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else shown_to(context, made)
