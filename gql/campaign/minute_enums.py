"""The words of minutes in the schema."""

from domain.earning.model import Doubt, MinuteState, Unpaid
from gql.enums import describe

__all__ = ["Doubt", "MinuteState", "Unpaid"]

describe(
    MinuteState,
    "MinuteState",
    "Where a minute of a participation stands.",
    {
        MinuteState.OPEN: "Reports still come in.",
        MinuteState.REVIEW: "Its evidence is odd: staff looks at it.",
        MinuteState.DECIDING: "It has its price, and is about to be set aside.",
        MinuteState.HELD: "Its cost is set aside in the escrow, and waits.",
        MinuteState.RELEASING: "It has waited long enough, and is about to be paid.",
        MinuteState.FROZEN: "Its brand disputes it: nothing moves until staff decides.",
        MinuteState.REDUCING: "It is about to be paid in part.",
        MinuteState.RETURNING: "What is left of it is about to be the campaign's again.",
        MinuteState.PAID: "It is paid.",
        MinuteState.RETURNED: "What was set aside is the campaign's again.",
        MinuteState.UNPAID: "Nothing is paid for it.",
        MinuteState.APPEALED: "Staff found its evidence wrong, and its streamer disputes that.",
    },
)
describe(
    Doubt,
    "MinuteDoubt",
    "What is odd about a minute.",
    {
        Doubt.NO_SAMPLE: "We counted no viewers then.",
        Doubt.VIEWER_SPIKE: "Many times as many viewers as in the minutes before.",
    },
)
describe(
    Unpaid,
    "MinuteUnpaid",
    "Why a minute that counted is not paid.",
    {
        Unpaid.MINUTES_USED: "All agreed minutes were shown before.",
        Unpaid.DAILY_CAP: "The campaign had spent what it may in a day.",
        Unpaid.STREAMER_CAP: "The campaign had spent what it may on one streamer.",
        Unpaid.AHEAD_OF_PACE: "The campaign had spent its share of the budget for the days until then.",
        Unpaid.BUDGET_SPENT: "The budget was spent.",
        Unpaid.OUTSIDE_SCHEDULE: "The campaign's first day had not begun, or its last one was over.",
        Unpaid.SHOWN_ELSEWHERE: "Every second of it belongs to another participation, which showed first.",
        Unpaid.EVIDENCE_REJECTED: "Staff looked at its evidence.",
    },
)
