"""Twitch, where streamers sign in to link their account: what it does in its own way beside `oauth`."""

from dataclasses import dataclass, field
from http import HTTPStatus

from adapters.breaker import Breaker
from adapters.identity.oidc_providers import TWITCH, Registration
from adapters.identity.oidc_wire import Answer
from adapters.platforms.answers import is_name, read
from adapters.platforms.oauth import Doors, OAuthSite
from domain.identity.provider import Provider, ProviderLiedError, ProviderUnavailableError
from domain.streamer.site import Account, GrantRefusedError, Tokens

_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED})
_SCOPE = "openid"
"""Who it is, and no more: what everybody may see of a channel we ask as ourselves."""


@dataclass(frozen=True, slots=True)
class TwitchAccess:
    """What we are at Twitch, and where it is."""

    client_id: str
    client_secret: str = field(repr=False)
    oauth_url: str = TWITCH
    timeout_s: float = 10.0
    """The longest wait for a whole answer."""

    def registration(self, scope: str = "") -> Registration:
        """What we are at Twitch, as the wire has it."""
        return Registration(
            Provider.TWITCH, self.oauth_url, self.client_id, self.client_secret, scope, "client_secret_post"
        )


class TwitchSite(OAuthSite):
    """`domain.streamer.site.Site` by Twitch, which ignores the challenge of PKCE as yet."""

    takes_back_all = False

    def __init__(self, access: TwitchAccess, *, breaker: Breaker | None = None) -> None:
        self._access = access
        doors = Doors(self._at("authorize"), self._at("token"))
        super().__init__(access.registration(_SCOPE), doors, timeout_s=access.timeout_s, breaker=breaker)

    async def check(self, tokens: Tokens) -> None:
        """Twitch asks that this is done when we begin, and every hour."""
        await self._whose(tokens)

    async def revoke(self, tokens: Tokens) -> None:
        """Give back what was granted. Where the access token ran out, by another one: the grant may still live."""
        if await self._is_revoked(tokens):
            return
        try:
            await self._is_revoked(await self.renew(tokens))
        except GrantRefusedError:
            return

    def _takes_back(self, answer: Answer) -> bool:
        return answer.status in _REFUSED

    async def _whose(self, tokens: Tokens) -> Account:
        answer = await self._wire.send(
            "validate", "GET", self._at("validate"), headers={"Authorization": f"OAuth {tokens.access}"}
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise GrantRefusedError("the access token is good no more")
        told = read(answer, "validate")
        subject, name = told.get("user_id"), told.get("login")
        if told.get("client_id") != self._access.client_id:
            raise ProviderLiedError("the token was given to somebody else")
        if not isinstance(subject, str) or not subject.isdecimal() or not is_name(name):
            raise ProviderLiedError("the token is nobody's")
        return Account(subject, str(name))

    async def _is_revoked(self, tokens: Tokens) -> bool:
        form = {"client_id": self._access.client_id, "token": tokens.access}
        answer = await self._wire.send("revoke", "POST", self._at("revoke"), form=form)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
            raise ProviderUnavailableError(f"revoke: HTTP {answer.status}")
        return answer.status == HTTPStatus.OK

    def _at(self, door: str) -> str:
        return f"{self._access.oauth_url}/{door}"
