"""What the mutations of second factors take."""

import strawberry

from domain.identity.model import Portal
from gql.errors import BadInputError
from gql.identity.enums import TokenTransport
from gql.identity.inputs import Confirmation

_LONGEST_ANSWER = 20_000
_CODE = "A code of the app (six digits), or a recovery code. Spaces, dashes and case do not matter."
_ANSWER = "The browser's answer: the JSON of `PublicKeyCredential.toJSON()`."
_TOKEN = "The offer's token."  # noqa: S105  # the meaning of a token


def answer_entered(text: str) -> str:
    """A browser's answer that is not absurdly long. Raises `BadInputError`."""
    if len(text) > _LONGEST_ANSWER:
        raise BadInputError(f"`answer` may have {_LONGEST_ANSWER} characters.")
    return text


@strawberry.input(description="That an authenticator app is to be set up.")
class OfferTotpInput(Confirmation):
    """That an authenticator app is to be set up."""


@strawberry.input(description="What the app shows.")
class ConfirmTotpInput:
    """What the app shows."""

    code: str = strawberry.field(description="The app's present code, six digits.")


@strawberry.input(description="That the authenticator app is to go.")
class RemoveTotpInput(Confirmation):
    """That the authenticator app is to go."""


@strawberry.input(description="That new recovery codes are wanted.")
class RenewRecoveryCodesInput:
    """That new recovery codes are wanted."""

    confirm: bool = strawberry.field(description="Always true: you know that the old ones end.")


@strawberry.input(description="The second factor of a sign-in.")
class AnswerSecondFactorInput:
    """The second factor of a sign-in."""

    challenge: str = strawberry.field(description="What `SecondFactorNeeded` had.")
    code: str = strawberry.field(description=_CODE)
    transport: TokenTransport = strawberry.field(
        default=TokenTransport.BEARER, description="How the session's tokens are to travel."
    )


@strawberry.input(description="A fresh code.")
class StepUpInput:
    """A fresh code."""

    code: str = strawberry.field(description=f"{_CODE} Without a second factor: the code of the letter.")


@strawberry.input(description="That a code by mail is wanted.")
class RequestStepUpCodeInput(Confirmation):
    """That a code by mail is wanted."""


@strawberry.input(description="That a passkey is to be set up.")
class OfferPasskeyInput(Confirmation):
    """That a passkey is to be set up."""


@strawberry.input(description="A passkey that a browser made.")
class AddPasskeyInput:
    """A passkey that a browser made."""

    token: str = strawberry.field(description=_TOKEN)
    answer: str = strawberry.field(description=_ANSWER)
    name: str = strawberry.field(description="What to call it; what is beyond 60 characters is cut off.")


@strawberry.input(description="Which passkey is to go.")
class RemovePasskeyInput:
    """Which passkey is to go."""

    passkey_id: strawberry.ID = strawberry.field(description="The id of a passkey of yours.")


@strawberry.input(description="That somebody wants in by a passkey.")
class OfferPasskeySignInInput:
    """That somebody wants in by a passkey."""

    confirm: bool = strawberry.field(description="Always true: a person asked for it.")


@strawberry.input(description="A passkey that a browser used to sign in.")
class SignInWithPasskeyInput:
    """A passkey that a browser used to sign in."""

    token: str = strawberry.field(description=_TOKEN)
    answer: str = strawberry.field(description=_ANSWER)
    portal: Portal = strawberry.field(description="Which site the session is for.")
    transport: TokenTransport = strawberry.field(
        default=TokenTransport.BEARER, description="How its tokens are to travel."
    )


@strawberry.input(description="That something is to be confirmed by a passkey.")
class OfferPasskeyStepUpInput(Confirmation):
    """That something is to be confirmed by a passkey."""


@strawberry.input(description="A passkey that a browser used to confirm.")
class StepUpWithPasskeyInput:
    """A passkey that a browser used to confirm."""

    token: str = strawberry.field(description=_TOKEN)
    answer: str = strawberry.field(description=_ANSWER)
