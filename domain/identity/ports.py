"""What identity needs besides its rows: reads without locks, and those who make and check tokens."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from domain.clock import Clock
from domain.identity.mail import Letters, Mailer
from domain.identity.model import (
    Identity,
    Person,
    Session,
    Standing,
)
from domain.identity.one_time_codes import AuthenticatorApps, CodePurpose
from domain.identity.pages import Pages
from domain.identity.provider import IdentityProvider, Provider, SignedProofs
from domain.identity.secrets import Passkeys, Passwords
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, SessionId
from domain.quotas import Quotas
from domain.vault import Vault


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token that names a session for a short while."""

    text: str
    expires_at: datetime


class AccessTokens(Protocol):
    """Signs access tokens."""

    def issue(self, session: Session, now: datetime) -> AccessToken:
        """A token for a session: for the usual while, and never beyond the session's own end."""
        ...


class OpaqueTokens(Protocol):
    """Makes opaque tokens. They are kept as digests only."""

    def new(self) -> str:
        """A token nobody can guess: 256 random bits."""
        ...

    def successor(self, token: str) -> str:
        """The one token that follows a refresh token: the same however often it is asked, and known to nobody else."""
        ...

    def digest(self, token: str) -> bytes:
        """What is kept of a token."""
        ...

    def code_digest(self, purpose: CodePurpose, person: PersonId, code: str) -> bytes:
        """What is kept of a short code that is good for one person and purpose."""
        ...


PersonText = Literal["name", "mail", "reason"]
PERSON_TEXTS: frozenset[PersonText] = frozenset({"name", "mail", "reason"})
"""What a person has that is sealed."""


class PeopleReads(Protocol):
    """People and what belongs to them, without locks; personal texts come readable, or None after an erasure."""

    async def people(
        self, ids: Sequence[PersonId], texts: Collection[PersonText] = PERSON_TEXTS
    ) -> Mapping[PersonId, Person]:
        """People by id, those that there are; with these texts alone, for the others are as if there were none."""
        ...

    async def identities_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[Identity]]:
        """The ways in which each signs in."""
        ...

    async def sessions_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence["SessionView"]]:
        """The living sessions of each, last used first."""
        ...

    async def places_of(self, person: PersonId) -> Sequence[tuple[str, str]]:
        """The address and device of each session that a person began of late, also of those that are over."""
        ...

    async def second_factors_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, "SecondFactorsView"]:
        """What each set up to prove themselves with."""
        ...


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its person sees it."""

    session: Session
    device: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its person sees it."""

    credential: bytes
    name: str | None
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SecondFactorsView:
    """What a person set up, as they see it."""

    totp_since: datetime | None = None
    """Since when there is an authenticator app; None: there is none."""
    passkeys: Sequence[PasskeyView] = ()
    """Oldest first."""
    recovery_codes_left: int = 0


class Standings(Protocol):
    """What sessions may do: from memory, as long as nothing that decides it has changed."""

    async def of(self, session: SessionId) -> Standing | None:
        """The standing of a session; None if there is no such. Costs no statement for one that is remembered."""
        ...

    def used(self, session: SessionId, now: datetime) -> None:
        """Note that a session was used; written down a moment later, for all sessions at once."""
        ...

    async def of_all(self, sessions: Collection[SessionId]) -> Mapping[SessionId, Standing]:
        """The standings of those sessions that there are, as they are now, whatever is remembered; in one statement."""
        ...

    def watch(self, watcher: Callable[[PersonId | None], None]) -> Callable[[], None]:
        """Have somebody told whose standing may have changed (None: anybody's); the answer ends it."""
        ...


class StandingPorts(Protocol):
    """What it takes to know who is calling."""

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def standings(self) -> Standings:
        """What sessions may do."""
        ...


class IdentityPorts(Protocol):
    """What identity's actions are handed."""

    def work(self) -> AbstractAsyncContextManager[IdentityWork]:
        """Open a unit of work."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def vault(self) -> Vault:
        """Personal data."""
        ...

    @property
    def quotas(self) -> Quotas:
        """How often something may be done."""
        ...

    @property
    def people(self) -> PeopleReads:
        """People, read without locks."""
        ...

    @property
    def standings(self) -> Standings:
        """What sessions may do."""
        ...

    @property
    def access_tokens(self) -> AccessTokens:
        """Signs access tokens."""
        ...

    @property
    def opaque_tokens(self) -> OpaqueTokens:
        """Makes refresh tokens, links and codes."""
        ...

    @property
    def passwords(self) -> Passwords:
        """Hashes and tries passwords."""
        ...

    @property
    def wording(self) -> Letters:
        """Words letters."""
        ...

    @property
    def mailer(self) -> Mailer:
        """Sends letters. Never called inside a unit of work."""
        ...

    @property
    def pages(self) -> Pages:
        """Where the links in letters lead."""
        ...

    @property
    def authenticator_apps(self) -> AuthenticatorApps:
        """Codes of authenticator apps."""
        ...

    @property
    def passkeys(self) -> Passkeys:
        """WebAuthn."""
        ...

    @property
    def providers(self) -> Mapping[Provider, IdentityProvider]:
        """The sites that one may sign in by."""
        ...

    @property
    def signed_proofs(self) -> SignedProofs | None:
        """Checks Telegram's proofs; None where no bot is set up."""
        ...
