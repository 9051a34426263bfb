"""YouTube, where streamers sign in by Google to link their channel: what it does in its own way beside `oauth`."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from adapters.breaker import Breaker
from adapters.identity.oidc_wire import Answer
from adapters.platforms.answers import is_name, reading
from adapters.platforms.oauth import Doors, OAuthSite
from adapters.platforms.youtube_api import YouTubeAccess, YouTubeApi
from domain.identity.provider import (
    Departure,
    Journey,
    ProviderLiedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from domain.streamer.site import Account, GrantRefusedError, Tokens

_SCOPE: Final = "https://www.googleapis.com/auth/youtube.readonly"
_ASKED: Final = {"access_type": "offline", "prompt": "consent"}
"""Whoever agreed before is asked again, for only then a refresh token comes."""
_CHANNEL: Final = re.compile(r"UC[A-Za-z0-9_-]{10,40}", re.ASCII)


class YouTubeSite(OAuthSite):
    """`domain.streamer.site.Site` by Google. Revoking any token ends all that an account granted us."""

    takes_back_all = True

    def __init__(self, access: YouTubeAccess, api: YouTubeApi, *, breaker: Breaker | None = None) -> None:
        self._revoke_url, self._api = f"{access.oauth_url}/revoke", api
        doors = Doors(access.sign_in_url, f"{access.oauth_url}/token")
        registration = access.registration(_SCOPE, _ASKED)
        super().__init__(registration, doors, timeout_s=access.timeout_s, breaker=breaker)

    async def begin(self, redirect_uri: str) -> Departure:
        """As the port says; where the day has no unit left for the way back, nobody is sent there."""
        await self._api.require_units()
        return await super().begin(redirect_uri)

    async def finish(self, journey: Journey, parameters: Mapping[str, str]) -> tuple[Account, Tokens]:
        """As the port says; a code is not used up where the day has no unit left."""
        await self._api.require_units()
        return await super().finish(journey, parameters)

    async def check(self, _: Tokens) -> None:
        """Google's access tokens are good for an hour, which is over by the time that anybody looks: renew them."""
        raise GrantRefusedError("the access token is good for an hour")

    async def revoke(self, tokens: Tokens) -> None:
        """Give back what was granted, all of it; what is good no more (400) is given back."""
        answer = await self._wire.send("revoke", "POST", self._revoke_url, form={"token": tokens.refresh})
        if answer.status not in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}:
            raise ProviderUnavailableError(f"revoke: HTTP {answer.status}")

    def _takes_back(self, answer: Answer) -> bool:
        return answer.status == HTTPStatus.BAD_REQUEST and answer.told.get("error") == "invalid_grant"

    def _granted(self, told: Mapping[str, object]) -> Tokens:
        if _SCOPE not in str(told.get("scope", "")).split():
            raise ProviderRefusedError("the streamer did not let us look at the channel")
        return super()._granted(told)

    async def _whose(self, tokens: Tokens) -> Account:
        query = {"part": "snippet", "mine": "true", "maxResults": "1"}
        found = await self._api.ask("channels", query, access=tokens.access)
        if not found:
            raise ProviderRefusedError("this account has no channel")
        with reading("channels"):
            subject, handle = found[0]["id"], found[0]["snippet"].get("customUrl")
        if not isinstance(subject, str) or not _CHANNEL.fullmatch(subject):
            raise ProviderLiedError("the channel is none")
        return Account(subject, str(handle) if is_name(handle) else f"channel/{subject}")
