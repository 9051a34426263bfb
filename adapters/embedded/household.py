"""Passwords and keys of a development checkout: made once, kept in a folder that git ignores."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from joserfc.jwk import ECKey

from adapters.config import ROOT
from adapters.embedded.folders import write_secret

VAR = ROOT / "var"
DEV_SETTINGS = VAR / "dev.env"
"""The settings of the running `make dev`, for commands that are typed beside it; gone with it."""

_FILE = "dev.json"
_SIGNING_KEY = "token-key.pem"


@dataclass(frozen=True, slots=True)
class Household:
    """Secrets of one checkout. They open nothing but servers on this machine's loopback."""

    owner_password: str
    app_password: str
    seal_key: str
    midtrans_server_key: str
    vault_master_keys: str
    identity_key: str


def open_household(var: Path = VAR) -> Household:
    """Read the checkout's secrets; what is missing is made, and what is there stays."""
    file = var / _FILE
    try:
        kept = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        kept = {}
    made = Household(
        owner_password=secrets.token_urlsafe(24),
        app_password=secrets.token_urlsafe(24),
        seal_key=secrets.token_hex(32),
        midtrans_server_key=f"SB-Mid-server-{secrets.token_urlsafe(18)}",
        vault_master_keys=f"first:{secrets.token_hex(32)}",
        identity_key=secrets.token_hex(32),
    )
    household = Household(**{name: kept.get(name, value) for name, value in asdict(made).items()})
    if asdict(household) != kept:
        write_secret(file, json.dumps(asdict(household), indent=2))
    return household


def token_key_file(var: Path = VAR) -> Path:
    """The file of the key that signs the checkout's tokens; made at the first start."""
    file = var / _SIGNING_KEY
    if not file.exists():
        write_secret(file, ECKey.generate_key("P-256").as_pem(private=True).decode())
    return file
