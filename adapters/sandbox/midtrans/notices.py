"""Delivers notifications: signed, in order for each payment, again by Midtrans' schedule, and wrong on request."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
import structlog
from yarl import URL

from adapters.payments.midtrans import encoded
from adapters.sandbox.midtrans.bodies import notification_body
from adapters.sandbox.midtrans.faults import FaultKind, Faults
from adapters.sandbox.midtrans.payments import Payment
from adapters.sandbox.midtrans.schedule import retry_delay

Sleep = Callable[[float], Awaitable[None]]

_MOST_REDIRECTS = 5
_REDIRECTS = {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
_LONGEST_LOG = 100_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try to deliver one notification; `status` is None when no answer came."""

    order_id: str
    transaction_status: str
    url: str
    attempt: int
    status: int | None


@dataclass(frozen=True, slots=True)
class _Letter:
    order_id: str
    transaction_status: str
    url: str
    body: bytes


class Notifier:
    """Sends notifications in tasks of its own. Close it."""

    def __init__(self, server_key: str, faults: Faults, *, sleep: Sleep, timeout_s: float) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=_LONGEST_LOG)
        self._server_key = server_key
        self._faults = faults
        self._sleep = sleep
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._held: defaultdict[str, list[_Letter]] = defaultdict(list)
        self._first_tries = 0

    @property
    def busy(self) -> bool:
        """Whether a notification has not had its first try yet."""
        return self._first_tries > 0

    async def drained(self) -> None:
        """Wait until all that was sent has been taken or given up, retries included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def notify(self, payment: Payment) -> None:
        """Tell the payment's addresses how it stands now."""
        body = notification_body(payment, self._server_key)
        order_id = payment.order_id
        if self._faults.take(FaultKind.BAD_SIGNATURE, order_id=order_id):
            body["signature_key"] = str(body["signature_key"])[::-1]
        status = str(body["transaction_status"])
        letters = [_Letter(order_id, status, url, encoded(body)) for url in payment.notify]
        if self._faults.take(FaultKind.LOST, order_id=order_id):
            return
        if duplicate := self._faults.take(FaultKind.DUPLICATE, order_id=order_id):
            letters *= duplicate.copies
        if self._faults.take(FaultKind.OUT_OF_ORDER, order_id=order_id):
            self._held[order_id] += letters
            return
        self._send(letters)
        self.release(order_id)

    def release(self, order_id: str) -> None:
        """Send what was held back, now."""
        self._send(self._held.pop(order_id, []))

    async def aclose(self) -> None:
        """Give up what is still to be sent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _send(self, letters: Sequence[_Letter]) -> None:
        if not letters:
            return
        self._first_tries += 1
        task = asyncio.create_task(self._deliver(letters))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, letters: Sequence[_Letter]) -> None:
        try:
            async with self._turns[letters[0].order_id]:
                answers = await asyncio.gather(*(self._try(letter, 1) for letter in letters))
        finally:
            self._first_tries -= 1
        await asyncio.gather(*(self._again(*pair) for pair in zip(letters, answers, strict=True)))

    async def _again(self, letter: _Letter, status: int | None) -> None:
        attempt = 1
        while (delay := retry_delay(status, attempt)) is not None:
            await self._sleep(delay.total_seconds())
            attempt += 1
            status = await self._try(letter, attempt)

    async def _try(self, letter: _Letter, attempt: int) -> int | None:
        status = await self._post(letter)
        delivery = Delivery(letter.order_id, letter.transaction_status, letter.url, attempt, status)
        self.deliveries.append(delivery)
        _log.info(
            "notified",
            order_id=letter.order_id,
            transaction_status=letter.transaction_status,
            attempt=attempt,
            http_status=status,
        )
        return status

    async def _post(self, letter: _Letter) -> int | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        url = letter.url
        headers = {"Content-Type": "application/json"}
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                async with self._session.post(url, data=letter.body, headers=headers, allow_redirects=False) as answer:
                    if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                        return answer.status
                    url = str(answer.url.join(URL(answer.headers["Location"])))
        except (TimeoutError, aiohttp.ClientError, ValueError):
            return None
        return None  # led round in circles
