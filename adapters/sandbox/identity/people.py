"""Who has an account at the sandbox's providers, and what each provider tells of them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Site(StrEnum):
    """A provider, by the first part of its paths."""

    GOOGLE = "google"
    TWITCH = "twitch"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True)
class Person:
    """One who can sign in, by the same key at every site."""

    key: str
    number: int
    first_name: str
    last_name: str | None
    username: str
    mail: str | None = None
    mail_verified: bool = False

    @property
    def name(self) -> str:
        """First and last name."""
        return " ".join(filter(None, (self.first_name, self.last_name)))

    @property
    def picture(self) -> str:
        """An address that nobody need fetch."""
        return f"https://pictures.example/{self.key}.jpg"


PEOPLE = (
    Person("ayu", 710_000_001, "Ayu", "Lestari", "ayulestari", "ayu@example.com", mail_verified=True),
    Person("budi", 710_000_002, "Budi", None, "budi_main", "budi@example.com", mail_verified=False),
    Person("citra", 710_000_003, "Citra", "Dewi 🎮", "citra"),
)


def claims_of(person: Person, site: Site, client_id: str, asked: frozenset[str]) -> Mapping[str, object]:
    """What the site's token says of the person; `asked` are the scopes, and the claims that were named."""
    return {name: value for name, value in _TOLD[site](person, client_id, asked).items() if value is not None}


def _google(person: Person, _: str, asked: frozenset[str]) -> dict[str, object]:
    told: dict[str, object] = {"sub": f"1{person.number:020d}"}
    if "email" in asked:
        told |= {"email": person.mail, "email_verified": person.mail_verified if person.mail else None}
    if "profile" in asked:
        told |= {"name": person.name, "given_name": person.first_name, "picture": person.picture}
    return told


def _twitch(person: Person, _: str, asked: frozenset[str]) -> dict[str, object]:
    told: dict[str, object] = {"picture": person.picture, "preferred_username": person.username}
    if "user:read:email" in asked:
        told |= {"email": person.mail, "email_verified": person.mail_verified if person.mail else None}
    return {"sub": str(person.number), **{name: told[name] for name in told if name in asked}}


def _telegram(person: Person, client_id: str, asked: frozenset[str]) -> dict[str, object]:
    made_up = int.from_bytes(hashlib.sha256(f"{client_id}:{person.number}".encode()).digest()[:8])
    told: dict[str, object] = {"sub": str(made_up)}
    if "profile" in asked:
        username = person.username
        told |= {"id": person.number, "name": person.name, "preferred_username": username, "picture": person.picture}
    return told


_TOLD: Mapping[Site, Callable[[Person, str, frozenset[str]], dict[str, object]]] = {
    Site.GOOGLE: _google,
    Site.TWITCH: _twitch,
    Site.TELEGRAM: _telegram,
}
