"""What the mutations of campaigns answer."""

from domain.asset import refusals as asset
from domain.brand import refusals as brand
from domain.campaign import refusals
from domain.identity import refusals as identity
from gql.campaign.creatives import Creative
from gql.campaign.staff import CampaignCase
from gql.campaign.types import Campaign
from gql.refusals import result

_OF_A_CAMPAIGN = (refusals.UnknownCampaign, brand.RoleTooLow, refusals.CampaignNotReady)

CreateCampaignResult = result(
    "CreateCampaignResult",
    Campaign,
    refusals.PlanRefused,
    identity.TooManyTries,
    brand.UnknownBrand,
    brand.RoleTooLow,
    refusals.UnknownCampaign,
    description="The campaign, or why there is none.",
)
EditCampaignResult = result(
    "EditCampaignResult",
    Campaign,
    refusals.PlanRefused,
    *_OF_A_CAMPAIGN,
    description="The campaign as it is now, or why nothing has changed.",
)
SubmitCampaignResult = result(
    "SubmitCampaignResult", Campaign, *_OF_A_CAMPAIGN, description="The campaign as it is handed in, or why it is not."
)
PauseCampaignResult = result(
    "PauseCampaignResult",
    Campaign,
    *_OF_A_CAMPAIGN,
    description="The campaign, which stands still, or why it does not.",
)
ResumeCampaignResult = result(
    "ResumeCampaignResult", Campaign, *_OF_A_CAMPAIGN, description="The campaign, which goes on, or why it does not."
)
CompleteCampaignResult = result(
    "CompleteCampaignResult", Campaign, *_OF_A_CAMPAIGN, description="The campaign as it ended, or why it did not."
)
CancelCampaignResult = result(
    "CancelCampaignResult", Campaign, *_OF_A_CAMPAIGN, description="The campaign as it was given up, or why it was not."
)
LaunchCampaignResult = result(
    "LaunchCampaignResult",
    Campaign,
    *_OF_A_CAMPAIGN,
    refusals.BrandNotVerified,
    refusals.ScheduleOver,
    refusals.BudgetNotCovered,
    refusals.PrepaidFrozen,
    description="The campaign, which runs, or why nothing has moved.",
)
DecideCampaignResult = result(
    "DecideCampaignResult",
    CampaignCase,
    identity.ReasonRequired,
    identity.StepUpRequired,
    refusals.UnknownCampaign,
    refusals.CampaignNotReady,
    refusals.CampaignMovedOn,
    description="The campaign as it is decided, or why it is not.",
)
_OF_STAFF = (
    identity.ReasonRequired, identity.StepUpRequired, refusals.UnknownCampaign, refusals.CampaignNotReady,
)  # fmt: skip
SuspendCampaignResult = result(
    "SuspendCampaignResult",
    CampaignCase,
    *_OF_STAFF,
    description="The campaign, which stands still, or why not.",
)
ReinstateCampaignResult = result(
    "ReinstateCampaignResult", CampaignCase, *_OF_STAFF, description="The campaign as it stands again, or why not."
)
AddCreativeResult = result(
    "AddCreativeResult",
    Creative,
    *_OF_A_CAMPAIGN,
    refusals.HtmlRefused,
    asset.AssetNotReady,
    refusals.UnknownCreative,
    refusals.TooManyCreatives,
    description="The creative, or why there is none.",
)
RetireCreativeResult = result(
    "RetireCreativeResult",
    Creative,
    refusals.UnknownCreative,
    brand.RoleTooLow,
    refusals.CreativeNotReady,
    description="The creative, which is shown no more, or why nothing has changed.",
)
DecideCreativeResult = result(
    "DecideCreativeResult",
    Creative,
    identity.ReasonRequired,
    identity.StepUpRequired,
    refusals.UnknownCreative,
    refusals.CreativeNotReady,
    description="The creative as it is decided, or why it is not.",
)
