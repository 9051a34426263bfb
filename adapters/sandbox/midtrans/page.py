"""The page that a payer pays on: plain HTML and forms, no script."""

from collections.abc import Callable
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.midtrans.bodies import status_body
from adapters.sandbox.midtrans.payments import Act, ActRefusedError, Payment, State
from adapters.sandbox.midtrans.sandbox import Sandbox, page_open
from adapters.sandbox.midtrans.snap import PAGE_PATH

WRONG_BY = 1_000
"""By how many rupiah "pay the wrong amount" is short; over by as many where the payment is too small for that."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:26rem;margin:8vh auto;padding:0 1rem}
small{opacity:.7}h1{font-size:2rem;margin:.2rem 0 1rem}
select,button,a.button{display:block;box-sizing:border-box;width:100%;margin:.5rem 0;padding:.7rem;font:inherit;
border:1px solid #8888;border-radius:.5rem;text-align:center;cursor:pointer}
button.main,a.button{background:#0b6bcb;border-color:#0b6bcb;color:#fff;text-decoration:none}
dt{opacity:.7}dd{margin:0 0 .5rem;word-break:break-all}
"""
_BUTTONS = {
    "pay": "Pay",
    "deny": "Be denied",
    "expire": "Let it expire",
    "pay_twice": "Pay, and be reported twice",
    "pay_wrong_amount": "Pay the wrong amount",
    "challenge": "Pay, and be held for a fraud check",
}
_CARD_ONLY = {"challenge"}
_OPEN = {State.NEW, State.PENDING}


def routes() -> list[Route]:
    """Where the page is."""
    path = f"{PAGE_PATH}/{{token}}"
    return [Route(path, _show, methods=["GET"]), Route(path, _press, methods=["POST"])]


async def _show(request: Request) -> Response:
    payment = _account(request).with_token(request.path_params["token"])
    if payment is None:
        return _html("No such page", "<p>This payment page does not exist.</p>", 404)
    if payment.state in _OPEN and page_open(payment, _account(request).clock()):
        return _html("Pay", _form(payment))
    return _html("Done", _outcome(payment))


async def _press(request: Request) -> Response:
    account = _account(request)
    payment = account.with_token(request.path_params["token"])
    if payment is None:
        return await _show(request)
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    press = _PRESSED.get(fields.get("button", [""])[0])
    if press is None:
        return _html("Pay", "<p>There is no such button.</p>", 400)
    if payment.state in _OPEN and page_open(payment, account.clock()):
        try:
            if payment.state is State.NEW:
                account.choose(payment, fields.get("channel", [payment.channels[0]])[0])
            press(account, payment)
        except ActRefusedError as error:
            return _html("Pay", f"<p>That did not work: {escape(str(error))}.</p>", 409)
    return RedirectResponse(request.url.path, status_code=303, headers=_HEADERS)


def _pay_twice(account: Sandbox, payment: Payment) -> None:
    account.pay(payment)
    account.notifier.notify(payment)


def _pay_wrong_amount(account: Sandbox, payment: Payment) -> None:
    wrong = payment.asked - WRONG_BY
    account.pay(payment, amount=wrong if wrong > 0 else payment.asked + WRONG_BY)


_PRESSED: dict[str, Callable[[Sandbox, Payment], None]] = {
    "pay": lambda account, payment: account.pay(payment),
    "deny": lambda account, payment: account.act(payment, Act.DENY),
    "expire": lambda account, payment: account.act(payment, Act.EXPIRE),
    "pay_twice": _pay_twice,
    "pay_wrong_amount": _pay_wrong_amount,
    "challenge": lambda account, payment: account.act(payment, Act.CHALLENGE),
}


def _account(request: Request) -> Sandbox:
    account: Sandbox = request.app.state.sandbox
    return account


def _form(payment: Payment) -> str:
    offered = payment.channels if payment.state is State.NEW else [payment.channel]
    options = "".join(f"<option>{escape(channel)}</option>" for channel in offered)
    named = [(name, text) for name, text in _BUTTONS.items() if name not in _CARD_ONLY or "credit_card" in offered]
    buttons = "".join(
        f'<button name="button" value="{name}"{" class=main" * (name == "pay")}>{text}</button>' for name, text in named
    )
    return (
        f"<small>Order {escape(payment.order_id)}</small><h1>{_rupiah(payment.asked)}</h1>"
        f'<form method="post"><label>Pay with<select name="channel">{options}</select></label>{buttons}</form>'
    )


def _outcome(payment: Payment) -> str:
    body = status_body(payment)
    told = str(body.get("transaction_status", "the page has expired"))
    back = ""
    if payment.finish_url is not None:
        address = escape(_with_outcome(payment.finish_url, payment, body), quote=True)
        back = f'<a class="button" href="{address}">Back to the shop</a>'
    return (
        f"<small>Order {escape(payment.order_id)}</small><h1>{_rupiah(payment.paid or payment.asked)}</h1>"
        f"<dl><dt>Status</dt><dd>{escape(told)}</dd></dl>{back}"
    )


def _with_outcome(url: str, payment: Payment, body: dict[str, object]) -> str:
    parts = urlsplit(url)
    told = urlencode(
        {
            "order_id": payment.order_id,
            "status_code": body["status_code"],
            "transaction_status": body.get("transaction_status", "expire"),
        }
    )
    return urlunsplit(parts._replace(query=f"{parts.query}&{told}" if parts.query else told))


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


def _html(title: str, body: str, status: int = 200) -> Response:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title} · payment sandbox</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main><p><small>A sandbox: no money moves.</small></p></body></html>"
    )
    return HTMLResponse(page, status, headers=_HEADERS)
