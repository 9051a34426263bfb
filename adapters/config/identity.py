"""Settings of identity: keys of personal data, mail, the sites that people sign in by, passkeys and cookies."""

from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from adapters.config.source import Source, is_hex_of
from adapters.identity.oidc_providers import GOOGLE, TELEGRAM, TWITCH
from adapters.mail.smtp import SmtpAccess, TlsMode
from adapters.vault.envelope import MasterKeys
from domain.identity.privacy import changed_documents

_KEY_BYTES = 32
_TLS = {"smtp": TlsMode.STARTTLS, "smtps": TlsMode.IMPLICIT, "smtp+plain": TlsMode.NONE}
_PORTS = {TlsMode.STARTTLS: 587, TlsMode.IMPLICIT: 465, TlsMode.NONE: 25}


class IdentitySettings(Source):
    """What knowing people takes."""

    vault_master_keys: SecretStr = Field(
        description="Keys that wrap people's data keys, `id:hex` of 32 random bytes each, separated by commas: the"
        " first wraps, the others still unwrap"
    )
    keys_database_url: SecretStr = Field(
        default_factory=lambda earlier: earlier.get("database_url"),
        description="PostgreSQL address of the application's role in the database of people's data keys: one of its"
        " own, with backups of its own that are kept shortly; DATABASE_URL when left out, in development only",
    )
    identity_key: SecretStr = Field(
        description="32 random bytes in hex; digests of addresses, links and refresh tokens are made with it, and it"
        " cannot be changed without losing them"
    )

    site_url: str | None = Field(
        default=None, description="Address of the site whose pages the links in letters name; PUBLIC_URL when left out"
    )
    cookie_domain: str | None = Field(
        default=None,
        description="Domain of sign-in cookies, for portals on other hosts than ours; this host alone when left out",
    )
    smtp_url: SecretStr = Field(
        description="Mail server: smtp://user:password@host:587 (STARTTLS), smtps://host:465, or smtp+plain://host:25"
        " on this machine"
    )
    mail_sender: str = Field(
        default="Gametriggers <no-reply@localhost>", description="Who letters are from: Name <address>"
    )

    consent_documents: str = Field(
        default="",
        description="Versions in force of what people agree to, `purpose=version` separated by commas, of terms,"
        " privacy_notice, marketing_mail and profiling; 1 where left out",
    )
    money_kept_years: int = Field(
        default=10,
        ge=0,
        le=100,
        description="How many years after their money last moved law makes us keep who an erased person was",
    )

    google_client_id: str | None = Field(default=None, description="Our client at Google; no sign-in by it without")
    google_client_secret: SecretStr | None = Field(default=None, description="Its secret")
    google_issuer: str = Field(default=GOOGLE, description="Address of Google's OpenID Connect")
    twitch_client_id: str | None = Field(default=None, description="Our client at Twitch; no sign-in by it without")
    twitch_client_secret: SecretStr | None = Field(default=None, description="Its secret")
    twitch_issuer: str = Field(default=TWITCH, description="Address of Twitch's OpenID Connect")
    telegram_client_id: str | None = Field(default=None, description="Our client at Telegram; no sign-in by it without")
    telegram_client_secret: SecretStr | None = Field(default=None, description="Its secret")
    telegram_issuer: str = Field(default=TELEGRAM, description="Address of Telegram's OpenID Connect")
    telegram_bot_token: SecretStr | None = Field(
        default=None, description="Token of our bot, which its sign-in button and mini apps sign with"
    )
    passkey_domain: str | None = Field(
        default=None, description="Domain that passkeys belong to, never to be changed; PUBLIC_URL's host when left out"
    )
    password_old_bcrypt_cost: int | None = Field(
        default=None,
        ge=4,
        le=16,
        description="Cost of an older system's bcrypt hashes (PHP: 10, from 8.4 on 12), so that every failed try does"
        " the same work; none when left out",
    )
    password_threads: int = Field(
        default=2, ge=1, le=64, description="How many passwords one process hashes at once; each takes 20 MiB or so"
    )

    @field_validator("vault_master_keys")
    @classmethod
    def _refuse_unreadable_keys(cls, keys: SecretStr) -> SecretStr:
        MasterKeys.parse(keys.get_secret_value())
        return keys

    @field_validator("consent_documents")
    @classmethod
    def _refuse_unknown_documents(cls, text: str) -> str:
        changed_documents(text)
        return text

    @field_validator("identity_key")
    @classmethod
    def _refuse_another_length_of_key(cls, key: SecretStr) -> SecretStr:
        if not is_hex_of(key.get_secret_value(), _KEY_BYTES):
            raise ValueError(f"it takes {_KEY_BYTES} bytes in hex, {2 * _KEY_BYTES} digits")
        return key

    @field_validator("smtp_url")
    @classmethod
    def _refuse_another_protocol(cls, url: SecretStr) -> SecretStr:
        found = urlsplit(url.get_secret_value())
        if found.scheme not in _TLS or not found.hostname or parse_qsl(found.query):
            raise ValueError("it begins with smtp://, smtps:// or smtp+plain:// and names a host")
        return url

    @model_validator(mode="after")
    def _ask_for_both_halves(self) -> Self:
        for site in ("google", "twitch", "telegram"):
            id_, secret = getattr(self, f"{site}_client_id"), getattr(self, f"{site}_client_secret")
            if (id_ is None) is not (secret is None):
                raise ValueError(f"{site.upper()}_CLIENT_ID and {site.upper()}_CLIENT_SECRET go together")
        return self

    @property
    def identity_key_bytes(self) -> bytes:
        """The key itself."""
        return bytes.fromhex(self.identity_key.get_secret_value())

    @property
    def smtp_access(self) -> SmtpAccess:
        """The mail server and who we are there."""
        found = urlsplit(self.smtp_url.get_secret_value())
        tls = _TLS[found.scheme]
        return SmtpAccess(
            found.hostname or "",
            found.port or _PORTS[tls],
            self.mail_sender,
            tls,
            unquote(found.username) if found.username else None,
            unquote(found.password) if found.password else None,
        )
