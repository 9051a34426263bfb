"""What the mutations of participations answer."""

from domain.brand import refusals as brand
from domain.campaign import refusals
from domain.identity import refusals as identity
from domain.streamer import refusals as streamer
from gql.campaign.participations import Participation
from gql.refusals import result

_BEGINNING = (
    refusals.UnknownCampaign,
    refusals.CampaignNotReady,
    refusals.NotEligible,
    refusals.TermsRefused,
    refusals.AlreadyTakingPart,
    refusals.MemberTakesPart,
    identity.TooManyTries,
)
_OF_ONE = (refusals.UnknownParticipation, brand.RoleTooLow, refusals.ParticipationNotReady, refusals.NotYourTurn)

ApplyToCampaignResult = result(
    "ApplyToCampaignResult",
    Participation,
    *_BEGINNING,
    streamer.NotStreamer,
    identity.UnknownPerson,
    description="The participation, or why there is none.",
)
InviteStreamerResult = result(
    "InviteStreamerResult",
    Participation,
    *_BEGINNING,
    brand.RoleTooLow,
    refusals.UnknownStreamer,
    description="The participation, or why there is none.",
)
CounterOfferResult = result(
    "CounterOfferResult",
    Participation,
    *_OF_ONE,
    refusals.OfferMovedOn,
    refusals.CampaignNotReady,
    refusals.TermsRefused,
    description="The participation with the other offer, or why there is none.",
)
AcceptOfferResult = result(
    "AcceptOfferResult",
    Participation,
    *_OF_ONE,
    refusals.OfferMovedOn,
    refusals.CampaignNotReady,
    refusals.MemberTakesPart,
    description="The participation as agreed, or why it is not.",
)
RejectParticipationResult = result(
    "RejectParticipationResult", Participation, *_OF_ONE, description="The participation, or why it goes on."
)
WithdrawParticipationResult = result(
    "WithdrawParticipationResult", Participation, *_OF_ONE, description="The participation, or why it goes on."
)
CompleteParticipationResult = result(
    "CompleteParticipationResult", Participation, *_OF_ONE, description="The participation, or why it goes on."
)
GoLiveResult = result(
    "GoLiveResult",
    Participation,
    *_OF_ONE,
    refusals.CampaignNotReady,
    refusals.DisclosureRequired,
    description="The participation, which is live, or why it is not.",
)
