"""The words of reports and disputes in the schema."""

from domain.earning.dispute import Ruling
from domain.earning.model import Verdict
from gql.enums import describe

__all__ = ["Ruling", "Verdict"]

describe(
    Verdict,
    "ImpressionVerdict",
    "What became of a report.",
    {
        Verdict.COUNTED: "It counts.",
        Verdict.UNKNOWN: "No such creative is shown in such a participation of this streamer now.",
        Verdict.NOT_LIVE: "There is no live stream to see it in.",
        Verdict.FROM_THE_FUTURE: "It tells of seconds that are still to come: the clock is wrong.",
        Verdict.LATE: "The minute is closed.",
        Verdict.EMPTY: "Nothing was visible for a second, or it is not about a whole minute.",
    },
)
describe(
    Ruling,
    "DisputeRuling",
    "What staff finds of a dispute.",
    {
        Ruling.UPHELD: "Whoever opened it is right.",
        Ruling.REDUCED: "The brand is right in part: the minutes are paid at a lower price.",
        Ruling.REJECTED: "It changes nothing.",
    },
)
