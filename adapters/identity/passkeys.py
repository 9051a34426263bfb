"""Passkeys: WebAuthn by py_webauthn, for one relying party and the origins of our portals."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_attestation_object, parse_authentication_credential_json
from webauthn.helpers import parse_registration_credential_json as parse_registration
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from domain.identity.secrets import Ceremony, Passkey, PasskeyRefusedError
from domain.ids import PersonId

_PATIENCE_MS = 300_000
_LONGEST_ANSWER = 16 * 1024
_LOOPBACK = "localhost"
_WITHOUT_VENDOR = {AttestationFormat.NONE, AttestationFormat.PACKED}
_MALFORMED = (
    *(WebAuthnException, InvalidSignature, UnsupportedAlgorithm),
    *(ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError),
)
"""What the library lets pass through for answers that are not what they should be."""

Result = TypeVar("Result")


class WebauthnPasskeys:
    """Passkeys of one relying party: `rp_id` is its domain, `origins` where browsers may use them, `name` for people.

    Raises `ValueError` for an origin that no browser would let use passkeys of that domain.
    """

    def __init__(self, rp_id: str, origins: Sequence[str], name: str) -> None:
        for origin in origins:
            _check_origin(origin, rp_id)
        if not origins:
            raise ValueError("passkeys take at least one origin")
        self._rp_id, self._origins, self._name = rp_id, list(origins), name

    def offer_registration(self, person: PersonId, name: str, known: Sequence[bytes]) -> Ceremony:
        """Ask for a new passkey, discoverable where the authenticator can."""
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._name,
            user_id=person.bytes,
            user_name=name,
            timeout=_PATIENCE_MS,
            exclude_credentials=_described(known),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return Ceremony(options.challenge, options_to_json(options))

    def register(self, person: PersonId, answer: str, challenge: bytes) -> Passkey:
        """The passkey that an answer brings. Raises `PasskeyRefusedError`."""
        return _refusing(lambda: self._registered(person, answer, challenge))

    def offer_sign_in(self, known: Sequence[bytes] = ()) -> Ceremony:
        """Ask for one of these passkeys, or for any."""
        options = generate_authentication_options(
            rp_id=self._rp_id,
            timeout=_PATIENCE_MS,
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return Ceremony(options.challenge, options_to_json(options))

    def claimed(self, answer: str) -> bytes:
        """The id of the passkey that an answer names. Raises `PasskeyRefusedError` for what is no answer."""
        return _refusing(lambda: bytes(parse_authentication_credential_json(_read(answer)).raw_id))

    def sign_in(self, passkey: Passkey, answer: str, challenge: bytes) -> Passkey:
        """The passkey with its new count. Raises `PasskeyRefusedError`."""
        return _refusing(lambda: self._signed_in(passkey, answer, challenge))

    def _registered(self, person: PersonId, answer: str, challenge: bytes) -> Passkey:
        credential = parse_registration(_read(answer))
        attestation = parse_attestation_object(credential.response.attestation_object)
        # We ask for no attestation: whoever sends certificates all the same has them neither read nor believed.
        if attestation.fmt not in _WITHOUT_VENDOR or attestation.att_stmt.x5c:
            raise PasskeyRefusedError("This passkey was not made for us.")
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=self._rp_id,
            expected_origin=self._origins,
            require_user_verification=True,
        )
        return Passkey(
            person, found.credential_id, found.credential_public_key, found.sign_count, found.credential_backed_up
        )

    def _signed_in(self, passkey: Passkey, answer: str, challenge: bytes) -> Passkey:
        credential = parse_authentication_credential_json(_read(answer))
        handle = credential.response.user_handle
        if credential.raw_id != passkey.credential_id or not _of(passkey.person, handle):
            raise PasskeyRefusedError("This is another passkey.")
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=self._rp_id,
            expected_origin=self._origins,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
        return Passkey(
            passkey.person,
            passkey.credential_id,
            passkey.public_key,
            found.new_sign_count,
            found.credential_backed_up,
        )


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > _LONGEST_ANSWER:
        raise PasskeyRefusedError("The answer is too long.")
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise PasskeyRefusedError("The answer is not an object.")
    return found


def _refusing(verify: Callable[[], Result]) -> Result:
    try:
        return verify()
    except _MALFORMED:
        raise PasskeyRefusedError("The passkey could not be verified.") from None


def _described(known: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=credential_id) for credential_id in known]


def _check_origin(origin: str, rp_id: str) -> None:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host == _LOOPBACK):
        raise ValueError(f"{origin} is not an https origin (or http on localhost)")
    if origin != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{origin} is not an origin: scheme, host and port alone")
    if host != rp_id and not host.endswith(f".{rp_id}"):
        raise ValueError(f"{origin} does not belong to {rp_id}")


def _of(person: PersonId, handle: bytes | None) -> bool:
    """Whether the handle is the person's. A key that was not discovered, but asked for by its id, tells none."""
    return handle is None or UUID(bytes=handle) == person
