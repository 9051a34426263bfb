"""What earnings say no to."""

from dataclasses import dataclass
from typing import ClassVar

from domain.campaign.escrow import APPEALED_WITHIN
from domain.earning.model import MOST_REPORTS
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class TooManyReports(Refusal):
    """A batch has a size."""

    code: ClassVar[str] = "TOO_MANY_REPORTS"
    message: str = f"Send {MOST_REPORTS} reports at a time, at most."


@dataclass(frozen=True, slots=True)
class MinuteNotInReview(Refusal):
    """There is no such minute, or nothing of it to look at any more."""

    code: ClassVar[str] = "MINUTE_NOT_IN_REVIEW"
    message: str = "There is no such minute that waits for staff."


@dataclass(frozen=True, slots=True)
class DisputeRefused(Refusal):
    """A dispute names minutes, not too many, and says why."""

    code: ClassVar[str] = "DISPUTE_REFUSED"
    message: str = "Name the minutes, a day of them at most, and say what is wrong with them."


@dataclass(frozen=True, slots=True)
class MinutesNotDisputable(Refusal):
    """Not all of the minutes stand where that side could dispute them."""

    code: ClassVar[str] = "MINUTES_NOT_DISPUTABLE"
    message: str = "Brands dispute minutes that wait to be paid, streamers those whose evidence was rejected."


@dataclass(frozen=True, slots=True)
class AppealTooLate(Refusal):
    """What an appeal would be paid from has returned to the brand, or is about to."""

    code: ClassVar[str] = "APPEAL_TOO_LATE"
    message: str = f"An appeal comes within {APPEALED_WITHIN.days} days after staff rejected the evidence of a minute."


@dataclass(frozen=True, slots=True)
class DisputeNotOpen(Refusal):
    """There is no such dispute that waits for staff."""

    code: ClassVar[str] = "DISPUTE_NOT_OPEN"
    message: str = "There is no such dispute that waits to be decided."
