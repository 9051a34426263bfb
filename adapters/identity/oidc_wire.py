"""The wire to a provider: Authlib speaks OAuth on it; time-outs, bounded answers, a circuit breaker, silent logs."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError  # Authlib ships no types
from authlib.integrations.httpx_client import AsyncOAuth2Client  # Authlib ships no types

from adapters.breaker import Breaker, CircuitOpenError
from adapters.identity.oidc_providers import Registration
from domain.identity.provider import Journey, ProviderRefusedError, ProviderUnavailableError

LARGEST_ANSWER_BYTES = 256 * 1024

_OUR_FAULT = ("invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope")
_UNKNOWN_CLIENT = "token: the provider does not accept our client id and secret"
_UNREACHABLE = (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL)
_UNREADABLE = (ValueError, TypeError, OverflowError, OAuthError)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a call that is no sign-in."""

    status: int
    headers: Mapping[str, str]
    """By names in small letters."""
    body: bytes

    @property
    def told(self) -> Mapping[str, object]:
        """The JSON object that it is. Raises `ProviderUnavailableError` where it is none."""
        return _object(self.body)


class Wire:
    """Calls to one provider. Each raises `ProviderUnavailableError`; what was sent or answered is never logged."""

    def __init__(self, site: Registration, *, timeout_s: float, breaker: Breaker) -> None:
        self._site = site
        self._timeout_s = timeout_s
        self._breaker = breaker
        self._client = AsyncOAuth2Client(
            client_id=site.client_id,
            client_secret=site.client_secret,
            token_endpoint_auth_method=site.client_auth,
            code_challenge_method="S256",
            scope=site.scope,
            transport=_BoundedTransport(trust_env=False),
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )
        self._client.register_compliance_hook("access_token_response", _refuse_failures)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def departure(self, authorize_url: str, journey: Journey) -> str:
        """The address of the provider's page for this journey."""
        url, _ = self._client.create_authorization_url(
            authorize_url,
            state=journey.state,
            code_verifier=journey.verifier,
            nonce=journey.nonce,
            redirect_uri=journey.redirect_uri,
            **self._site.asked,
        )
        return str(url)

    async def read(self, call: str, url: str) -> Mapping[str, object]:
        """Ask for a JSON object."""
        with self._called(call):
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.request(
                    "GET", url, withhold_token=True, headers={"Accept": "application/json"}
                )
            if answer.status_code != HTTPStatus.OK:
                raise ProviderUnavailableError(f"{call}: HTTP {answer.status_code}")
            return _object(answer.content)

    async def send(
        self,
        call: str,
        verb: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        told: Mapping[str, object] | None = None,
    ) -> Answer:
        """Say something, as a form or as JSON, and have what is answered, if only it is no trouble of theirs (5xx)."""
        with self._called(call):
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.request(
                    verb, url, withhold_token=True, headers={"Accept": "application/json", **(headers or {})},
                    data=form, json=told,
                )  # fmt: skip
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise ProviderUnavailableError(f"{call}: HTTP {answer.status_code}")
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status_code, found, answer.content)

    async def exchange(self, token_url: str, code: str, journey: Journey) -> Mapping[str, object]:
        """Give a code for tokens. Raises `ProviderRefusedError` too, where the code is no good."""
        with self._called("token"):
            async with asyncio.timeout(self._timeout_s):
                return await self._fetch_token(token_url, code, journey)

    async def _fetch_token(self, token_url: str, code: str, journey: Journey) -> Mapping[str, object]:
        try:
            answer = await self._client.fetch_token(
                token_url,
                grant_type="authorization_code",
                code=code,
                code_verifier=journey.verifier,
                redirect_uri=journey.redirect_uri,
            )
        except _UNREADABLE as error:
            raise ProviderUnavailableError(f"token: an answer that cannot be read ({type(error).__name__})") from None
        self._client.token = None  # nobody's token stays behind
        return MappingProxyType(dict(answer))

    @contextmanager
    def _called(self, call: str) -> Iterator[None]:
        log = _log.bind(provider=self._site.provider.value, call=call)
        began = time.monotonic()
        try:
            with self._breaker.guard():
                try:
                    yield
                except _UNREACHABLE as error:
                    # Only the error's kind is told: its text may repeat a part of what was sent or answered.
                    raise ProviderUnavailableError(f"{call}: {type(error).__name__}") from None
        except CircuitOpenError as error:
            raise ProviderUnavailableError("the provider is left alone for a while after its failures") from error
        except ProviderUnavailableError as error:
            log.warning("provider_unavailable", reason=str(error), duration_ms=_since_ms(began))
            raise
        log.info("provider_called", duration_ms=_since_ms(began))


def _refuse_failures(answer: httpx2.Response) -> httpx2.Response:
    """Judge the token endpoint's answer by its status too: Twitch says no without OAuth's `error`."""
    status = answer.status_code
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise ProviderUnavailableError(_UNKNOWN_CLIENT)
    if status not in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}:
        raise ProviderUnavailableError(f"token: HTTP {status}")
    told = _object(answer.content)
    if status == HTTPStatus.OK and "error" not in told:
        return answer
    if told.get("error") in _OUR_FAULT:
        raise ProviderUnavailableError(_UNKNOWN_CLIENT)
    raise ProviderRefusedError("the provider does not accept the code")


def _object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProviderUnavailableError("an answer that is no JSON object")
    return found


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Reads so much of an answer and no more, and keeps no cookies from one person's call for the next."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
        answer = await super().handle_async_request(request)
        stream = answer.stream
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise httpx2.ReadError("no stream")
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"set-cookie"]
        return httpx2.Response(
            answer.status_code, headers=headers, stream=_Bounded(stream), extensions=answer.extensions
        )


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._stream:
            seen += len(chunk)
            if seen > LARGEST_ANSWER_BYTES:
                raise httpx2.ReadError(f"the answer is longer than {LARGEST_ANSWER_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _since_ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
