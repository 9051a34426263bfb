"""What a provider publishes and answers, where it is odd: only what is safe and understood is used."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.identity.oidc import OidcProvider
from adapters.identity.oidc_providers import google
from adapters.sandbox.identity.sandbox import new_key
from adapters.sandbox.listening import listening
from domain.clock import system_clock
from domain.identity.provider import Profile, ProviderLiedError, ProviderRefusedError, ProviderUnavailableError

KEY = new_key()
RETURN = "http://127.0.0.1:1/return"


@dataclass
class Odd:
    """A provider whose every answer is set by the test."""

    url: str = ""
    document: dict[str, object] = field(default_factory=dict)
    keys: object = field(default_factory=lambda: {"keys": [KEY.as_dict(private=False)]})
    answer: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)

    async def discovery(self, _: Request) -> Response:
        url = self.url
        told = {
            "issuer": url,
            "authorization_endpoint": f"{url}/a",
            "token_endpoint": f"{url}/t",
            "jwks_uri": f"{url}/k",
        }
        return rendered({**told, **self.document})

    async def published(self, _: Request) -> Response:
        return rendered(self.keys)

    async def token(self, request: Request) -> Response:
        self.cookies.append(request.headers.get("cookie", ""))
        answer = rendered(self.answer, self.status)
        answer.headers.update(self.headers)
        return answer

    async def sign_in(self, nonce_key: RSAKey = KEY) -> Profile:
        async with OidcProvider(google("us", "secret", issuer=self.url)) as provider:
            journey = (await provider.begin(RETURN)).journey
            if self.answer is None:
                now = int(system_clock().timestamp())
                claims = {"iss": self.url, "aud": "us", "sub": "5", "nonce": journey.nonce, "iat": now, "exp": now + 60}
                self.answer = {"id_token": jwt.encode({"alg": "RS256", "kid": nonce_key.kid}, claims, nonce_key)}
            return await provider.finish(journey, {"state": journey.state, "code": "c"})


def rendered(found: object, status: int = 200) -> Response:
    body = found if isinstance(found, bytes) else json.dumps(found).encode()
    return Response(body, status, media_type="application/json")


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    async with opened() as found:
        yield found


@asynccontextmanager
async def opened() -> AsyncIterator[Odd]:
    odd = Odd()
    routes = [
        Route("/.well-known/openid-configuration", odd.discovery),
        Route("/k", odd.published),
        Route("/t", odd.token, methods=["POST"]),
    ]
    async with listening(Starlette(routes=routes)) as url:
        odd.url = url
        yield odd


async def test_an_ordinary_provider_is_believed(odd: Odd) -> None:
    assert (await odd.sign_in()).subject == "5"


@pytest.mark.parametrize("door", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", [None, 5, "", "/relative", "http://site.example/x", "javascript:alert(1)"])
async def test_a_door_that_is_not_safe_is_not_used(odd: Odd, door: str, address: object) -> None:
    odd.document = {door: address}
    with pytest.raises(ProviderLiedError, match=f"no safe {door}"):
        await odd.sign_in()


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", None, ["x"]])
async def test_a_document_of_another_issuer_is_not_used(odd: Odd, issuer: object) -> None:
    odd.document = {"issuer": issuer}
    with pytest.raises(ProviderLiedError, match="another issuer"):
        await odd.sign_in()


@pytest.mark.parametrize(
    "stranger",
    [
        5,
        {},
        {"kty": "AKP", "kid": "new"},
        {"kty": ["RSA"], "kid": "x"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "broken", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "kid": "short", "n": "A" * 100, "e": "AQAB"},
        {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "curve"},
    ],
)
async def test_a_key_that_is_not_understood_keeps_nobody_out(odd: Odd, stranger: object) -> None:
    odd.keys = {"keys": [stranger, KEY.as_dict(private=False)]}
    assert (await odd.sign_in()).subject == "5"


@pytest.mark.parametrize(
    "key",
    [
        {**KEY.as_dict(private=False), "use": "enc"},
        {**OctKey.generate_key().as_dict(), "kid": KEY.kid},
        {**ECKey.generate_key("P-256").as_dict(private=False), "kid": KEY.kid},
        {**new_key().as_dict(private=False), "kid": KEY.kid},
        {**KEY.as_dict(private=False), "kid": None},
    ],
)
async def test_a_key_for_another_purpose_verifies_nothing(odd: Odd, key: object) -> None:
    odd.keys = {"keys": [key]}
    with pytest.raises(ProviderLiedError):
        await odd.sign_in()


async def test_a_key_that_is_too_short_verifies_nothing(odd: Odd) -> None:
    modulus = base64.urlsafe_b64encode(((1 << 1023) + 12345).to_bytes(128)).rstrip(b"=").decode()
    odd.keys = {"keys": [{"kty": "RSA", "kid": KEY.kid, "n": modulus, "e": "AQAB"}]}
    with pytest.raises(ProviderLiedError, match="does not publish"):
        await odd.sign_in()


@pytest.mark.parametrize("keys", [5, [], {}, {"keys": None}, b"", b"[" * 100_000])
async def test_an_answer_without_keys_is_no_answer(odd: Odd, keys: object) -> None:
    odd.keys = keys
    with pytest.raises(ProviderUnavailableError):
        await odd.sign_in()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"5",
        b"\xff",
        b"[" * 100_000,
        {"id_token": "x", "expires_in": "soon"},
        {"id_token": "x", "expires_at": []},
    ],
)
async def test_a_token_answer_that_cannot_be_read_is_no_answer(odd: Odd, answer: object) -> None:
    odd.answer = answer
    with pytest.raises(ProviderUnavailableError):
        await odd.sign_in()


@pytest.mark.parametrize("found", [None, 5, "", ["x"]])
async def test_a_token_answer_without_a_token_is_not_believed(odd: Odd, found: object) -> None:
    odd.answer = {"id_token": found, "access_token": "x"}
    with pytest.raises(ProviderLiedError):
        await odd.sign_in()


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"error": "invalid_grant"}, ProviderRefusedError),
        (200, {"error": "invalid_grant"}, ProviderRefusedError),
        (400, {"message": "Invalid authorization code"}, ProviderRefusedError),
        (400, {"error": ["odd"]}, ProviderRefusedError),
        (400, {"error": "invalid_client"}, ProviderUnavailableError),
        (401, {"error": "invalid_client"}, ProviderUnavailableError),
        (403, {"message": "invalid client secret"}, ProviderUnavailableError),
        (429, {}, ProviderUnavailableError),
        (503, b"<html>", ProviderUnavailableError),
        (302, {}, ProviderUnavailableError),
        (404, {}, ProviderUnavailableError),
        (400, b"<html>", ProviderUnavailableError),
    ],
)
async def test_a_refused_code_is_told_from_trouble(odd: Odd, status: int, error: object, kind: type[Exception]) -> None:
    odd.status, odd.answer = status, error
    odd.headers = {"Location": f"{odd.url}/k"} if status == 302 else {}
    with pytest.raises(kind):
        await odd.sign_in()


async def test_one_persons_cookies_are_not_sent_for_the_next(odd: Odd) -> None:
    odd.headers = {"Set-Cookie": "who=ayu; Path=/"}
    async with OidcProvider(google("us", "secret", issuer=odd.url)) as provider:
        for _ in range(2):
            journey = (await provider.begin(RETURN)).journey
            odd.answer = {"error": "invalid_grant"}
            with pytest.raises(ProviderRefusedError):
                await provider.finish(journey, {"state": journey.state, "code": "c"})
    assert odd.cookies == ["", ""]
