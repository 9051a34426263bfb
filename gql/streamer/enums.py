"""What the enumerations of streamers mean to clients."""

from domain.streamer.model import Category, LinkState, Platform, Rating, Weekday
from gql.enums import describe

__all__ = ["Category", "LinkState", "Platform", "Rating", "Weekday"]

describe(
    Category,
    "StreamCategory",
    "What a stream is about.",
    {
        Category.GAMES: "Somebody plays.",
        Category.ESPORTS: "Tournaments and leagues.",
        Category.TALK: "Conversation.",
        Category.MUSIC: "Music.",
        Category.ART: "Drawing, crafts and the like.",
        Category.SPORTS: "Sports and fitness.",
        Category.FOOD: "Cooking and eating.",
        Category.TRAVEL: "Places.",
        Category.BEAUTY: "Looks and fashion.",
        Category.TECHNOLOGY: "Machines and programs.",
        Category.EDUCATION: "Something to learn.",
    },
)
describe(
    Rating,
    "StreamRating",
    "For whom a stream is fit.",
    {
        Rating.EVERYONE: "Children, too.",
        Rating.TEEN: "From 13 years on.",
        Rating.MATURE: "Adults.",
    },
)
describe(
    Weekday,
    "Weekday",
    "A day of the week.",
    {day: f"{day.value.capitalize()}." for day in Weekday},
)
describe(
    Platform,
    "StreamPlatform",
    "Where a streamer may have an account.",
    {
        Platform.TIKTOK: "TikTok; an account is proved by a code.",
        Platform.FACEBOOK: "Facebook; an account is proved by a code.",
        Platform.TWITCH: "Twitch; an account is linked by signing in there.",
        Platform.YOUTUBE: "YouTube; a channel is linked by signing in at Google.",
    },
)
describe(
    LinkState,
    "PlatformLinkState",
    "Where the link to an account stands.",
    {
        LinkState.OFFERED: "There is a code: place it in the public profile of the account, and say so.",
        LinkState.PLACED: "Staff is going to look at the profile.",
        LinkState.CONFIRMED: "The account is the streamer's. The code may go from the profile.",
        LinkState.REJECTED: "Staff did not find it so; the reason is told, and another code may be asked for.",
        LinkState.UNLINKED: "The streamer let go of it, or asked for another code.",
        LinkState.WITHDRAWN: "The platform honours no more what was granted us; the reason is told. Link it again.",
    },
)
