"""Telegram's signed proofs on paper: the Login Widget's fields and a Mini App's launch text. No input or output.

Telegram signs lines of `name=value` and quotes nothing. So a name or a value that could pass for a line of its own is
refused before anything else: otherwise a person's chosen name could be cut into another person's id.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.identity.provider import (
    Profile,
    Proof,
    Provider,
    ProviderLiedError,
    ProviderRefusedError,
    readable_name,
    safe_picture,
)

PRODUCTION_KEY = bytes.fromhex("e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d")
"""The Ed25519 key with which Telegram signs launch texts for those who do not hold the bot's token."""

FRESH = timedelta(minutes=5)
SKEW = timedelta(seconds=60)

_BOT_TOKEN = re.compile(r"[1-9][0-9]*:[\x21-\x7e]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SUBJECT = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_MOMENT = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}(==)?", re.ASCII)
_BEYOND_NUMBERS = 1 << 63
_LONGEST = 16 * 1024
_MOST_FIELDS = 40
_MINI_APP = "WebAppData"


class TelegramProofs:
    """`domain.identity.provider.SignedProofs` by a bot's token; proofs older than `fresh` are refused."""

    def __init__(self, bot_token: str, *, fresh: timedelta = FRESH) -> None:
        self._bot = checked_bot_token(bot_token)
        self._fresh = fresh

    def of_widget(self, fields: Mapping[str, object], now: datetime) -> Proof:
        """As the port says; numbers may come as numbers or as text."""
        return read_widget(fields, self._bot, now, fresh=self._fresh)

    def of_mini_app(self, init_text: str, now: datetime) -> Proof:
        """As the port says; the launch text exactly as Telegram gave it to the page, percent-encoded."""
        return read_mini_app(init_text, self._bot, now, fresh=self._fresh)


def checked_bot_token(bot_token: str) -> str:
    """The same token; raises `ValueError`, which does not repeat it, where it is none: anybody can sign with ''."""
    if not _BOT_TOKEN.fullmatch(bot_token):
        raise ValueError("a bot's token is its number, a colon and a secret")
    return bot_token


def widget_hash(fields: Mapping[str, str], bot_token: str) -> str:
    """What Telegram puts in `hash` beside these fields of the Login Widget."""
    key = hashlib.sha256(bot_token.encode()).digest()
    return hmac.new(key, _lines(fields).encode(), hashlib.sha256).hexdigest()


def mini_app_hash(fields: Mapping[str, str], bot_token: str) -> str:
    """What Telegram puts in `hash` beside these fields of a launch text, `signature` among them."""
    key = hmac.new(_MINI_APP.encode(), bot_token.encode(), hashlib.sha256).digest()
    return hmac.new(key, _lines(fields).encode(), hashlib.sha256).hexdigest()


def third_party_message(fields: Mapping[str, str], bot_id: int) -> bytes:
    """What Telegram's own key signs: these fields of a launch text without `hash` and `signature`."""
    return f"{bot_id}:{_MINI_APP}\n{_lines(fields)}".encode()


def read_widget(fields: Mapping[str, object], bot_token: str, now: datetime, *, fresh: timedelta = FRESH) -> Proof:
    """Whom the Login Widget's fields name. Raises `ProviderRefusedError` (too old) or `ProviderLiedError`."""
    told = {name: _text(value) for name, value in fields.items()}
    _check_lines(told)
    claimed = told.pop("hash", "")
    if not _same(widget_hash(told, bot_token), claimed):
        raise ProviderLiedError("the widget's fields are not signed by Telegram for our bot")
    signed_at = _fresh(told, now, fresh)
    profile = _profile(told.get("id"), told, told.get("photo_url"))
    return _proof(profile, f"widget\n{_bot_id(bot_token)}\n{_lines(told)}", signed_at, fresh)


def read_mini_app(init_text: str, bot_token: str, now: datetime, *, fresh: timedelta = FRESH) -> Proof:
    """Whom a launch text names, by the bot's token. Raises `ProviderRefusedError` (too old) or `ProviderLiedError`."""
    told = _launched(init_text)
    claimed = told.pop("hash", "")
    if not _same(mini_app_hash(told, bot_token), claimed):
        raise ProviderLiedError("the launch text is not signed by Telegram for our bot")
    told.pop("signature", None)
    return _mini_app_proof(told, _bot_id(bot_token), now, fresh)


def read_mini_app_as_third_party(
    init_text: str, bot_id: int, now: datetime, *, key: bytes = PRODUCTION_KEY, fresh: timedelta = FRESH
) -> Proof:
    """The same without the bot's token, by Telegram's public `key` of 32 bytes; the proof's digest is the same too."""
    told = _launched(init_text)
    told.pop("hash", None)
    claimed = told.pop("signature", "")
    if not _SIGNATURE.fullmatch(claimed):
        raise ProviderLiedError("the launch text bears no signature")
    try:
        signature = base64.urlsafe_b64decode(claimed.rstrip("=") + "==")
        Ed25519PublicKey.from_public_bytes(key).verify(signature, third_party_message(told, bot_id))
    except InvalidSignature:
        raise ProviderLiedError("the launch text is not signed by Telegram for that bot") from None
    return _mini_app_proof(told, bot_id, now, fresh)


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _BEYOND_NUMBERS:
        return str(value)
    if not isinstance(value, str):
        raise ProviderLiedError("Telegram's fields are text and numbers")
    return value


def _launched(init_text: str) -> dict[str, str]:
    if len(init_text) > _LONGEST:
        raise ProviderLiedError("the launch text is too long")
    try:
        pairs = parse_qsl(init_text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise ProviderLiedError("the launch text is not a query string") from None
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ProviderLiedError("the launch text says something twice")
    _check_lines(told)
    return told


def _mini_app_proof(told: Mapping[str, str], bot_id: int, now: datetime, fresh: timedelta) -> Proof:
    signed_at = _fresh(told, now, fresh)
    user = _user(told.get("user", ""))
    number = user.get("id")
    profile = _profile(str(number) if isinstance(number, int) else None, user, user.get("photo_url"))
    return _proof(profile, f"mini app\n{bot_id}\n{_lines(told)}", signed_at, fresh)


def _check_lines(told: Mapping[str, str]) -> None:
    if len(told) > _MOST_FIELDS or sum(map(len, told.values())) > _LONGEST:
        raise ProviderLiedError("Telegram never says so much")
    for name, value in told.items():
        if not _NAME.fullmatch(name) or not value or _UNFIT.search(value):
            raise ProviderLiedError("a field is empty or holds what Telegram never sends")


def _lines(fields: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields))


def _same(ours: str, claimed: str) -> bool:
    return hmac.compare_digest(ours.encode(), claimed.encode())


def _fresh(told: Mapping[str, str], now: datetime, fresh: timedelta) -> datetime:
    if not _MOMENT.fullmatch(told.get("auth_date", "")):
        raise ProviderLiedError("Telegram's signature bears no moment")
    signed_at = datetime.fromtimestamp(int(told["auth_date"]), UTC)
    if signed_at > now + SKEW:
        raise ProviderLiedError("Telegram's signature is of the future")
    if signed_at < now - fresh:
        raise ProviderRefusedError("Telegram's signature is too old to sign in with")
    return signed_at


def _user(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProviderLiedError("the launch text names no user")
    return found


def _profile(subject: str | None, told: Mapping[str, object], picture: object) -> Profile:
    if subject is None or not _SUBJECT.fullmatch(subject):
        raise ProviderLiedError("Telegram's signature names no user by number")
    parts = [part for part in (told.get("first_name"), told.get("last_name")) if isinstance(part, str)]
    name = readable_name(" ".join(parts), told.get("username"), subject)
    return Profile(Provider.TELEGRAM, subject, name, None, mail_verified=False, picture=safe_picture(picture))


def _proof(profile: Profile, statement: str, signed_at: datetime, fresh: timedelta) -> Proof:
    # By the statement and not by its spelling: the same launch text in another order is no new proof.
    digest = hashlib.sha256(statement.encode()).hexdigest()
    return Proof(profile, digest, used_until=signed_at + fresh + SKEW)


def _bot_id(bot_token: str) -> int:
    return int(bot_token.partition(":")[0])
