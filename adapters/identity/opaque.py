"""Opaque tokens: refresh tokens, links and codes that mean nothing to whoever has not our rows and our key."""

import base64
import hmac
import secrets

from adapters.vault.index import keyed_digest, subkey
from domain.identity.one_time_codes import CodePurpose, code_digest
from domain.ids import PersonId

_BYTES = 32


class KeyedTokens:
    """`domain.identity.ports.OpaqueTokens` with keys of its own, drawn from the identity key.

    The next of a refresh token is reckoned, not stored: two tabs that refresh at once get the same one, and whoever
    reads the database can reckon none.
    """

    def __init__(self, identity_key: bytes) -> None:
        self._to_digest = subkey(identity_key, "opaque-token/digest")
        self._to_follow = subkey(identity_key, "opaque-token/successor")
        self._to_check = subkey(identity_key, "short-code")

    def new(self) -> str:
        """A token nobody can guess: 256 random bits, in 43 letters of base64url."""
        return secrets.token_urlsafe(_BYTES)

    def successor(self, token: str) -> str:
        """The one token that follows a refresh token: always the same, and known to nobody without the key."""
        return base64.urlsafe_b64encode(hmac.digest(self._to_follow, token.encode(), "sha256")).decode().rstrip("=")

    def digest(self, token: str) -> bytes:
        """What is kept of a token: 32 bytes that show nothing of it."""
        return keyed_digest(self._to_digest, "opaque-token", token)

    def code_digest(self, purpose: CodePurpose, person: PersonId, code: str) -> bytes:
        """What is kept of a short code: keyed, for one person and purpose."""
        return code_digest(self._to_check, purpose, person, code)
