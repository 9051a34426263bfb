"""Who vouches for a person: other sites by a journey there and back, and signed proofs that a browser brings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.errors import DomainError, UnavailableError

_LONGEST_NAME = 100
_JOINER = "\u200d"  # holds emoji together
_PICTURE = re.compile(r"https://[!-~]{1,2000}", re.ASCII)


class Provider(StrEnum):
    """Who says that it is this person."""

    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    GOOGLE = "google"
    TWITCH = "twitch"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider says of a person. Only (provider, subject) names somebody; a mail address never does."""

    provider: Provider
    subject: str
    """The provider's own id of the person, which never changes and is never given to another."""
    name: str
    mail: str | None
    mail_verified: bool
    """The provider has seen that the address is this person's."""
    picture: str | None
    """Address of a picture, not fetched and not checked beyond being HTTPS."""


@dataclass(frozen=True, slots=True)
class Journey:
    """What must be remembered, for some minutes and once, from the start of a journey until the return."""

    provider: Provider
    state: str = field(repr=False)
    """Comes back with the person: the journey is found by it, in the very browser that began."""
    nonce: str = field(repr=False)
    """Comes back inside the provider's signed token."""
    verifier: str = field(repr=False)
    """The secret of PKCE: whoever stole the code cannot use it."""
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Departure:
    """A journey that begins, and the address of the provider's page to send the browser to."""

    journey: Journey
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """A profile that came signed. Whoever copies the signed text could bring it again: accept a digest once."""

    profile: Profile
    digest: str
    """Names the signed statement, however it was spelled: 64 hexadecimal digits, no secret."""
    used_until: datetime
    """Until when the digest must be remembered as used; afterwards the proof is too old by itself."""


class ProviderRefusedError(DomainError):
    """The person said no, or the code or the proof is no good any more: they may start again."""


class ProviderLiedError(DomainError):
    """An answer that is not the provider's, not for us, or not of this journey. It is never believed."""


class ProviderUnavailableError(UnavailableError):
    """The provider did not answer, could not, or does not know us: refused connection, time-out, open circuit."""


class IdentityProvider(Protocol):
    """A site that a person is sent to and comes back from. Never called inside a unit of work."""

    @property
    def provider(self) -> Provider:
        """Which one."""

    async def begin(self, redirect_uri: str) -> Departure:
        """Start a journey that is to return to this address, the provider's own among ours.

        Raises `ProviderUnavailableError` or `ProviderLiedError`.
        """

    async def finish(self, journey: Journey, parameters: Mapping[str, str]) -> Profile:
        """Who came back, by the parameters of the return. Forget the journey first: it is good for one try.

        Raises the three errors above; none of them repeats what was sent.
        """


class SignedProofs(Protocol):
    """Checks proofs that a provider signed and a browser brings. No input or output: `now` is the present."""

    def of_widget(self, fields: Mapping[str, object], now: datetime) -> Proof:
        """Whom the fields of a sign-in button name. Raises `ProviderRefusedError` (too old) or `ProviderLiedError`."""

    def of_mini_app(self, init_text: str, now: datetime) -> Proof:
        """Whom a mini app's launch text names. Raises `ProviderRefusedError` (too old) or `ProviderLiedError`."""


def readable_name(*told: object) -> str:
    """The first of these that is text with something to read in it; no control characters, at most 100 characters.

    Answers an empty text where none is.
    """
    for name in told:
        if isinstance(name, str):
            shown = "".join(sign if sign.isprintable() or sign == _JOINER else " " for sign in name)
            if cut := " ".join(shown.split())[:_LONGEST_NAME].strip(f" {_JOINER}"):
                return cut
    return ""


def safe_picture(told: object) -> str | None:
    """The address of a picture, where this is one over HTTPS."""
    return told if isinstance(told, str) and _PICTURE.fullmatch(told) else None
