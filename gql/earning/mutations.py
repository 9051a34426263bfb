"""What overlays report, what both sides dispute, and what staff says of it."""

from typing import Annotated

import strawberry

from domain.earning.dispute import DisputeId
from domain.earning.disputing import decide_dispute, open_dispute
from domain.earning.intake import report_impressions
from domain.earning.model import Source
from domain.earning.review import review_minute
from domain.overlay.refusals import OverlaySessionUnknown
from domain.overlay.sessions import believed
from domain.refusal import Refusal
from domain.rights import Permission
from gql.access import Right, field
from gql.campaign.participations import participation_id
from gql.context import Info
from gql.earning import answers, inputs
from gql.refusals import show
from gql.staff.types import uuid_of

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class EarningMutation:
    """What overlays report, and what both sides dispute."""

    @field(
        Right.OVERLAY,
        "Tell what the overlay has shown whose token is given. Who watched it the server finds out by itself.",
        graphql_type=answers.ReportImpressionsResult,
    )
    async def report_impressions(self, info: Info, wanted: Annotated[inputs.ReportImpressionsInput, Wanted]) -> object:
        """Tell what an overlay has shown."""
        ports, screen = info.context.ports, info.context.calling_screen
        if believed(ports.overlay.vault, screen, wanted.session_id, wanted.nonce) is None:
            return show(OverlaySessionUnknown())
        reports = [report.parsed() for report in wanted.reports]
        made = await report_impressions(ports.earning, Source(screen.overlay, screen.streamer), reports)
        return show(made) if isinstance(made, Refusal) else answers.ImpressionReports(verdicts=list(made))

    @field(
        Right.OWNER,
        "Dispute minutes of a participation: as the brand's manager those that wait to be paid, as the streamer those"
        " whose evidence staff rejected, within 7 days (`EarnedMinute.appealableUntil`). They stand still until staff"
        " decides.",
        graphql_type=answers.OpenDisputeResult,
    )
    async def open_dispute(self, info: Info, wanted: Annotated[inputs.OpenDisputeInput, Wanted]) -> object:
        """Dispute minutes."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await open_dispute(
            context.ports.earning, context.caller, id_, wanted.minutes, wanted.reason, wanted.idempotency_key
        )
        return show(made) if isinstance(made, Refusal) else answers.Dispute.of(made)


@strawberry.type
class EarningStaffMutation:
    """What staff says of minutes."""

    @field(
        Right.STAFF,
        "Decide a dispute. It takes a fresh code (`stepUp`), and nobody decides their own.",
        permission=Permission.MANAGE_DISPUTES,
        graphql_type=answers.DecideDisputeResult,
    )
    async def decide_dispute(self, info: Info, wanted: Annotated[inputs.DecideDisputeInput, Wanted]) -> object:
        """Decide a dispute."""
        context, id_ = info.context, DisputeId(uuid_of(answers.DISPUTE, wanted.dispute_id))
        made = await decide_dispute(
            context.ports.earning, context.caller, id_, wanted.ruling, wanted.reason, wanted.thousandths
        )
        return show(made) if isinstance(made, Refusal) else answers.DecidedDispute(id=wanted.dispute_id, ruling=made)

    @field(
        Right.STAFF,
        "Let a minute count whose evidence is odd, or not. It takes a fresh code (`stepUp`).",
        permission=Permission.MANAGE_DISPUTES,
        graphql_type=answers.ReviewMinuteResult,
    )
    async def review_minute(self, info: Info, wanted: Annotated[inputs.ReviewMinuteInput, Wanted]) -> object:
        """Say of a minute whether it counts."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await review_minute(
            context.ports.earning, context.caller, id_, wanted.minute, wanted.reason, counts=wanted.counts
        )
        if isinstance(made, Refusal):
            return show(made)
        return answers.ReviewedMinute(participation_id=wanted.participation_id, minute=wanted.minute, state=made)
