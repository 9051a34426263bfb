"""What campaigns say no to. What is another's is refused as what does not exist."""

from dataclasses import dataclass
from typing import ClassVar

from domain.campaign.creatives import CreativeState
from domain.campaign.model import CampaignState
from domain.campaign.participation import ParticipationState
from domain.campaign.targeting import Rule
from domain.money import Money
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class UnknownCampaign(Refusal):
    """There is no such campaign, or it is not yours."""

    code: ClassVar[str] = "UNKNOWN_CAMPAIGN"
    message: str = "There is no such campaign of yours."


@dataclass(frozen=True, slots=True)
class PlanRefused(Refusal):
    """Something of what the campaign is to be cannot be so."""

    code: ClassVar[str] = "PLAN_REFUSED"
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class CampaignNotReady(Refusal):
    """The campaign does not stand where that can be done."""

    code: ClassVar[str] = "CAMPAIGN_NOT_READY"
    message: str
    state: CampaignState


@dataclass(frozen=True, slots=True)
class CampaignMovedOn(Refusal):
    """What staff looked at has changed meanwhile."""

    code: ClassVar[str] = "CAMPAIGN_MOVED_ON"
    message: str = "The campaign has another plan by now: look at it again."


@dataclass(frozen=True, slots=True)
class BrandNotVerified(Refusal):
    """Only a brand that staff has verified launches campaigns."""

    code: ClassVar[str] = "BRAND_NOT_VERIFIED"
    message: str = "Staff has not verified this brand yet: it launches campaigns after that."


@dataclass(frozen=True, slots=True)
class ScheduleOver(Refusal):
    """The campaign's last day has passed."""

    code: ClassVar[str] = "SCHEDULE_OVER"
    message: str = "The last day of this campaign has passed: give it another schedule first."


@dataclass(frozen=True, slots=True)
class BudgetNotCovered(Refusal):
    """The brand's prepaid wallet does not hold the budget."""

    code: ClassVar[str] = "BUDGET_NOT_COVERED"
    message: str
    missing: Money


@dataclass(frozen=True, slots=True)
class PrepaidFrozen(Refusal):
    """The brand's prepaid wallet is frozen or closed."""

    code: ClassVar[str] = "PREPAID_FROZEN"
    message: str = "The brand's prepaid wallet is frozen: nothing leaves it. Write to us."


@dataclass(frozen=True, slots=True)
class UnknownCreative(Refusal):
    """There is no such creative, or it is not yours."""

    code: ClassVar[str] = "UNKNOWN_CREATIVE"
    message: str = "There is no such creative."


@dataclass(frozen=True, slots=True)
class HtmlRefused(Refusal):
    """The text is too long, or nothing is left of it once what is dangerous is taken out."""

    code: ClassVar[str] = "HTML_REFUSED"
    message: str = "The text is too long, or there is nothing in it that may be shown."


@dataclass(frozen=True, slots=True)
class CreativeNotReady(Refusal):
    """The creative does not stand where that can be done."""

    code: ClassVar[str] = "CREATIVE_NOT_READY"
    message: str
    state: CreativeState


@dataclass(frozen=True, slots=True)
class TooManyCreatives(Refusal):
    """The campaign has as many creatives as it may."""

    code: ClassVar[str] = "TOO_MANY_CREATIVES"
    message: str = "The campaign has as many creatives as it may: take one away first."


@dataclass(frozen=True, slots=True)
class UnknownParticipation(Refusal):
    """There is no such participation, or it is not yours."""

    code: ClassVar[str] = "UNKNOWN_PARTICIPATION"
    message: str = "There is no such participation of yours."


@dataclass(frozen=True, slots=True)
class UnknownStreamer(Refusal):
    """There is no such streamer."""

    code: ClassVar[str] = "UNKNOWN_STREAMER"
    message: str = "There is no such streamer."


@dataclass(frozen=True, slots=True)
class NotEligible(Refusal):
    """A rule of the campaign keeps the streamer out."""

    code: ClassVar[str] = "NOT_ELIGIBLE"
    message: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class MemberTakesPart(Refusal):
    """The streamer acts for the brand that would pay them."""

    code: ClassVar[str] = "MEMBER_TAKES_PART"
    message: str = "Nobody takes part in a campaign of a brand that they act for."


@dataclass(frozen=True, slots=True)
class AlreadyTakingPart(Refusal):
    """The streamer takes part in this campaign already, or is asked to, or has asked to."""

    code: ClassVar[str] = "ALREADY_TAKING_PART"
    message: str = "There is a participation of this streamer in this campaign already: go on with that one."


@dataclass(frozen=True, slots=True)
class TermsRefused(Refusal):
    """Such terms cannot be offered."""

    code: ClassVar[str] = "TERMS_REFUSED"
    message: str = "Offer a rate above zero in the campaign's currency, for 1 to 100000 minutes."


@dataclass(frozen=True, slots=True)
class ParticipationNotReady(Refusal):
    """The participation does not stand where that can be done."""

    code: ClassVar[str] = "PARTICIPATION_NOT_READY"
    message: str
    state: ParticipationState


@dataclass(frozen=True, slots=True)
class NotYourTurn(Refusal):
    """It is for the other side to do that."""

    code: ClassVar[str] = "NOT_YOUR_TURN"
    message: str = "That is for the other side to do: it is they who answer, or who may."


@dataclass(frozen=True, slots=True)
class OfferMovedOn(Refusal):
    """The offer is another by now, or its time is over."""

    code: ClassVar[str] = "OFFER_MOVED_ON"
    message: str = "This offer is no good any more: look at the participation again."


@dataclass(frozen=True, slots=True)
class DisclosureRequired(Refusal):
    """Viewers must be told that they see an advertisement."""

    code: ClassVar[str] = "DISCLOSURE_REQUIRED"
    message: str = "Confirm first that your viewers are told of the advertisement."
