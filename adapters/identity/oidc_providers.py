"""How each site speaks OpenID Connect: what we are there, what it signs with, and where it says who somebody is."""

import ipaddress
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from domain.identity.provider import Profile, Provider, ProviderLiedError, readable_name, safe_picture

GOOGLE = "https://accounts.google.com"
TWITCH = "https://id.twitch.tv/oauth2"
TELEGRAM = "https://oauth.telegram.org"

_SUBJECT = re.compile(r"[!-~]{1,255}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


@dataclass(frozen=True, slots=True)
class Registration:
    """What we are at a site. Its own words are found in its discovery document, under `issuer`."""

    provider: Provider
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    client_auth: str
    """How the token endpoint wants our secret: client_secret_basic or client_secret_post."""
    algorithms: frozenset[str] = frozenset({"RS256"})
    other_names: frozenset[str] = frozenset()
    """What the site calls itself in tokens besides `issuer`."""
    subject_claim: str = "sub"
    nonce_comes_back: bool = True
    """Its tokens always repeat the nonce. Where they need not, one that is there must still be right."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """What else is asked of its page."""

    def __post_init__(self) -> None:
        if not (self.client_id and self.client_secret):
            raise ValueError(f"{self.provider} needs a client id and a secret")
        if not fit_address(self.issuer):
            raise ValueError(f"{self.issuer!r} is no address of a provider: HTTPS, or HTTP on this machine")

    @property
    def names(self) -> Collection[str]:
        """All that the site calls itself."""
        return {self.issuer} | self.other_names


def google(client_id: str, client_secret: str, *, issuer: str = GOOGLE) -> Registration:
    """Google, which also signs as its name without a scheme."""
    return Registration(
        Provider.GOOGLE,
        issuer,
        client_id,
        client_secret,
        scope="openid email profile",
        client_auth="client_secret_post",
        other_names=frozenset({issuer.partition("://")[2]}),
    )


def twitch(client_id: str, client_secret: str, *, issuer: str = TWITCH) -> Registration:
    """Twitch, which tells name, picture and mail only where each is asked for by name."""
    wanted = dict.fromkeys(("email", "email_verified", "picture", "preferred_username"))
    return Registration(
        Provider.TWITCH,
        issuer,
        client_id,
        client_secret,
        scope="openid user:read:email",
        client_auth="client_secret_post",
        asked={"claims": json.dumps({"id_token": wanted}, separators=(",", ":"))},
    )


def telegram(
    client_id: str, client_secret: str, *, issuer: str = TELEGRAM, algorithms: Collection[str] = ("RS256",)
) -> Registration:
    """Telegram, by its sign-in for sites; `algorithms` as chosen with BotFather.

    Its `sub` is made up for each client. The number by which bots, the widget and mini apps know the same person is
    `id`, told to those who ask for the profile. It does not promise to repeat a nonce: PKCE binds the code to us.
    """
    return Registration(
        Provider.TELEGRAM,
        issuer,
        client_id,
        client_secret,
        scope="openid profile",
        client_auth="client_secret_basic",
        algorithms=frozenset(algorithms),
        subject_claim="id",
        nonce_comes_back=False,
    )


def profile_of(site: Registration, claims: Mapping[str, object]) -> Profile:
    """Whom a verified token's claims name; raises `ProviderLiedError` where that is nobody."""
    if not isinstance(sub := claims.get("sub"), str) or not _SUBJECT.fullmatch(sub):
        raise ProviderLiedError("the token has no subject")
    subject = sub if site.subject_claim == "sub" else _number(claims.get(site.subject_claim))
    mail = claims.get("email")
    known = isinstance(mail, str) and _MAIL.fullmatch(mail) is not None and mail.isprintable()
    return Profile(
        site.provider,
        subject,
        readable_name(claims.get("name"), claims.get("preferred_username"), claims.get("given_name"), subject),
        mail=str(mail) if known else None,
        mail_verified=known and claims.get("email_verified") is True,
        picture=safe_picture(claims.get("picture")),
    )


def fit_address(url: str) -> bool:
    """Whether secrets may be sent there: over HTTPS, or to this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _number(found: object) -> str:
    text = str(found) if isinstance(found, int | str) else ""
    if not _NUMBER.fullmatch(text):
        raise ProviderLiedError("the token does not tell the person's number")
    return text
