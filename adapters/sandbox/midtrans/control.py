"""The operator's side of the sandbox, which Midtrans does not have: drive payments, order faults, count calls."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.payments.midtrans import parsed
from adapters.sandbox.midtrans.bodies import status_body
from adapters.sandbox.midtrans.payments import Act, ActRefusedError, Payment
from adapters.sandbox.midtrans.sandbox import Sandbox

Drive = Callable[[Sandbox, Payment, Mapping[str, object]], None]


def routes() -> list[Route]:
    """Where the operator's API listens. It asks for no key: serve the sandbox on loopback only."""
    return [
        Route("/control/payments", _list, methods=["GET"]),
        Route("/control/payments/{order_id}", _one, methods=["GET"]),
        Route("/control/payments/{order_id}/{deed}", _drive, methods=["POST"]),
        Route("/control/faults", _faults, methods=["GET"]),
        Route("/control/faults", _order_fault, methods=["POST"]),
        Route("/control/faults", _clear_faults, methods=["DELETE"]),
        Route("/control/calls", _calls, methods=["GET"]),
        Route("/control/calls", _forget_calls, methods=["DELETE"]),
        Route("/control/deliveries", _deliveries, methods=["GET"]),
    ]


def _done_by(act: Act) -> Drive:
    return lambda sandbox, payment, _: sandbox.act(payment, act)


def _refund(sandbox: Sandbox, payment: Payment, wish: Mapping[str, object]) -> None:
    sandbox.refund(payment, _rupiah(wish, "amount"), _text(wish, "key") or "", "by the operator")


DEEDS: dict[str, Drive] = {
    "choose": lambda sandbox, payment, wish: sandbox.choose(payment, _text(wish, "channel")),
    "pay": lambda sandbox, payment, wish: sandbox.pay(
        payment, channel=_text(wish, "channel"), amount=_rupiah(wish, "amount"), currency=_text(wish, "currency")
    ),
    "authorize": _done_by(Act.AUTHORIZE),
    "capture": _done_by(Act.CAPTURE),
    "challenge": _done_by(Act.CHALLENGE),
    "approve": _done_by(Act.APPROVE),
    "settle": _done_by(Act.SETTLE),
    "deny": _done_by(Act.DENY),
    "cancel": _done_by(Act.CANCEL),
    "expire": _done_by(Act.EXPIRE),
    "fail": _done_by(Act.FAIL),
    "refund": _refund,
    "confirm-refund": lambda sandbox, payment, _: sandbox.confirm_refunds(payment),
    "chargeback": lambda sandbox, payment, wish: sandbox.charge_back(payment, _rupiah(wish, "amount")),
    "notify": lambda sandbox, payment, _: sandbox.notifier.notify(payment),
    "release": lambda sandbox, payment, _: sandbox.notifier.release(payment.order_id),
}
"""What an operator may do to a payment: POST /control/payments/{order_id}/{deed}, details in a JSON object."""


async def _drive(request: Request) -> Response:
    payment = _account(request).find(request.path_params["order_id"])
    deed = DEEDS.get(request.path_params["deed"])
    if payment is None or deed is None:
        return _complaint(404, "no such payment" if payment is None else f"one of: {', '.join(DEEDS)}")
    try:
        deed(_account(request), payment, parsed(await request.body() or b"{}"))
    except ActRefusedError as error:
        return _complaint(409, str(error))
    except ValueError as error:
        return _complaint(400, str(error))
    return JSONResponse(_shown(payment))


async def _list(request: Request) -> Response:
    return JSONResponse([_shown(payment) for payment in _account(request)])


async def _one(request: Request) -> Response:
    payment = _account(request).find(request.path_params["order_id"])
    return _complaint(404, "no such payment") if payment is None else JSONResponse(_shown(payment))


async def _faults(request: Request) -> Response:
    return JSONResponse(_account(request).faults.listed())


async def _order_fault(request: Request) -> Response:
    try:
        fault = _account(request).faults.order(parsed(await request.body()))
    except ValueError as error:
        return _complaint(400, str(error))
    return JSONResponse(asdict(fault), 201)


async def _clear_faults(request: Request) -> Response:
    _account(request).faults.clear()
    return Response(status_code=204)


async def _calls(request: Request) -> Response:
    return JSONResponse(dict(_account(request).calls))


async def _forget_calls(request: Request) -> Response:
    _account(request).calls.clear()
    return Response(status_code=204)


async def _deliveries(request: Request) -> Response:
    notifier = _account(request).notifier
    return JSONResponse({"busy": notifier.busy, "tries": [asdict(delivery) for delivery in notifier.deliveries]})


def _account(request: Request) -> Sandbox:
    account: Sandbox = request.app.state.sandbox
    return account


def _shown(payment: Payment) -> dict[str, object]:
    return {"order_id": payment.order_id, "state": payment.state, "status": status_body(payment)}


def _text(wish: Mapping[str, object], field: str) -> str | None:
    found = wish.get(field)
    if found is not None and not isinstance(found, str):
        raise ValueError(f"{field} must be text")
    return found


def _rupiah(wish: Mapping[str, object], field: str) -> int | None:
    found = wish.get(field)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise ValueError(f"{field} must be a whole number of rupiah")
    return found


def _complaint(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status)
