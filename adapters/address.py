"""Where a request came from: the address that the last proxy we trust tells, and nothing that a client can make up.

Each proxy adds the address it was called from at the right end of `X-Forwarded-For`. What stands further left than our
own proxies reach was written by the caller.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from domain.actor import Origin
from domain.quotas import UNPROVEN

_LONGEST_DEVICE = 200
_REMEMBERED = 4_096
"""Addresses and devices: the same few come again and again, and to read one takes longer than to find it here."""
_FORWARDED, _AGENT = b"x-forwarded-for", b"user-agent"


class Located:
    """Notes the `Origin` of every request and socket in its state. It stands below what gives requests their id."""

    def __init__(self, app: ASGIApp, trusted_proxies: int) -> None:
        self._app, self._trusted_proxies = app, trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] in {"http", "websocket"}:
            forwarded, agent = _said(scope)
            address = client_address(_peer(scope), forwarded, self._trusted_proxies)
            state = scope.setdefault("state", {})
            state["origin"] = Origin(address, state["request_id"], _device(agent))
        await self._app(scope, receive, send)


def _said(scope: Scope) -> tuple[list[str], str]:
    """All that proxies say of the way here, and what the client calls itself."""
    forwarded, agent = [], ""
    for name, value in scope["headers"]:
        if name == _FORWARDED:
            forwarded.append(value.decode("latin-1"))
        elif name == _AGENT and not agent:
            agent = value.decode("latin-1")
    return forwarded, agent


def client_address(peer: str, forwarded: list[str], trusted_proxies: int) -> str:
    """The client's address, in its one normal form; a Unix socket has none, and stays as it is.

    `peer` is the other end of our socket, and with proxies the nearest of them; `forwarded` are all lines of
    `X-Forwarded-For` in their order. Where they do not fit the proxies that we know of, or make no sense, the peer may
    be a proxy that speaks for the whole world: it is then told with `UNPROVEN` behind it, which lies in no network.
    """
    there = _normal(peer) or peer
    if not trusted_proxies and not forwarded:
        return there
    told = ",".join(forwarded).split(",")
    if not 0 < trusted_proxies <= len(told):
        return there + UNPROVEN
    return _normal(_without_port(told[-trusted_proxies].strip())) or there + UNPROVEN


def _without_port(text: str) -> str:
    """Some proxies add the port: `203.0.113.7:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        inside, closed, port = text[1:].partition("]")
        return inside if closed and (not port or _is_port(port.removeprefix(":"))) else ""
    before, colon, port = text.partition(":")
    return before if colon and _is_port(port) else text


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal()


@lru_cache(_REMEMBERED)
def _normal(text: str) -> str | None:
    """An address as it is compared and kept: shortest form, no zone, IPv4 as such even where it comes within IPv6."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(found)


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


@lru_cache(_REMEMBERED)
def _device(agent: str) -> str:
    return "".join(letter for letter in agent[:_LONGEST_DEVICE] if letter.isprintable())
