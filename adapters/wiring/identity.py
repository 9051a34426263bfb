"""Everything that identity needs, plugged in as the settings say."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from adapters.config import Settings
from adapters.identity import oidc_providers, totp
from adapters.identity.oidc import OidcProvider
from adapters.identity.opaque import KeyedTokens
from adapters.identity.passkeys import WebauthnPasskeys
from adapters.identity.passwords import Argon2Passwords
from adapters.identity.telegram import TelegramProofs
from adapters.identity.tokens import Tokens
from adapters.mail.letters import WrittenLetters
from adapters.mail.smtp import SmtpMailer
from adapters.postgres.database import Database
from adapters.postgres.identity.reads import PostgresPeopleReads
from adapters.postgres.standings import PostgresStandings
from adapters.postgres.work import PostgresWork, Works
from adapters.vault.envelope import MasterKeys
from adapters.vault.postgres import PostgresVault
from domain.clock import Clock
from domain.identity.mail import Letters, Mailer
from domain.identity.one_time_codes import AuthenticatorApps
from domain.identity.pages import Pages
from domain.identity.ports import AccessTokens, OpaqueTokens
from domain.identity.provider import IdentityProvider, Provider, SignedProofs
from domain.identity.secrets import Passkeys, Passwords
from domain.quotas import Quotas
from domain.vault import PLATFORM, Vault

_KEY_CONNECTIONS = 3
_NAME = "Gametriggers"
_THIS_MACHINE = "localhost"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KnowingPeople:
    """What takes no database of the application's: keys, tokens, letters, and who vouches for a person."""

    vault: Vault
    access_tokens: AccessTokens
    opaque_tokens: OpaqueTokens
    passwords: Passwords
    wording: Letters
    mailer: Mailer
    pages: Pages
    passkeys: Passkeys
    providers: Mapping[Provider, IdentityProvider]
    signed_proofs: SignedProofs | None
    authenticator_apps: AuthenticatorApps


@dataclass(frozen=True, slots=True)
class IdentityAdapters(KnowingPeople):
    """`domain.identity.ports.IdentityPorts`, plugged in."""

    works: Works
    people: PostgresPeopleReads
    standings: PostgresStandings
    quotas: Quotas
    clock: Clock

    def work(self) -> AbstractAsyncContextManager[PostgresWork]:
        """Open a unit of work."""
        return self.works()


@asynccontextmanager
async def knowing_people(settings: Settings, clock: Clock) -> AsyncIterator[KnowingPeople]:
    """All of it, connected while the block lasts."""
    keys = Database(
        settings.keys_database_url.get_secret_value(),
        size=_KEY_CONNECTIONS,
        behind_pooler=settings.database_behind_pooler,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(keys)
        master = MasterKeys.parse(settings.vault_master_keys.get_secret_value())
        vault = PostgresVault(keys, master, settings.identity_key_bytes)
        await vault.create_key(PLATFORM)
        passwords = stack.enter_context(
            Argon2Passwords(threads=settings.password_threads, old_cost=settings.password_old_bcrypt_cost)
        )
        await passwords.prepare()
        providers = [OidcProvider(site, clock=clock) for site in _sites(settings)]
        for provider in providers:
            await stack.enter_async_context(provider)
        bot = settings.telegram_bot_token
        yield KnowingPeople(
            vault=vault,
            access_tokens=Tokens.of_file(settings.token_key_file, settings.public_url),
            opaque_tokens=KeyedTokens(settings.identity_key_bytes),
            passwords=passwords,
            wording=WrittenLetters(),
            mailer=SmtpMailer(settings.smtp_access, clock),
            pages=Pages(settings.site_url or settings.public_url),
            passkeys=_passkeys(settings),
            providers={provider.provider: provider for provider in providers},
            signed_proofs=TelegramProofs(bot.get_secret_value()) if bot else None,
            authenticator_apps=totp,
        )


def _passkeys(settings: Settings) -> WebauthnPasskeys:
    """Passkeys of our domain, on those of our sites where a browser has them; elsewhere on this machine's own name."""
    domain = settings.passkey_domain or urlsplit(settings.public_url).hostname or _THIS_MACHINE
    sites = [site for site in (settings.public_url, *settings.portals) if _has_passkeys(site, domain)]
    if sites:
        return WebauthnPasskeys(domain, sites, _NAME)
    _log.warning("no_passkeys", reason="browsers have them over https on a named host, and on localhost")
    return WebauthnPasskeys(_THIS_MACHINE, [f"http://{_THIS_MACHINE}:{settings.port}"], _NAME)


def _has_passkeys(site: str, domain: str) -> bool:
    found = urlsplit(site)
    host = found.hostname or ""
    safe = found.scheme == "https" or host == _THIS_MACHINE
    return safe and (host == domain or host.endswith(f".{domain}"))


def _sites(settings: Settings) -> list[oidc_providers.Registration]:
    """The sites at which we are a client."""
    google = _client(settings.google_client_id, settings.google_client_secret)
    twitch = _client(settings.twitch_client_id, settings.twitch_client_secret)
    telegram = _client(settings.telegram_client_id, settings.telegram_client_secret)
    found = [
        oidc_providers.google(*google, issuer=settings.google_issuer) if google else None,
        oidc_providers.twitch(*twitch, issuer=settings.twitch_issuer) if twitch else None,
        oidc_providers.telegram(*telegram, issuer=settings.telegram_issuer) if telegram else None,
    ]
    return [site for site in found if site is not None]


def _client(id_: str | None, secret: SecretStr | None) -> tuple[str, str] | None:
    return (id_, secret.get_secret_value()) if id_ and secret else None
