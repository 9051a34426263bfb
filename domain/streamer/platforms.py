"""Accounts on other platforms: how their names are written, what tells them apart, and the codes that prove them."""

import re
import secrets
from collections.abc import Mapping
from typing import Final

from domain.streamer.model import LinkId, Platform
from domain.vault import Vault

_NAMES: Final[Mapping[Platform, re.Pattern[str]]] = {
    Platform.TIKTOK: re.compile(r"[a-z0-9_.]{1,23}[a-z0-9_]", re.ASCII),
    Platform.FACEBOOK: re.compile(r"[a-z0-9.]{5,50}", re.ASCII),
}
_ADDRESSES: Final[Mapping[Platform, str]] = {
    Platform.TIKTOK: "https://www.tiktok.com/@{}",
    Platform.FACEBOOK: "https://www.facebook.com/{}",
    Platform.TWITCH: "https://www.twitch.tv/{}",
    Platform.YOUTUBE: "https://www.youtube.com/{}",
}
_SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PREFIX, _LENGTH = "GT", 8
_LONGEST: Final = 100
"""Characters, with what people write around a name."""


def account_entered(platform: Platform, text: str) -> str | None:
    """The name of an account in one form, from how people write it; None for what is none."""
    name = text[:_LONGEST].strip().lower().removeprefix("@")
    return name if _NAMES[platform].fullmatch(name) and name.strip(".") else None


def account_index(vault: Vault, platform: Platform, account: str) -> bytes:
    """The digest by which an account is told from all others: of its name or, where the platform tells it, its id.

    To Facebook a name is the same with dots and without.
    """
    name = account.replace(".", "") if platform is Platform.FACEBOOK else account
    return vault.index(f"platform/{platform}", name)


def profile_address(platform: Platform, account: str) -> str:
    """Where the public profile of an account is."""
    return _ADDRESSES[platform].format(account)


def new_code() -> str:
    """A code of 40 random bits, to be shown once: `GT-7K2M-9DPH`."""
    drawn = "".join(secrets.choice(_SYMBOLS) for _ in range(_LENGTH))
    return f"{_PREFIX}-{drawn[:4]}-{drawn[4:]}"


def code_digest(vault: Vault, link: LinkId, text: str) -> bytes:
    """What is kept of a code: keyed, and good for one link. Case, spaces and dashes do not matter."""
    written = "".join(symbol for symbol in text.upper() if symbol.isalnum()).removeprefix(_PREFIX)
    return vault.index(f"platform_code/{link}", written.translate(_READ_AS))
