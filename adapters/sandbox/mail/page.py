"""The page on which a newcomer reads what was sent, and follows its links: plain HTML, no script."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.mail.mailbox import LINK, Mailbox, ReceivedLetter

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_INERT = {
    **_HEADERS,
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
}
"""A letter's own HTML may be anything: it runs nothing, loads nothing, and its links still work."""
_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:44rem;margin:4vh auto;padding:0 1rem}
article{border:1px solid #8888;border-radius:.5rem;padding:1rem;margin:1rem 0}
h2{font-size:1.1rem;margin:0 0 .3rem}small{opacity:.7}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:.7rem 0}
button{font:inherit;padding:.3rem .8rem}
"""


def routes() -> list[Route]:
    """Where the page is."""
    return [
        Route("/", _list, methods=["GET"]),
        Route("/clear", _clear, methods=["POST"]),
        Route("/letters/{number:int}/html", _html_of, methods=["GET"]),
    ]


async def _list(request: Request) -> Response:
    mailbox: Mailbox = request.app.state.mailbox
    letters = mailbox.sent_to(request.query_params.get("to", ""))
    shown = "".join(_article(letter) for letter in letters) or "<p>No letter has arrived yet.</p>"
    clear = '<form method="post" action="/clear"><button>Forget all</button></form>' if letters else ""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Letters · mail sandbox</title><style>{_STYLE}</style></head>"
        f"<body><h1>Letters</h1><p><small>A sandbox: nothing here was delivered to anybody. Newest first.</small></p>"
        f"<main>{shown}</main>{clear}</body></html>"
    )
    return HTMLResponse(page, headers=_HEADERS)


async def _clear(request: Request) -> Response:
    request.app.state.mailbox.clear()
    return RedirectResponse("/", status_code=303, headers=_HEADERS)


async def _html_of(request: Request) -> Response:
    letter = request.app.state.mailbox.find(request.path_params["number"])
    if letter is None or letter.html is None:
        return HTMLResponse("<p>There is no such letter.</p>", 404, headers=_HEADERS)
    return HTMLResponse(letter.html, headers=_INERT)


def _article(letter: ReceivedLetter) -> str:
    again = " · sent again" if letter.repeated else ""
    html = f' · <a href="/letters/{letter.number}/html">as HTML</a>' if letter.html is not None else ""
    return (
        f"<article><h2>{escape(letter.subject) or '(no subject)'}</h2>"
        f"<small>to {escape(', '.join(letter.to))} · from {escape(letter.sender)} · "
        f"{letter.received_at:%H:%M:%S} UTC{again}{html}</small><pre>{_linked(letter.text)}</pre></article>"
    )


def _linked(text: str) -> str:
    """Text as HTML, with every address in it to be clicked."""
    shown, end = [], 0
    for found in LINK.finditer(text):
        address = escape(found[0], quote=True)
        shown += [escape(text[end : found.start()]), f'<a href="{address}">{address}</a>']
        end = found.end()
    return "".join([*shown, escape(text[end:])])
