"""What identity's mutations take."""

import strawberry

from domain.identity.model import Locale, Portal
from gql.errors import BadInputError
from gql.identity.enums import TokenTransport

LONGEST_TOKEN = 200
_LONGEST_TEXT = 2_000


def token_entered(text: str) -> str:
    """A token as it was given; what cannot be one of ours is none, and refused like one that never was."""
    return text if text.isascii() and len(text) <= LONGEST_TOKEN else "-"


def short(name: str, text: str) -> str:
    """A text that is not absurdly long. Raises `BadInputError`."""
    if len(text) > _LONGEST_TEXT:
        raise BadInputError(f"`{name}` may have {_LONGEST_TEXT} characters.")
    return text


def confirmed(confirm: bool) -> None:
    """That it was meant. Raises `BadInputError`."""
    if not confirm:
        raise BadInputError("`confirm` must be true.")


@strawberry.input(description="That something is meant, which takes nothing else.")
class Confirmation:
    """That something is meant, which takes nothing else."""

    confirm: bool = strawberry.field(description="Always true: you asked for it yourself.")


_MAIL = "An e-mail address. It is read in whichever case it is written."
_TOKEN = "What stands behind `#` in the letter's link."  # noqa: S105  # the meaning of a token
_NEW = "10 to 256 characters, and none of those passwords that many people use."


@strawberry.input(description="Who wants an account.")
class SignUpInput:
    """Who wants an account."""

    mail: str = strawberry.field(description=_MAIL)
    password: str = strawberry.field(description=_NEW)
    name: str = strawberry.field(description="What to call the person, at most 100 characters.")
    locale: Locale = strawberry.field(default=Locale.INDONESIAN, description="In which language to write to them.")


@strawberry.input(description="How a session is to begin.")
class _Begin:
    """How a session is to begin."""

    portal: Portal = strawberry.field(description="Which site the session is for.")
    transport: TokenTransport = strawberry.field(
        default=TokenTransport.BEARER, description="How its tokens are to travel."
    )


@strawberry.input(description="A link that confirms a sign-up, and the password that was chosen there.")
class ConfirmSignUpInput(_Begin):
    """A link that confirms a sign-up, and the password that was chosen there."""

    token: str = strawberry.field(description=_TOKEN)
    password: str = strawberry.field(description="The password of the sign-up: it shows that this is who signed up.")


@strawberry.input(description="An address and its password.")
class SignInInput(_Begin):
    """An address and its password."""

    mail: str = strawberry.field(description=_MAIL)
    password: str = strawberry.field(description="The password.")


@strawberry.input(description="Who forgot their password.")
class RequestPasswordResetInput:
    """Who forgot their password."""

    mail: str = strawberry.field(description=_MAIL)
    locale: Locale = strawberry.field(
        default=Locale.INDONESIAN, description="In which language to write, where we do not know a better one."
    )


@strawberry.input(description="A link to a new password, and that password.")
class ResetPasswordInput(_Begin):
    """A link to a new password, and that password."""

    token: str = strawberry.field(description=_TOKEN)
    new_password: str = strawberry.field(description=_NEW)


@strawberry.input(description="A password and the one to follow it.")
class ChangePasswordInput:
    """A password and the one to follow it."""

    old_password: str = strawberry.field(description="The password so far.")
    new_password: str = strawberry.field(description=_NEW)


@strawberry.input(description="The address that is to be one's own.")
class RequestMailChangeInput:
    """The address that is to be one's own."""

    mail: str = strawberry.field(description=_MAIL)


@strawberry.input(description="A link that confirms an address.")
class ConfirmMailInput:
    """A link that confirms an address."""

    token: str = strawberry.field(description=_TOKEN)


@strawberry.input(description="A session that is to go on.")
class RefreshSessionInput:
    """A session that is to go on."""

    refresh_token: str | None = strawberry.field(
        default=None, description="The refresh token. Null: the one that came as a cookie of the page's portal."
    )
    transport: TokenTransport = strawberry.field(
        default=TokenTransport.BEARER, description="How its next tokens are to travel."
    )


@strawberry.input(description="A session that is to end: the one that asks, or that of a refresh token.")
class SignOutInput:
    """A session that is to end."""

    refresh_token: str | None = strawberry.field(
        default=None,
        description="For who has no access token any more. Null: the session that asks, or that of the cookie.",
    )


@strawberry.input(description="Which session to end.")
class EndSessionInput:
    """Which session to end."""

    session_id: strawberry.ID = strawberry.field(description="The global id of a session of yours.")


@strawberry.input(description="Which sessions to end.")
class EndOtherSessionsInput:
    """Which sessions to end."""

    this_too: bool = strawberry.field(default=False, description="End the session that asks, too.")
