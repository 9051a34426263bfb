"""The gateway Midtrans, over HTTP: time-outs, a circuit breaker for each host, and logs that hold no secret."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote
from uuid import UUID

import aiohttp
import structlog
from yarl import URL

from adapters.breaker import Breaker, CircuitOpenError
from adapters.payments import midtrans
from adapters.payments.midtrans_status import read_status
from domain.clock import Clock, system_clock
from domain.money import Money
from domain.wallet.gateway import (
    GatewayAnswerError,
    GatewayRefusedError,
    GatewayUnavailableError,
    Method,
    PaymentPage,
    PaymentState,
    PaymentStatus,
)

LARGEST_ANSWER_BYTES = 64 * 1024

_MAY_BE_UNKNOWN = {"status", "cancel", "expire"}
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MidtransAccess:
    """Where Midtrans is and how to speak to it."""

    core_url: str
    """Address of the Core API, without a version."""
    snap_url: str
    """Address of Snap, with its version."""
    server_key: str = field(repr=False)
    notification_urls: tuple[str, ...] = ()
    """Where to send notifications of the pages that we open; empty for what Midtrans' dashboard says. Three at most."""
    notify_dashboard_too: bool = False
    """Notify these addresses besides the dashboard's and not instead of it."""
    timeout_s: float = 10.0
    """The longest wait for a whole answer, connecting included."""
    connect_timeout_s: float = 3.0


class MidtransGateway:
    """`domain.wallet.gateway.Gateway` by Midtrans Snap and Core API. Close it, or use it as a context."""

    name = "midtrans"

    def __init__(
        self,
        access: MidtransAccess,
        *,
        session: aiohttp.ClientSession | None = None,
        clock: Clock = system_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        breaker: Callable[[], Breaker] = Breaker,
        in_flight_pauses_s: tuple[float, ...] = (0.2, 0.5, 1.0),
    ) -> None:
        self._access = access
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        self._clock = clock
        self._sleep = sleep
        self._snap, self._core = breaker(), breaker()
        self._pauses_s = in_flight_pauses_s
        self._timeout = aiohttp.ClientTimeout(total=access.timeout_s, sock_connect=access.connect_timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless their session was given to us."""
        if self._owned is not None:
            await self._owned.close()
            self._owned = None

    async def open_page(
        self,
        order_id: str,
        amount: Money,
        method: Method,
        *,
        request_key: UUID,
        expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:
        """Open a page for whole rupiah; the same `request_key` within five minutes answers the same page.

        While Midtrans still works on the same request it is asked again, a few times. Raises the gateway's errors,
        `InvalidMoneyError` and `InvalidReferenceError`.
        """
        body = midtrans.page_request(
            order_id, amount, method, now=self._clock(), expires_at=expires_at, finish_url=finish_url
        )
        headers = {"Idempotency-Key": str(request_key), **self._notification_header()}
        url = f"{self._access.snap_url}/transactions"
        for pause_s in (*self._pauses_s, None):
            with _opened(self._snap):
                page = midtrans.read_page(*await self._exchange("snap.create", order_id, "POST", url, body, headers))
            if page is not None:
                return page
            if pause_s is not None:
                await self._sleep(pause_s)
        raise GatewayUnavailableError("Midtrans still works on the same request", uncertain=True)

    async def status(self, order_id: str, *, transaction_id: str | None = None) -> PaymentStatus:
        """How the payment stands; UNKNOWN until its payer has chosen a method. DANA wants the `transaction_id`."""
        return await self._core_call("status", order_id, transaction_id, verb="GET")

    async def cancel(self, order_id: str) -> PaymentStatus:
        """Void a payment that has not settled; UNKNOWN when no method was chosen, and the page then lives on."""
        return await self._core_call("cancel", order_id)

    async def expire(self, order_id: str) -> PaymentStatus:
        """End a pending payment; UNKNOWN when no method was chosen, and the page then lives on."""
        return await self._core_call("expire", order_id)

    async def approve(self, order_id: str) -> PaymentStatus:
        """Accept a challenged payment."""
        return await self._core_call("approve", order_id)

    async def deny(self, order_id: str) -> PaymentStatus:
        """Decline a challenged payment."""
        return await self._core_call("deny", order_id)

    async def refund(self, order_id: str, amount: Money, *, key: str, reason: str) -> PaymentStatus:
        """Give whole rupiah back after settlement; the same `key` within seven days never gives them twice."""
        return await self._core_call("refund", order_id, body=midtrans.refund_request(amount, key, reason))

    async def _core_call(
        self,
        call: str,
        order_id: str,
        transaction_id: str | None = None,
        *,
        verb: str = "POST",
        body: Mapping[str, object] | None = None,
    ) -> PaymentStatus:
        asked_for = quote(transaction_id or midtrans.checked_order_id(order_id), safe="~")
        url = f"{self._access.core_url}/v2/{asked_for}/{call}"
        with _opened(self._core):
            answer = await self._exchange(f"core.{call}", order_id, verb, url, body, {})
            found = read_status(order_id, *answer, posted=verb == "POST")
        if found.state is PaymentState.UNKNOWN and call not in _MAY_BE_UNKNOWN:
            raise GatewayRefusedError("404", f"there is no payment to {call}")
        if found.unread is not None:
            _log.error("midtrans_currency_unknown", order_id=order_id, state=found.state, amount=found.unread)
        return found

    async def _exchange(
        self, call: str, order_id: str, verb: str, url: str, body: Mapping[str, object] | None, extra: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """One request and its whole answer. Logs what was called and how it went: never headers, bodies or keys."""
        log, began = _log.bind(call=call, order_id=order_id), time.monotonic()
        headers = {
            "Authorization": midtrans.authorization(self._access.server_key),
            "Accept": "application/json",
            "Content-Type": "application/json",
            **extra,
        }
        payload = midtrans.encoded(body or {}) if verb == "POST" else None
        try:
            async with self._connections().request(
                verb,
                URL(url, encoded=True),
                data=payload,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                found = await _read(answer)
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("midtrans_unreachable", error=type(error).__name__, duration_ms=_since_ms(began))
            uncertain = verb == "POST" and not isinstance(error, _NEVER_SENT)
            raise GatewayUnavailableError(f"{call}: {type(error).__name__}", uncertain=uncertain) from error
        log.info("midtrans_called", http_status=answer.status, duration_ms=_since_ms(began))
        return answer.status, found

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is not None:
            return self._session
        if self._owned is None:
            self._owned = aiohttp.ClientSession()
        return self._owned

    def _notification_header(self) -> dict[str, str]:
        if not self._access.notification_urls:
            return {}
        name = "X-Append-Notification" if self._access.notify_dashboard_too else "X-Override-Notification"
        return {name: ",".join(self._access.notification_urls)}


@contextmanager
def _opened(breaker: Breaker) -> Iterator[None]:
    """Within the breaker. What is wrong with one answer, or with us, is an answer: the next order's may be right."""
    answered: GatewayAnswerError | midtrans.MisconfiguredError | None = None
    try:
        with breaker.guard():
            try:
                yield
            except (GatewayAnswerError, midtrans.MisconfiguredError) as error:
                answered = error
    except GatewayRefusedError as error:
        # Its words stay here: they may tell of our account, and go to no payer.
        _log.warning("midtrans_refused", code=error.code, reason=error.message)
        raise
    except CircuitOpenError as error:
        raise GatewayUnavailableError(
            "Midtrans is left alone for a while after its failures", uncertain=False
        ) from error
    if isinstance(answered, midtrans.MisconfiguredError):
        _log.error("midtrans_misconfigured", code=answered.code, reason=answered.reason)
    if answered is not None:
        raise answered


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for chunk in answer.content.iter_any():
        found += chunk
        if len(found) > LARGEST_ANSWER_BYTES:
            raise GatewayAnswerError(f"the answer is longer than {LARGEST_ANSWER_BYTES} bytes")
    return bytes(found)


def _since_ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
