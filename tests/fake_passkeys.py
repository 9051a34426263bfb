"""Passkeys without cryptography: an answer proves what it says it proves. For rules about what is done with them."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.identity.secrets import Ceremony, Passkey, PasskeyRefusedError
from domain.ids import PersonId


@dataclass
class Device:
    """Somebody's device with one passkey, which counts how often it was used."""

    credential: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    count: int = 0

    def made(self, options: str) -> str:
        """The answer to an offer of registration."""
        return self._answer(options, "create")

    def used(self, options: str) -> str:
        """The answer to an offer of sign-in."""
        self.count += 1
        return self._answer(options, "get")

    def _answer(self, options: str, kind: str) -> str:
        challenge = json.loads(options)["challenge"]
        return json.dumps({"id": self.credential.hex(), "challenge": challenge, "count": self.count, "kind": kind})


@dataclass
class FakePasskeys:
    """`domain.identity.secrets.Passkeys`, which remembers what it was asked for."""

    known: list[Sequence[bytes]] = field(default_factory=list)

    def offer_registration(self, person: PersonId, name: str, known: Sequence[bytes]) -> Ceremony:
        return self._ceremony(known, user=str(person), name=name)

    def register(self, person: PersonId, answer: str, challenge: bytes) -> Passkey:
        told = self._told(answer, challenge, "create")
        return Passkey(person, bytes.fromhex(told["id"]), b"public", told["count"], backed_up=False)

    def offer_sign_in(self, known: Sequence[bytes] = ()) -> Ceremony:
        return self._ceremony(known)

    def claimed(self, answer: str) -> bytes:
        try:
            return bytes.fromhex(json.loads(answer)["id"])
        except ValueError:
            raise PasskeyRefusedError from None

    def sign_in(self, passkey: Passkey, answer: str, challenge: bytes) -> Passkey:
        told = self._told(answer, challenge, "get")
        if bytes.fromhex(told["id"]) != passkey.credential_id or told["count"] <= passkey.sign_count:
            raise PasskeyRefusedError
        return replace(passkey, sign_count=told["count"])

    def _ceremony(self, known: Sequence[bytes], **more: str) -> Ceremony:
        self.known.append(known)
        challenge = secrets.token_bytes(16)
        return Ceremony(challenge, json.dumps({"challenge": challenge.hex(), **more}))

    def _told(self, answer: str, challenge: bytes, kind: str) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(answer)
        except ValueError:
            raise PasskeyRefusedError from None
        if (told["challenge"], told["kind"]) != (challenge.hex(), kind):
            raise PasskeyRefusedError
        return told
