"""A platform that says itself whose an account is, and grants us to look after it: how it is spoken to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol
from uuid import UUID

from domain.errors import DomainError
from domain.identity.provider import Departure, Journey
from domain.streamer.model import LinkId, Platform

GrantId = NewType("GrantId", UUID)


class GrantRefusedError(DomainError):
    """The platform does not honour a token: it ran out, or the streamer took it back. Each call says which token."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a platform grants us. Whoever has these acts for the streamer: they are kept sealed, and logged nowhere."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptGrant:
    """What a platform granted, as somebody has claimed it to look after it."""

    id: GrantId
    platform: Platform
    link: LinkId | None
    """None: it is for no link any more, and goes back."""
    account: bytes | None
    """Which account granted it, by the digest that its link has."""
    tokens: bytes = field(repr=False)
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its platform knows it."""

    subject: str
    """The platform's own id of it, which never changes and is never given to another."""
    name: str
    """As it stands in the address of its profile; it may change."""


class Site(Protocol):
    """A platform. Never called inside a unit of work; each call raises `ProviderUnavailableError` as well."""

    @property
    def takes_back_all(self) -> bool:
        """Whether giving one grant back ends all that the account granted us."""
        ...

    async def begin(self, redirect_uri: str) -> Departure:
        """Start a journey that is to return to this address."""
        ...

    async def finish(self, journey: Journey, parameters: Mapping[str, str]) -> tuple[Account, Tokens]:
        """Whose account it is, and what was granted, by the parameters of the return. There is one try.

        Raises `ProviderRefusedError` where the streamer said no, and `ProviderLiedError` for what is no return of this
        journey.
        """
        ...

    async def check(self, tokens: Tokens) -> None:
        """Ask whether these hold. Raises `GrantRefusedError` where the access token is no good for long."""
        ...

    async def renew(self, tokens: Tokens) -> Tokens:
        """Other tokens for these, which may be good no more then. Raises `GrantRefusedError` where there are none."""
        ...

    async def revoke(self, tokens: Tokens) -> None:
        """Give back what was granted; what is good no more already is no error."""
        ...
