"""The settings of a server, a worker and every command but `migrate`."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from adapters.config.assets import AssetSettings
from adapters.config.earning import EarningSettings
from adapters.config.identity import IdentitySettings
from adapters.config.invoice import InvoiceSettings
from adapters.config.platforms import PlatformSettings
from adapters.config.source import Source, is_hex_of, listed
from domain.identity.model import Portal
from domain.quotas import USUAL, changed_quotas

_SEAL_KEY_BYTES = 32
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.ASCII)


class Environment(StrEnum):
    """Where we run. Production hides introspection and details of errors, and refuses development's conveniences."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class UntrustedDocuments(StrEnum):
    """What becomes of an operation whose document no maker of our clients wrote."""

    REFUSE = "refuse"
    ALLOW = "allow"


class LogLevel(StrEnum):
    """The least weighty line that is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class MigrationSettings(Source):
    """What `migrate` needs. The owner's password is here alone: a server that never holds it cannot leak it."""

    migration_database_url: SecretStr = Field(
        description="PostgreSQL address of the role that owns the tables; `migrate` alone uses it"
    )
    keys_database_url: SecretStr = Field(
        default_factory=lambda earlier: earlier.get("database_url"),
        description="Database of people's data keys, for the application's role; DATABASE_URL when left out",
    )
    keys_migration_database_url: SecretStr = Field(
        default_factory=lambda earlier: earlier.get("migration_database_url"),
        description="The same for the role that owns its table; MIGRATION_DATABASE_URL when left out",
    )

    @property
    def addresses(self) -> tuple[SecretStr, SecretStr, SecretStr, SecretStr]:
        """The application's database and that of data keys, each for who uses it and for who owns it."""
        return (
            self.database_url,
            self.migration_database_url,
            self.keys_database_url,
            self.keys_migration_database_url,
        )


class Settings(IdentitySettings, AssetSettings, PlatformSettings, EarningSettings, InvoiceSettings):
    """What every other command needs."""

    environment: Environment = Field(default=Environment.PRODUCTION, description="development or production")

    direct_database_url: SecretStr = Field(
        default_factory=lambda earlier: earlier.get("database_url"),
        description="The same database without a pooling proxy in between, for LISTEN and advisory locks;"
        " DATABASE_URL when left out",
    )
    database_pool_size: int = Field(
        default=10,
        ge=1,
        description="Connections in one process's pool; beside it the ledger keeps two, and a worker three more",
    )
    database_behind_pooler: bool = Field(
        default=False,
        description="true when DATABASE_URL leads to a transaction-pooling proxy: no statement stays prepared",
    )
    redis_url: SecretStr = Field(description="Address of Redis or Valkey 7 or later: redis://:password@host:6379/0")

    seal_key: SecretStr = Field(
        description="32 random bytes in hex, the key of the ledger's sealed chain; keep it apart from backups"
    )
    seal_head_file: Path | None = Field(
        default=None, description="File to which the head of the sealed chain is exported; none when left out"
    )
    token_key_file: Path = Field(
        description="PEM file of the ES256 (P-256) private keys that sign access tokens; see `gametriggers keys`"
    )

    host: str = Field(default="127.0.0.1", description="Address that the server listens on")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that the server listens on")
    public_url: str = Field(
        default_factory=lambda earlier: f"http://{earlier.get('host')}:{earlier.get('port')}",
        description="Address at which browsers and vendors reach us; http://HOST:PORT when left out in development",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="How many proxies of ours stand before the server, so that clients' addresses are those that the"
        " outermost of them saw; nobody else may reach the server then, and who does is in none of staff's networks",
    )
    portal_origins: str = Field(
        default="",
        description="Origins of the portals' pages, `portal=origin` separated by commas, of brand, streamer, player and"
        " admin: brand=https://brands.example,admin=https://staff.example. No other pages may call us, and each uses"
        " the sign-in cookies of its own portal alone",
    )
    quotas: str = Field(
        default="", description="Quotas with other numbers than usual: deposit=5/3600,requests_of_address=100/60"
    )

    untrusted_documents: UntrustedDocuments = Field(
        default_factory=lambda earlier: (
            UntrustedDocuments.ALLOW
            if earlier.get("environment") is Environment.DEVELOPMENT
            else UntrustedDocuments.REFUSE
        ),
        description="allow or refuse operations that are no trusted documents; allow in development when left out,"
        " refuse in production, from everybody but staff who look at the schema",
    )
    sockets_of_address: int = Field(
        default=500, ge=1, description="WebSockets at a time of one address, or one customer's network, in each process"
    )
    sockets_of_person: int = Field(default=50, ge=1, description="WebSockets at a time of one person, in each process")
    operations_of_person: int = Field(
        default=500, ge=1, description="Operations at a time on all of a person's WebSockets, in each process"
    )

    midtrans_server_key: SecretStr = Field(description="Midtrans server key")
    midtrans_previous_server_key: SecretStr | None = Field(
        default=None, description="The server key before it, still accepted on notifications while keys are rotated"
    )
    midtrans_snap_url: str = Field(
        default="https://app.sandbox.midtrans.com/snap/v1", description="Address of Midtrans Snap, with its version"
    )
    midtrans_core_url: str = Field(
        default="https://api.sandbox.midtrans.com", description="Address of Midtrans Core API"
    )
    midtrans_timeout_s: float = Field(default=10.0, gt=0, description="Longest wait for an answer of Midtrans, seconds")

    log_level: LogLevel = Field(default=LogLevel.INFO, description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(default=True, description="true for JSON lines, false for people")

    @field_validator("seal_key")
    @classmethod
    def _refuse_another_length(cls, key: SecretStr) -> SecretStr:
        if not is_hex_of(key.get_secret_value(), _SEAL_KEY_BYTES):
            raise ValueError(f"it takes {_SEAL_KEY_BYTES} bytes in hex, {2 * _SEAL_KEY_BYTES} digits")
        return key

    @field_validator("public_url", "midtrans_snap_url", "midtrans_core_url")
    @classmethod
    def _end_without_slash(cls, address: str) -> str:
        return address.rstrip("/")

    @field_validator("portal_origins")
    @classmethod
    def _refuse_what_is_no_portals_origin(cls, pairs: str) -> str:
        origins = [(portal, origin) for portal, _, origin in (pair.partition("=") for pair in listed(pairs))]
        if any(portal not in set(Portal) for portal, _ in origins):
            raise ValueError(f"it takes portal=origin, for {', '.join(Portal)}")
        if not all(_ORIGIN.fullmatch(origin) for _, origin in origins):
            raise ValueError("an origin is a scheme and a host in small letters, and nothing after them")
        if len({origin for _, origin in origins}) < len(origins):
            raise ValueError("an origin is of one portal")
        return pairs

    @field_validator("quotas")
    @classmethod
    def _refuse_unknown_quotas(cls, quotas: str) -> str:
        try:
            changed_quotas(quotas)
        except ValueError:
            raise ValueError(f"it takes name=times/seconds, both above zero, for {', '.join(USUAL)}") from None
        return quotas

    @model_validator(mode="after")
    def _ask_for_an_address_in_production(self) -> Self:
        if self.environment is Environment.PRODUCTION and "public_url" not in self.model_fields_set:
            raise ValueError("PUBLIC_URL must be set in production: browsers are sent there and vendors call it")
        if self.environment is Environment.PRODUCTION and "keys_database_url" not in self.model_fields_set:
            raise ValueError("KEYS_DATABASE_URL must be set in production: people's data keys lie apart from the data")
        return self

    @property
    def seal_key_bytes(self) -> bytes:
        """The seal's key itself."""
        return bytes.fromhex(self.seal_key.get_secret_value())

    @property
    def portals(self) -> Mapping[str, Portal]:
        """The portal that each origin is of."""
        pairs = (pair.partition("=") for pair in listed(self.portal_origins))
        return {origin: Portal(portal) for portal, _, origin in pairs}
