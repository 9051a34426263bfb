"""The words of campaigns in the schema."""

from domain.campaign.creatives import CreativeKind, CreativeState
from domain.campaign.model import CampaignState, Pricing
from domain.campaign.participation import OfferState, ParticipationState, Side
from domain.campaign.spending import Pacing, RestReason
from domain.campaign.targeting import Rule, Verdict
from domain.message.model import MessageState
from gql.enums import describe

__all__ = [
    "CampaignState",
    "CreativeKind",
    "CreativeState",
    "MessageState",
    "OfferState",
    "Pacing",
    "ParticipationState",
    "Pricing",
    "RestReason",
    "Rule",
    "Side",
    "Verdict",
]

describe(
    CampaignState,
    "CampaignState",
    "Where a campaign stands.",
    {
        CampaignState.DRAFT: "Its brand plans it.",
        CampaignState.IN_REVIEW: "Staff looks at it.",
        CampaignState.APPROVED: "Staff found nothing wrong: it may be launched.",
        CampaignState.ACTIVE: "Its budget lies in escrow, and it runs.",
        CampaignState.PAUSED: "Its budget lies in escrow, and it stands still.",
        CampaignState.SUSPENDED: "Staff has stopped it, and only staff lets it go on. Its budget lies in escrow.",
        CampaignState.COMPLETED: "It ran. What minutes do not need of its escrow returns to the brand.",
        CampaignState.CANCELLED: "It was given up. What minutes do not need of its escrow returns to the brand.",
    },
)
describe(
    Pricing,
    "Pricing",
    "What a minute costs by.",
    {
        Pricing.CPM: "The rate is for a minute before a thousand viewers.",
        Pricing.FLAT: "The rate is for all agreed minutes together, however many watch.",
    },
)
describe(
    Pacing,
    "Pacing",
    "How a budget is spread over the time that a campaign runs.",
    {
        Pacing.EVEN: "The same share in the same time.",
        Pacing.FRONT_LOADED: "Most at first: three quarters by half of the time.",
    },
)
describe(
    RestReason,
    "CampaignRestReason",
    "Why nothing of a campaign is shown for a while, though it runs.",
    {
        RestReason.DAILY_CAP: "It has spent what it may in a day, or is about to.",
        RestReason.AHEAD_OF_PACE: "It has spent its share of the budget for the days until now, or is about to.",
        RestReason.STREAMER_CAP: "It has spent what it may on one streamer, or is about to.",
        RestReason.MINUTES_USED: "All agreed minutes were shown.",
    },
)
describe(
    Rule,
    "CampaignRule",
    "One thing that a campaign asks of a streamer.",
    {
        Rule.PLATFORM: "Where they have proved an account.",
        Rule.COUNTRY: "Where they are from.",
        Rule.LANGUAGE: "In which language they stream.",
        Rule.CATEGORY: "What they stream about.",
        Rule.RATING: "For whom the stream is fit.",
        Rule.AVERAGE_VIEWERS: "How many watch on average.",
        Rule.BRAND_SAFETY: "What the brand will not be seen beside.",
    },
)
describe(
    Verdict,
    "RuleVerdict",
    "What a rule finds.",
    {
        Verdict.MET: "It is as the campaign asks.",
        Verdict.NOT_MET: "It is not as the campaign asks.",
        Verdict.UNKNOWN: "Nobody knows. That keeps nobody out: the brand decides.",
    },
)
describe(
    CreativeKind,
    "CreativeKind",
    "What a creative is made of.",
    {
        CreativeKind.HTML: "A text with a little mark-up.",
        CreativeKind.IMAGE: "An image.",
        CreativeKind.VIDEO: "A video.",
    },
)
describe(
    CreativeState,
    "CreativeState",
    "What a moderator found of a creative.",
    {
        CreativeState.PENDING: "Nobody has looked yet.",
        CreativeState.APPROVED: "It may be shown.",
        CreativeState.REJECTED: "It may not be shown; the reason tells why.",
        CreativeState.RETIRED: "Its brand took it away, or another has taken its place.",
    },
)
describe(
    Side,
    "Side",
    "Who of the two.",
    {Side.BRAND: "The brand.", Side.STREAMER: "The streamer."},
)
describe(
    OfferState,
    "OfferState",
    "What became of an offer.",
    {
        OfferState.OPEN: "The other side has not answered.",
        OfferState.ACCEPTED: "Both agree on it.",
        OfferState.COUNTERED: "It was answered by another.",
        OfferState.CLOSED: "It was turned down or taken back, or nobody answered in time.",
    },
)
describe(
    ParticipationState,
    "ParticipationState",
    "Where a participation stands.",
    {
        ParticipationState.APPLIED: "The streamer asked; an offer is open.",
        ParticipationState.INVITED: "The brand asked; an offer is open.",
        ParticipationState.ACCEPTED: "The terms are agreed, and stay so.",
        ParticipationState.LIVE: "Minutes count.",
        ParticipationState.COMPLETED: "It was live, and has ended.",
        ParticipationState.REJECTED: "An offer was turned down.",
        ParticipationState.WITHDRAWN: "An offer was taken back or lapsed, or the streamer left.",
    },
)
describe(
    MessageState,
    "MessageState",
    "What there is to read of a message.",
    {
        MessageState.SENT: "Its text.",
        MessageState.HIDDEN: "Nothing: staff has hidden it from both sides.",
        MessageState.ERASED: "Nothing: who wrote it is gone.",
    },
)
