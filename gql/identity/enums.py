"""What identity's enumerations mean to clients."""

from enum import Enum

import strawberry

from domain.identity.model import Locale, Portal, SecondFactor
from domain.identity.provider import Provider
from gql.enums import describe

__all__ = ["Locale", "Portal", "Provider", "SecondFactor", "TokenTransport"]

describe(
    Portal,
    "Portal",
    "Which of our sites a session belongs to.",
    {
        Portal.BRAND: "Where brands run their campaigns.",
        Portal.STREAMER: "Where streamers earn.",
        Portal.PLAYER: "Where people play and rent applications.",
        Portal.ADMIN: "Where staff work: only from networks that are allowed, and with a second factor.",
    },
)

describe(
    Locale,
    "Locale",
    "A language that we write in.",
    {Locale.INDONESIAN: "Indonesian.", Locale.ENGLISH: "English."},
)

describe(
    SecondFactor,
    "SecondFactor",
    "What may be asked for after the first means was right.",
    {
        SecondFactor.TOTP: "A code of an authenticator app.",
        SecondFactor.PASSKEY: "A passkey.",
        SecondFactor.RECOVERY_CODE: "A recovery code, each good once.",
    },
)


describe(
    Provider,
    "SignInProvider",
    "Who says that it is you.",
    {
        Provider.PASSWORD: "You do, by an address and a password.",
        Provider.GOOGLE: "Google.",
        Provider.TWITCH: "Twitch.",
        Provider.TELEGRAM: "Telegram: by its site, its sign-in button, or one of its mini apps.",
    },
)


@strawberry.enum(description="How a session's tokens come, and are sent with every request.")
class TokenTransport(Enum):
    """How tokens travel."""

    BEARER = strawberry.enum_value(
        "bearer", description="In the answer. Send the access token as `Authorization: Bearer`."
    )
    COOKIE = strawberry.enum_value(
        "cookie",
        description="In cookies that no script can read; the answer has none. Over HTTP alone, to pages of the"
        " session's own portal, which a browser names as `Origin`: each portal has cookies of its own. Every request"
        " that relies on them needs one of the headers `X-Requested-With` and `GraphQL-Require-Preflight`. The cookies"
        " are `Secure`: in development without TLS browsers take them from localhost only, and a page of our own host"
        " names its portal with the header `Gametriggers-Portal`.",
    )
