"""What the sandbox's providers remember: their keys, the codes they gave, and who their clients are."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from joserfc.jwk import RSAKey

from adapters.identity.telegram import checked_bot_token
from adapters.sandbox.identity.faults import Faults
from adapters.sandbox.identity.people import PEOPLE, Person, Site
from domain.clock import Clock, system_clock

CODE_LIVES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Client:
    """A site's registration of us."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: frozenset[str] = frozenset()
    """Where people may be sent back to; anywhere while it is empty."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Who we are to the providers."""

    clients: Mapping[Site, Client]
    bot_token: str = field(default="7000000001:sandbox-bot", repr=False)
    """With which Telegram signs for the widget and for mini apps."""
    people: tuple[Person, ...] = PEOPLE

    def __post_init__(self) -> None:
        checked_bot_token(self.bot_token)

    @classmethod
    def of_one_client(cls, client_id: str, client_secret: str) -> "SandboxSettings":
        """The same client at every site."""
        return cls({site: Client(client_id, client_secret) for site in Site})


@dataclass(slots=True)
class Grant:
    """What a code stands for."""

    site: Site
    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    asked: frozenset[str]
    person: Person
    given_at: datetime
    used: bool = False


class Sandbox:
    """All three providers."""

    def __init__(self, settings: SandboxSettings, *, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.clock = clock
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self._grants: dict[str, Grant] = {}
        self._keys: dict[Site, RSAKey] = {}
        self._withdrawn: dict[Site, RSAKey] = {}

    def person(self, key: str) -> Person | None:
        """Who has this key."""
        return next((person for person in self.settings.people if person.key == key), None)

    def give_code(self, grant: Grant) -> str:
        """A new code for what was granted."""
        code = secrets.token_urlsafe(24)
        self._grants[code] = grant
        return code

    def grant(self, code: str) -> Grant | None:
        """What this code stands for, once and only while it lives."""
        found = self._grants.get(code)
        if found is None or found.used or self.clock() >= found.given_at + CODE_LIVES:
            return None
        found.used = True
        return found

    def key(self, site: Site) -> RSAKey:
        """What the site signs with."""
        if site not in self._keys:
            self._keys[site] = new_key()
        return self._keys[site]

    def rotate(self, site: Site) -> RSAKey:
        """Let the site sign with a new key from now on, and publish it in place of the old one."""
        self._withdrawn[site] = self.key(site)
        self._keys[site] = new_key()
        return self._keys[site]

    def withdrawn_key(self, site: Site) -> RSAKey:
        """What the site signed with before its last rotation."""
        return self._withdrawn[site]

    @cached_property
    def foreign_key(self) -> RSAKey:
        """A key that no site publishes."""
        return new_key()


def new_key() -> RSAKey:
    """A key for RS256 with a name of its own."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": secrets.token_hex(8)})
