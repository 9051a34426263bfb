"""What the mutations of earnings answer."""

from datetime import datetime
from typing import Self

import strawberry

from domain.campaign import refusals as campaign
from domain.earning import dispute, refusals
from domain.earning.model import MOST_REPORTS
from domain.identity import refusals as identity
from domain.overlay import refusals as overlay
from gql.access import Right, field
from gql.campaign.enums import Side
from gql.campaign.minute_enums import MinuteState
from gql.campaign.participations import Participation
from gql.earning.enums import Ruling, Verdict
from gql.node import global_id
from gql.refusals import result
from gql.weights import at_most

DISPUTE = "Dispute"
_USUALLY_NAMED = 60


@strawberry.type(description="What became of reports.")
class ImpressionReports:
    """What became of reports."""

    verdicts: list[Verdict] = field(
        Right.PARENT, "Of each report, in the order that they were given in.", list_size=at_most(MOST_REPORTS)
    )


@strawberry.type(name=DISPUTE, description="What one side says against minutes. They stand still until staff decides.")
class Dispute:
    """A dispute."""

    id: strawberry.ID = field(Right.PARENT, "The global id.")
    participation_id: strawberry.ID = field(Right.PARENT, "The participation whose minutes they are.")
    side: Side = field(Right.PARENT, "Who opened it.")
    minutes: list[datetime] = field(Right.PARENT, "When they began.", list_size=at_most(_USUALLY_NAMED))
    opened_at: datetime = field(Right.PARENT, "When it was opened.")

    @classmethod
    def of(cls, found: dispute.Dispute) -> Self:
        """Show a dispute."""
        return cls(
            id=global_id(DISPUTE, found.id), participation_id=global_id(Participation.kind, found.participation),
            side=found.side, minutes=list(found.minutes), opened_at=found.opened_at,
        )  # fmt: skip


@strawberry.type(description="A dispute that staff has decided.")
class DecidedDispute:
    """A dispute that staff has decided."""

    id: strawberry.ID = field(Right.PARENT, "The dispute's global id.")
    ruling: Ruling = field(Right.PARENT, "What staff found.")


@strawberry.type(description="A minute that staff has looked at.")
class ReviewedMinute:
    """A minute that staff has looked at."""

    participation_id: strawberry.ID = field(Right.PARENT, "The participation that it belongs to.")
    minute: datetime = field(Right.PARENT, "When it began.")
    state: MinuteState = field(Right.PARENT, "Where it stands now.")


_STAFF = (identity.StepUpRequired, identity.ReasonRequired)

ReportImpressionsResult = result(
    "ReportImpressionsResult",
    ImpressionReports,
    overlay.OverlaySessionUnknown,
    refusals.TooManyReports,
    identity.TooManyTries,
    description="What became of each report, or why none was looked at.",
)
OpenDisputeResult = result(
    "OpenDisputeResult",
    Dispute,
    campaign.UnknownParticipation,
    refusals.DisputeRefused,
    refusals.MinutesNotDisputable,
    refusals.AppealTooLate,
    identity.TooManyTries,
    description="The dispute, or why there is none.",
)
DecideDisputeResult = result(
    "DecideDisputeResult",
    DecidedDispute,
    *_STAFF,
    identity.FourEyesRequired,
    refusals.DisputeRefused,
    refusals.DisputeNotOpen,
    description="The dispute as decided, or why it is not.",
)
ReviewMinuteResult = result(
    "ReviewMinuteResult",
    ReviewedMinute,
    *_STAFF,
    refusals.MinuteNotInReview,
    description="The minute as it stands now, or why nothing has changed.",
)
