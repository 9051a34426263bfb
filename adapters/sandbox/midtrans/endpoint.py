"""What every API call of Midtrans has in common: the key, the count, idempotency, and the faults that were ordered."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from adapters.payments.midtrans import authorization, parsed
from adapters.sandbox.midtrans.faults import FaultKind
from adapters.sandbox.midtrans.sandbox import Sandbox

KEY_LIVES = timedelta(minutes=5)
LONGEST_KEY = 46
LARGEST_BODY = 16 * 1024

_FAILURES = {400: "bad request", 401: "unknown server key", 413: "too large", 429: "too many requests", 500: "broken"}
_INSTEAD_OF_WORK = {FaultKind.SERVER_ERROR: 500, FaultKind.RATE_LIMIT: 429, FaultKind.REFUSAL: 400}
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: which account, the path's reference (if any), the body's object, and the headers."""

    sandbox: Sandbox
    reference: str
    body: Mapping[str, object]
    headers: Mapping[str, str]
    base_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer."""

    status: int
    body: Mapping[str, object]


Work = Callable[[Call], Answer]
Complaint = Callable[[int, str], Answer]
"""Puts a failure into the words of one of the two APIs."""


class Endpoint:
    """One call of the API under the name that it is counted by; the keys that callers sent are remembered in `kept`."""

    def __init__(self, name: str, work: Work, complain: Complaint, kept: "KeptAnswers") -> None:
        self._name = name
        self._work = work
        self._complain = complain
        self._kept = kept

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        sandbox: Sandbox = request.app.state.sandbox
        sandbox.calls[self._name] += 1
        if not _known(request, sandbox):
            return self._failure(401)
        body = await request.body()
        if len(body) > LARGEST_BODY:
            return self._failure(413)
        try:
            found = parsed(body or b"{}")
        except ValueError:
            return self._failure(400)
        call = Call(sandbox, request.path_params.get("reference", ""), found, request.headers, str(request.base_url))
        return await self._answer(request, call)

    async def _answer(self, request: Request, call: Call) -> Response:
        order_id = _order_id(call)
        take = call.sandbox.faults.take
        for fault_kind, status in _INSTEAD_OF_WORK.items():
            if take(fault_kind, order_id=order_id, call=self._name):
                return self._failure(status)
        answer = await self._once(call, order_id)
        if take(FaultKind.ERROR_AFTER_WORK, order_id=order_id, call=self._name):
            return self._failure(500)
        if take(FaultKind.GARBAGE, order_id=order_id, call=self._name):
            return HTMLResponse("<html><body>It works!</body></html>")
        if take(FaultKind.HUGE_ANSWER, order_id=order_id, call=self._name):
            return JSONResponse({**answer.body, "padding": "x" * 100_000}, answer.status)
        if fault := take(FaultKind.TIME_OUT, order_id=order_id, call=self._name):
            await _wait_until_gone(request, fault.seconds)
        return JSONResponse(dict(answer.body), answer.status)

    async def _once(self, call: Call, order_id: str) -> Answer:
        """Do the work, or tell again what came of it when the same key was sent before."""
        key = call.headers.get("idempotency-key")
        if key is None:
            return await self._done(call, order_id)
        if len(key) > LONGEST_KEY:
            return self._complain(400, "the Idempotency-Key is too long")
        if kept := self._kept.recall(key, call.sandbox.clock()):
            return kept
        self._kept.begin(key, call.sandbox.clock())
        try:
            answer = await self._done(call, order_id)
        except BaseException:
            self._kept.forget(key)
            raise
        if answer.status in _SUCCESS:
            self._kept.keep(key, answer, call.sandbox.clock())
        else:
            self._kept.forget(key)
        return answer

    async def _done(self, call: Call, order_id: str) -> Answer:
        if fault := call.sandbox.faults.take(FaultKind.DELAY, order_id=order_id, call=self._name):
            await call.sandbox.sleep(fault.seconds)
        return self._work(call)

    def _failure(self, status: int) -> Response:
        answer = self._complain(status, _FAILURES[status])
        return JSONResponse(dict(answer.body), status)


class KeptAnswers:
    """Successful answers by Idempotency-Key, for five minutes and whatever the endpoint or the body."""

    _IN_FLIGHT = Answer(202, {"status_code": "202", "status_message": "The same request is still being worked on"})

    def __init__(self) -> None:
        self._answers: dict[str, tuple[datetime, Answer]] = {}

    def recall(self, key: str, now: datetime) -> Answer | None:
        """The answer to the first request with this key; 202 while that is at work; None when there was none lately."""
        kept = self._answers.get(key)
        return None if kept is None or now >= kept[0] else kept[1]

    def begin(self, key: str, now: datetime) -> None:
        """Note that work on the first request has begun."""
        self.keep(key, self._IN_FLIGHT, now)

    def keep(self, key: str, answer: Answer, now: datetime) -> None:
        """Remember its answer."""
        self._answers[key] = (now + KEY_LIVES, answer)

    def forget(self, key: str) -> None:
        """A request that failed may be sent again as if new."""
        self._answers.pop(key, None)


def _known(request: Request, sandbox: Sandbox) -> bool:
    sent = request.headers.get("authorization", "").encode()
    return any(compare_digest(sent, authorization(key).encode()) for key in sandbox.settings.server_keys)


def _order_id(call: Call) -> str:
    found = call.sandbox.find(call.reference) if call.reference else None
    if found is not None:
        return found.order_id
    details = call.body.get("transaction_details")
    return str(details.get("order_id")) if isinstance(details, dict) else call.reference


async def _wait_until_gone(request: Request, seconds: float) -> None:
    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except (TimeoutError, ClientDisconnect):
        return
