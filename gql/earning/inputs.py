"""What the mutations of earnings take."""

from datetime import datetime

import strawberry

from domain.earning import model
from domain.earning.dispute import MOST_NAMED
from domain.earning.model import MOST_REPORTS
from domain.earning.sharing import seconds_between, union
from gql.campaign.creatives import creative_id
from gql.campaign.participations import participation_id
from gql.earning.enums import Ruling
from gql.errors import BadInputError


@strawberry.input(description="Seconds of one minute that follow each other.")
class SecondsInput:
    """Seconds that follow each other."""

    first: int = strawberry.field(description="The first of them: 0 to 59.")
    last: int = strawberry.field(description="The last of them, which belongs to them: 0 to 59.")


@strawberry.input(description="In which seconds of a minute a creative was visible, active and streaming.")
class ImpressionInput:
    """In which seconds of a minute a creative was visible."""

    participation_id: strawberry.ID = strawberry.field(description="The participation that it is shown in.")
    creative_id: strawberry.ID = strawberry.field(description="What is shown.")
    minute: datetime = strawberry.field(description="When the minute began.")
    visible: list[SecondsInput] = strawberry.field(description="When it was visible.")

    def parsed(self) -> model.Report:
        """The report as the domain knows it. Raises `BadInputError`."""
        try:
            seen = union(seconds_between(each.first, each.last) for each in self.visible)
        except ValueError as error:
            raise BadInputError(f"This cannot have been visible: {error}.") from None
        return model.Report(participation_id(self.participation_id), creative_id(self.creative_id), self.minute, seen)


@strawberry.input(description="What an overlay has shown. The same may be said again: a second counts once.")
class ReportImpressionsInput:
    """What an overlay has shown."""

    session_id: str = strawberry.field(description="The session that the overlay's scene told.")
    nonce: str = strawberry.field(description="The session's nonce.")
    reports: list[ImpressionInput] = strawberry.field(description=f"What was shown: {MOST_REPORTS} reports at most.")


@strawberry.input(description="Which minutes to dispute, and why.")
class OpenDisputeInput:
    """Which minutes to dispute."""

    participation_id: strawberry.ID = strawberry.field(description="The global id of the participation.")
    minutes: list[datetime] = strawberry.field(description=f"When they began: {MOST_NAMED} at most.")
    reason: str = strawberry.field(description="What is wrong with them.")
    idempotency_key: str = strawberry.field(description="The same key again is the same dispute.")


@strawberry.input(description="What staff finds of a dispute.")
class DecideDisputeInput:
    """What staff finds of a dispute."""

    dispute_id: strawberry.ID = strawberry.field(description="The global id of the dispute.")
    ruling: Ruling = strawberry.field(description="What you find.")
    thousandths: int = strawberry.field(default=0, description="Of a reduced price: how many thousandths are paid.")
    reason: str = strawberry.field(description="Why: it is written down.")


@strawberry.input(description="What staff says of a minute whose evidence is odd.")
class ReviewMinuteInput:
    """What staff says of a minute."""

    participation_id: strawberry.ID = strawberry.field(description="The global id of the participation.")
    minute: datetime = strawberry.field(description="When the minute began.")
    counts: bool = strawberry.field(description="Whether it counts.")
    reason: str = strawberry.field(description="Why: it is written down.")
