"""Ways of signing in as their person sees them, and what journeys to other sites take and answer."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.identity import refusals
from domain.identity.model import Identity
from domain.identity.providers import JourneyBegun, Signed
from domain.ids import uuid7
from gql.access import Right, field
from gql.context import Context
from gql.errors import BadInputError
from gql.identity.enums import Portal, Provider, TokenTransport
from gql.identity.types import SecondFactorNeeded, SignedIn
from gql.node import global_id, key_of
from gql.refusals import result
from gql.weights import at_most

_IDENTITY = "SignInIdentity"
_MOST_FIELDS = 40
_LONGEST_VALUE = 4_096
_LONGEST_LAUNCH = 16 * 1024


@strawberry.type(description="A way in which you sign in.")
class SignInIdentity:
    """A way of signing in, as its person sees it."""

    id: strawberry.ID = field(Right.PARENT, "What `unlinkIdentity` names it by.")
    provider: Provider = field(Right.PARENT, "Who says that it is you.")
    subject: str | None = field(Right.PARENT, "The address of a password; else what the provider calls you.")
    created_at: datetime = field(Right.PARENT, "Since when.")
    last_used_at: datetime | None = field(Right.PARENT, "When you last signed in by it; null: never since.")

    @classmethod
    def of(cls, found: Identity) -> Self:
        """Show a way of signing in."""
        return cls(
            id=global_id(_IDENTITY, found.id),
            provider=Provider(found.provider),
            subject=found.subject,
            created_at=found.created_at,
            last_used_at=found.last_used_at,
        )


@strawberry.type(description="Your ways of signing in have changed.")
class IdentitiesChanged:
    """What linking and unlinking answers."""

    identities: list[SignInIdentity] = field(Right.PARENT, "Your ways of signing in now.", list_size=at_most(10))


@strawberry.type(description="A journey to another site. It is good for ten minutes and one return.")
class ProviderJourney:
    """What the beginning of a journey answers."""

    url: str = field(Right.PARENT, "Where to send the browser.")
    token: str = field(
        Right.PARENT,
        "To be given back with what the site tells. Keep it in the page that began (`sessionStorage`), and out of"
        " addresses: it is what nobody else's return has.",
    )

    @classmethod
    def of(cls, found: JourneyBegun) -> Self:
        """Show a journey that begins."""
        return cls(url=found.url, token=found.token)


@strawberry.input(description="A name and its value.")
class ParameterInput:
    """A name and its value."""

    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value, decoded.")


@strawberry.input(description="By which site to sign in, and for which of ours.")
class BeginProviderSignInInput:
    """By which site to sign in."""

    provider: Provider = strawberry.field(description="Which site.")
    portal: Portal = strawberry.field(description="Which of our sites the session is for.")


@strawberry.input(description="What came back from another site.")
class FinishProviderSignInInput:
    """What came back from another site."""

    token: str = strawberry.field(description="The journey's token.")
    parameters: list[ParameterInput] = strawberry.field(
        description=f"Every parameter of the address that the browser came back to, {_MOST_FIELDS} at most. A name may"
        " stand there once."
    )
    transport: TokenTransport = strawberry.field(
        default=TokenTransport.BEARER, description="How the session's tokens are to travel."
    )


@strawberry.input(description="What Telegram signed: either of the two.")
class _Telegram:
    """What Telegram signed."""

    widget: list[ParameterInput] | None = strawberry.field(
        default=None, description="The fields that Telegram's sign-in button gave, `hash` among them."
    )
    mini_app: str | None = strawberry.field(
        default=None, description="The launch text of a mini app (`initData`), exactly as Telegram gave it."
    )


@strawberry.input(description="What Telegram signed, either of the two, and for which of our sites it is.")
class SignInWithTelegramInput(_Telegram):
    """What Telegram signed, and for which site."""

    portal: Portal = strawberry.field(description="Which of our sites the session is for.")
    transport: TokenTransport = strawberry.field(
        default=TokenTransport.BEARER, description="How the session's tokens are to travel."
    )


@strawberry.input(description="Which site to link.")
class LinkProviderInput:
    """Which site to link."""

    provider: Provider = strawberry.field(description="Which site.")


@strawberry.input(description="What Telegram signed, either of the two.")
class LinkTelegramInput(_Telegram):
    """What Telegram signed."""


@strawberry.input(description="Which way of signing in is to go.")
class UnlinkIdentityInput:
    """Which way of signing in is to go."""

    identity_id: strawberry.ID = strawberry.field(description="The id of a way of signing in, of yours.")


_ENTER = (refusals.SignInRefused, refusals.PersonBanned, refusals.LinkRefused, refusals.ProviderRefused)
_LINK = (refusals.FreshSignInRequired, refusals.NotWhileImpersonating)

BeginProviderSignInResult = result(
    "BeginProviderSignInResult",
    ProviderJourney,
    refusals.ProviderRefused,
    description="Where to go, or why not.",
)
LinkProviderResult = result(
    "LinkProviderResult",
    ProviderJourney,
    refusals.ProviderRefused,
    *_LINK,
    description="Where to go, or why not.",
)
FinishProviderSignInResult = result(
    "FinishProviderSignInResult",
    SignedIn,
    *_ENTER,
    refusals.IdentityTaken,
    *_LINK,
    more=(SecondFactorNeeded, IdentitiesChanged),
    description="A session, a question for the second factor, the link that the journey was for, or no.",
)
SignInWithTelegramResult = result(
    "SignInWithTelegramResult",
    SignedIn,
    *_ENTER,
    more=(SecondFactorNeeded,),
    description="A session, a question for the second factor, or no.",
)
LinkTelegramResult = result(
    "LinkTelegramResult",
    IdentitiesChanged,
    refusals.LinkRefused,
    refusals.ProviderRefused,
    refusals.IdentityTaken,
    *_LINK,
    description="Your ways of signing in, or why they stay as they are.",
)
UnlinkIdentityResult = result(
    "UnlinkIdentityResult",
    IdentitiesChanged,
    refusals.LastIdentity,
    refusals.UnknownIdentity,
    *_LINK,
    description="Your ways of signing in, or why they stay as they are.",
)


def parameters_entered(given: list[ParameterInput]) -> dict[str, str]:
    """Parameters by name. Raises `BadInputError` for too many, for absurdly long ones, and for a name given twice."""
    found = {each.name: each.value for each in given}
    if len(given) > _MOST_FIELDS or any(len(name) + len(value) > _LONGEST_VALUE for name, value in found.items()):
        raise BadInputError(f"There may be {_MOST_FIELDS} parameters of {_LONGEST_VALUE} characters.")
    if len(found) < len(given):
        raise BadInputError("A name may be given once.")
    return found


def signed_by_telegram(wanted: SignInWithTelegramInput | LinkTelegramInput) -> Signed:
    """What Telegram signed. Raises `BadInputError` for none, for both, and for an absurdly long one."""
    if (wanted.widget is None) is (wanted.mini_app is None):
        raise BadInputError("Give either `widget` or `miniApp`.")
    if wanted.widget is not None:
        return parameters_entered(wanted.widget)
    text = wanted.mini_app or ""
    if len(text) > _LONGEST_LAUNCH:
        raise BadInputError(f"`miniApp` may have {_LONGEST_LAUNCH} characters.")
    return text


def identity_named(id_: str) -> UUID:
    """The key of a way of signing in; one that cannot be any is one that nobody has. Raises `BadInputError`."""
    key = key_of(_IDENTITY, id_)
    try:
        return UUID(key)
    except ValueError:
        return uuid7()


async def identities_of(context: Context) -> list[SignInIdentity]:
    """How the caller signs in."""
    found = await context.loaders.identities_by_person.load(context.person)
    return [SignInIdentity.of(each) for each in found]
