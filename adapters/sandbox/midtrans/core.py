"""The Core API: status, cancel, expire, approve, deny, refund. Refusals come at HTTP 200, with a code in the body."""

import re
from collections.abc import Callable
from datetime import timedelta

from starlette.routing import Route

from adapters.sandbox.midtrans.bodies import not_found, refund_body, status_body
from adapters.sandbox.midtrans.endpoint import Answer, Call, Endpoint, KeptAnswers, Work
from adapters.sandbox.midtrans.faults import FaultKind
from adapters.sandbox.midtrans.payments import Act, ActRefusedError, Back, Payment, State

REFUND_KEY_LIVES = timedelta(days=7)

_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_BY_TRANSACTION_ID_ONLY = {"dana"}
_NO_REFUND = {"bank_transfer", "echannel", "cstore"}
_WHOLE_REFUND_ONLY = {"shopeepay", "ovo"}
_REFUNDABLE = {State.SETTLEMENT, State.PARTIAL_REFUND}
_DONE = {
    Act.CANCEL: ("200", "Success, transaction is canceled"),
    Act.EXPIRE: ("407", "Success, transaction has expired"),
    Act.APPROVE: ("200", "Success, transaction is approved"),
    Act.DENY: ("200", "Success, transaction is denied"),
}


def routes(kept: KeptAnswers) -> list[Route]:
    """Where the Core API listens."""
    found = [_route("status", _status, "GET", kept), _route("refund", _refund, "POST", kept)]
    found += [_route(act.value, _wished(act), "POST", kept) for act in _DONE]
    direct = Endpoint("core.refund", _refund, _complain, kept).serve
    return [*found, Route("/v2/{reference}/refund/online/direct", direct, methods=["POST"])]


def _route(name: str, work: Work, verb: str, kept: KeptAnswers) -> Route:
    return Route(f"/v2/{{reference}}/{name}", Endpoint(f"core.{name}", work, _complain, kept).serve, methods=[verb])


def _complain(status: int, reason: str) -> Answer:
    return Answer(200, {"status_code": str(status), "status_message": reason})


def _status(call: Call) -> Answer:
    payment = call.sandbox.find(call.reference)
    by_order_id = payment is not None and call.reference == payment.order_id
    if payment is None or (by_order_id and payment.payment_type in _BY_TRANSACTION_ID_ONLY):
        return Answer(200, not_found())
    stale = FaultKind.STALE_STATUS
    if payment.past and call.sandbox.faults.take(stale, order_id=payment.order_id, call="core.status"):
        return Answer(200, payment.past[-1])
    return Answer(200, status_body(payment))


def _wished(act: Act) -> Callable[[Call], Answer]:
    def work(call: Call) -> Answer:
        payment = call.sandbox.find(call.reference)
        if payment is None or payment.state is State.NEW:
            return Answer(200, not_found())
        try:
            call.sandbox.wish(payment, act)
        except ActRefusedError as error:
            return _complain(412, f"Transaction status cannot be updated: {error}")
        code, message = _DONE[act]
        return Answer(200, status_body(payment) | {"status_code": code, "status_message": message})

    return work


def _refund(call: Call) -> Answer:
    payment = call.sandbox.find(call.reference)
    if payment is None or payment.state is State.NEW:
        return Answer(200, not_found())
    key, amount = call.body.get("refund_key", ""), call.body.get("amount")
    if not isinstance(key, str) or (key and not _KEY.fullmatch(key)):
        return _complain(400, "refund_key has characters that are not allowed")
    if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0):
        return _complain(400, "amount is not a whole number of rupiah")
    earlier = next((back for back in payment.backs if key and back.key == key), None)
    if earlier is not None:
        return _repeated(call, payment, earlier, amount)
    return _fresh_refund(call, payment, key, amount)


def _repeated(call: Call, payment: Payment, earlier: Back, amount: int | None) -> Answer:
    same = amount in {None, earlier.amount} and call.sandbox.clock() < earlier.made_at + REFUND_KEY_LIVES
    return Answer(200, refund_body(payment, earlier)) if same else _complain(406, "refund_key was used before")


def _fresh_refund(call: Call, payment: Payment, key: str, amount: int | None) -> Answer:
    if payment.state not in _REFUNDABLE or payment.payment_type in _NO_REFUND:
        return _complain(412, "Transaction status cannot be updated: this payment cannot be refunded")
    if payment.payment_type in _WHOLE_REFUND_ONLY and amount not in {None, payment.paid}:
        return _complain(414, "Refund rejected: only the whole amount can be refunded")
    try:
        back = call.sandbox.refund(payment, amount, key, str(call.body.get("reason", "")))
    except ActRefusedError as error:
        return _complain(414, f"Refund rejected: {error}")
    return Answer(200, refund_body(payment, back))
