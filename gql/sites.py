"""Which sites' pages may call us from a browser. Others get no word of it, and a browser keeps answers from them.

A client that is no browser sends no `Origin` and is asked for none: this guards people against pages, not us against
programs. Cookies are another matter: they are a page's, and which of them depends on the `Origin`, which a browser
writes and no script can change. A request without one, a page's GET from its own host included, is answered by none.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.identity.model import Portal

VARY = "Accept, Authorization, Cookie"
"""What an answer of GraphQL's depends on; `Sites` adds the site that asks."""

CHOSEN = "gametriggers-portal"
"""In development the pages of our own host stand in for every portal, and say with this header for which."""

_METHODS = ("GET", "POST")
_TAKEN = (
    "Authorization", "Content-Type", "GraphQL-Require-Preflight", "Last-Event-ID", "X-Request-Id", "X-Requested-With",
)  # fmt: skip
_SHOWN = ("RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id")
_AGREED_S = 600
_VARIES = (b"vary", VARY.encode())
_VARIES_BY_SITE = (b"vary", f"{VARY}, Origin".encode())


@dataclass(frozen=True, slots=True)
class PortalSites:
    """Which portal a page is of."""

    origins: Mapping[str, Portal]
    own: str
    """The origin under which we are known."""
    in_development: bool = False

    def welcome(self, headers: Mapping[str, str]) -> bool:
        """Whether a page may open a socket, or a program, which names no origin."""
        site = headers.get("origin")
        return site is None or site == self.own or site in self.origins or self._is_at_home(headers)

    def portal_of(self, headers: Mapping[str, str], chosen: str | None) -> Portal | None:
        """The portal whose page sends a request, if any's; `chosen` counts for our own pages in development."""
        site = headers.get("origin", "")
        if site and site not in self.origins and self._is_at_home(headers):
            return next((portal for portal in Portal if portal.name == chosen), None)
        return self.origins.get(site)

    def _is_at_home(self, headers: Mapping[str, str]) -> bool:
        """Whether a page is of the very host that it calls, by whatever name of this machine it was opened."""
        host = headers.get("origin", "").partition("://")[2]
        return self.in_development and host != "" and host == headers.get("host")


class Sites:
    """CORS for listed origins alone, credentials included; whoever else asks is answered as if CORS did not exist."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app, self._allowed = app, frozenset(allowed)
        self._agreeing = CORSMiddleware(
            app,
            allow_origins=self._allowed,
            allow_methods=_METHODS,
            allow_headers=_TAKEN,
            allow_credentials=True,
            expose_headers=_SHOWN,
            max_age=_AGREED_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer a listed site's question beforehand."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _site(scope) in self._allowed:
            await self._agreeing(scope, receive, send)
        else:
            await self._app(scope, receive, _telling_of_origin(send))


def _site(scope: Scope) -> str | None:
    """The site whose page asks, if any's does."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)


def _telling_of_origin(send: Send) -> Send:
    """A cache must not hand one site's answer to another."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            if _VARIES in message["headers"]:  # nearly always, and so much sooner done
                message["headers"] = [_VARIES_BY_SITE if each == _VARIES else each for each in message["headers"]]
            else:
                MutableHeaders(scope=message).add_vary_header("Origin")
        await send(message)

    return tell


def origin_of(address: str) -> str:
    """The origin of a web address, as a browser writes it: no path, no port that goes without saying."""
    parts: Any = urlsplit(address)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")
