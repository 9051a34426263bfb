"""What Telegram signs for a bot: the Login Widget's fields and a Mini App's launch text."""

import base64
import json
from datetime import datetime
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.identity.telegram import mini_app_hash, third_party_message, widget_hash
from adapters.sandbox.identity.people import Person

TELEGRAM_KEY = Ed25519PrivateKey.from_private_bytes(b"a key that signs for the sandbox")
"""Stands for Telegram's own: its public half must be told to whoever verifies as a third party."""


def widget_fields(person: Person, bot_token: str, signed_at: datetime) -> dict[str, str]:
    """What the widget hands to the page, whole seconds; a name that a person has not is not there."""
    fields = {
        "id": str(person.number),
        "first_name": person.first_name,
        "username": person.username,
        "photo_url": person.picture,
        "auth_date": str(int(signed_at.timestamp())),
        **({} if person.last_name is None else {"last_name": person.last_name}),
    }
    return {**fields, "hash": widget_hash(fields, bot_token)}


def launch_text(person: Person, bot_token: str, signed_at: datetime) -> str:
    """What Telegram hands to a mini app that it opens, percent-encoded."""
    user = {
        "id": person.number,
        "first_name": person.first_name,
        "last_name": person.last_name or "",
        "username": person.username,
        "language_code": "id",
        "allows_write_to_pm": True,
        "photo_url": person.picture,
    }
    fields = {
        "query_id": f"AA{person.number}",
        "user": json.dumps(user, ensure_ascii=False, separators=(",", ":")),
        "auth_date": str(int(signed_at.timestamp())),
    }
    signature = TELEGRAM_KEY.sign(third_party_message(fields, int(bot_token.partition(":")[0])))
    fields["signature"] = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    fields["hash"] = mini_app_hash(fields, bot_token)
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
