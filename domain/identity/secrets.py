"""How people prove who they are: the rules for a new password, and the ports for passwords and passkeys."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from domain.errors import DomainError
from domain.ids import PersonId
from domain.refusal import Refusal

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
"""Both in characters (code points) after `normalised`."""


@dataclass(frozen=True, slots=True)
class PasswordTooShort(Refusal):
    """A password that can be guessed by trying."""

    code: ClassVar[str] = "PASSWORD_TOO_SHORT"
    message: str = f"Choose a password of at least {SHORTEST_PASSWORD} characters."
    shortest: int = SHORTEST_PASSWORD


@dataclass(frozen=True, slots=True)
class PasswordTooLong(Refusal):
    """A password that nobody types."""

    code: ClassVar[str] = "PASSWORD_TOO_LONG"
    message: str = f"Choose a password of at most {LONGEST_PASSWORD} characters."
    longest: int = LONGEST_PASSWORD


@dataclass(frozen=True, slots=True)
class PasswordTooCommon(Refusal):
    """A password that is tried first, because many people chose it."""

    code: ClassVar[str] = "PASSWORD_TOO_COMMON"
    message: str = "Many people use this password, so it is tried first. Choose another."


@dataclass(frozen=True, slots=True)
class PasswordIsAddress(Refusal):
    """A password that whoever knows the person's address knows."""

    code: ClassVar[str] = "PASSWORD_IS_ADDRESS"
    message: str = "Choose a password that is not your e-mail address."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of trying a password."""

    matches: bool
    outdated: bool = False
    """It matches a hash that should be made anew, because an older system or other parameters made it."""


class Passwords(Protocol):
    """Hashes passwords off the event loop. Both verbs raise `UnavailableError` when too many wait already."""

    async def hash(self, text: str) -> str:
        """What is kept of a password: its hash with salt and parameters."""
        ...

    async def verify(self, text: str, kept: str | None) -> Verdict:
        """Try a password against what was kept; None, for somebody unknown, costs the same time and never matches."""
        ...

    def is_common(self, text: str) -> bool:
        """Whether a normalised password is on a list of those that many people use."""
        ...


def normalised(text: str) -> str:
    """A password as it is hashed and measured: in NFC, as RFC 8265 has it for opaque strings.

    One keyboard sends `é` as one code point and another as two; NFC makes them one. NFKC would go further and take
    different characters for the same, which makes passwords weaker.
    """
    return unicodedata.normalize("NFC", text)


def refused_password(text: str, mail: str | None, passwords: Passwords) -> Refusal | None:
    """Why a person with this address may not choose this password; None if they may."""
    password = normalised(text)
    if len(password) < SHORTEST_PASSWORD:
        return PasswordTooShort()
    if len(password) > LONGEST_PASSWORD:
        return PasswordTooLong()
    if mail is not None and password.strip().casefold() in _names_in(mail):
        return PasswordIsAddress()
    if passwords.is_common(password):
        return PasswordTooCommon()
    return None


def _names_in(mail: str) -> set[str]:
    address = normalised(mail).strip().casefold()
    return {address, address.partition("@")[0]}


@dataclass(frozen=True, slots=True)
class Passkey:
    """A person's public key in one authenticator. Nothing here is secret."""

    person: PersonId
    credential_id: bytes
    public_key: bytes
    """As COSE has it."""
    sign_count: int
    """How often the authenticator says it was used; 0 for one that does not count."""
    backed_up: bool
    """Whether it is copied to other devices of the person."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a browser is asked to do. The caller keeps the challenge, takes it once, and for a few minutes at most."""

    challenge: bytes
    options: str
    """JSON for `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`."""


class PasskeyRefusedError(DomainError):
    """A browser's answer that does not prove what it should. Its text names no reason that helps an attacker."""


class Passkeys(Protocol):
    """WebAuthn. A browser's answers come as the JSON of `PublicKeyCredential.toJSON()`.

    The verifying verbs raise `PasskeyRefusedError` and demand that the authenticator verified its user.
    """

    def offer_registration(self, person: PersonId, name: str, known: Sequence[bytes]) -> Ceremony:
        """Ask for a new passkey under a name that the person knows; `known` are the ids of those they have."""
        ...

    def register(self, person: PersonId, answer: str, challenge: bytes) -> Passkey:
        """The passkey that an answer to `offer_registration` brings. Its id must be nobody's yet: the caller sees."""
        ...

    def offer_sign_in(self, known: Sequence[bytes] = ()) -> Ceremony:
        """Ask for one of these passkeys; without any, for whichever the person picks."""
        ...

    def claimed(self, answer: str) -> bytes:
        """The id of the passkey that an answer to `offer_sign_in` says it is from; proves nothing yet."""
        ...

    def sign_in(self, passkey: Passkey, answer: str, challenge: bytes) -> Passkey:
        """The passkey as it is to be kept, with its new count. A count that did not grow is a copy's: refused."""
        ...
