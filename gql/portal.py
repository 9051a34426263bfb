"""Stands in for the portals' pages while somebody develops: where links in letters and other sites lead.

One page for all of them. It calls our own endpoint as a portal would, and holds no tokens: those travel as cookies, of
the portal that is chosen there. Never in production.
"""

import secrets
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PATHS = (
    "/sign-in",
    "/sign-in/{provider}",
    "/link/{platform}",
    "/confirm-sign-up",
    "/confirm-mail",
    "/reset-password",
    "/forgotten-password",
    "/download-export",
    "/brand-invitation",
    "/brands/{brand}",
    "/settings/sessions",
    "/settings/identities",
    "/settings/second-factors",
    "/settings/erasure",
)

_PAGE = Template((Path(__file__).parent / "portal.html").read_text(encoding="utf-8"))


def routes() -> list[Route]:
    """Where the page is."""
    return [Route(path, _page, methods=["GET"]) for path in PATHS]


async def _page(_: Request) -> Response:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    # What other sites bring back stands in the address: it goes no further.
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(_PAGE.substitute(nonce=nonce), headers=headers)
