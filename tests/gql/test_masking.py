"""What is in an exception of ours stays with us, wherever it was raised and by whichever way the client came."""

import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import WSMsgType
from graphql import GraphQLError

from adapters.logs import configure_logging
from adapters.readiness import UNREACHABLE
from domain.actor import Actor
from domain.errors import ConflictError, NotPermittedError, UnavailableError
from gql.node import global_id
from tests.fakes import somebody
from tests.gql.house import House, one_schema_for_all, running_house, settings_for
from tests.gql.test_wallets import TOP_UP, wanted

PLANTED = "pl4nted"
TEXT = (
    f"postgresql://app:{PLANTED}@db/x Bearer {PLANTED}.{PLANTED} SB-Mid-server-{PLANTED}"
    f" eyJ{PLANTED}.{PLANTED}.{PLANTED}"
)
"""What an exception may say in places where nobody thinks of clients, nor of whoever reads logs."""

RAISED = [
    RuntimeError,
    ValueError,
    LookupError,
    OSError,
    GraphQLError,
    UnavailableError,
    ConflictError,
    NotPermittedError,
]
STREAM = "text/event-stream"
Plant = Callable[[House, pytest.MonkeyPatch, Exception], None]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What is logged as it is in production."""
    text = StringIO()
    monkeypatch.setattr("sys.stderr", text)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(settings_for(tmp_path, "production"))
    structlog.configure(cache_logger_on_first_use=False)  # or no later test could listen to these loggers
    yield text
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it


def port(owner: str, name: str) -> Plant:
    """A method of a port that fails."""
    return lambda house, patch, error: patch.setattr(getattr(house.ports, owner), name, raising(error))


def scalar(name: str, method: str) -> Plant:
    """A scalar that fails, at values that come in or at those that go out."""

    def plant(_: House, patch: pytest.MonkeyPatch, error: Exception) -> None:
        schema = one_schema_for_all(development=False, unavailable=UNREACHABLE)
        patch.setattr(schema.core.type_map[name], method, raising(error))

    return plant


def breaking_off(house: House, patch: pytest.MonkeyPatch, error: Exception) -> None:
    """A feed that fails once it has begun."""

    async def listen(_: str) -> AsyncGenerator[int, None]:
        yield 0
        raise error

    patch.setattr(house.ports.feed, "listen", listen)


def work(house: House, patch: pytest.MonkeyPatch, error: Exception) -> None:
    """Units of work that cannot begin."""
    patch.setattr(house.ports, "work", raising(error))


WALLETS = "{ viewer { wallets { id createdAt: id balance { total { amount } } } } }"
WALLET = "query ($id: ID!) { wallet(id: $id) { currency statement { edges { cursor } } } }"
AT = 'query ($id: ID!, $at: DateTime! = "2026-01-01T00:00Z") { wallet(id: $id) { balanceAt(at: $at) { __typename } } }'
FOLLOW = "subscription ($id: ID!) { walletChanged(walletId: $id) { __typename } }"

PLACES: dict[str, tuple[Plant, str]] = {
    "a resolver": (port("books", "accounts_of"), WALLETS),
    "a look-up for many": (port("books", "accounts_by_id"), WALLET),
    "a look-up below": (port("books", "statements"), WALLET),
    "a unit of work": (work, TOP_UP),
    "a vendor": (port("gateway", "open_page"), TOP_UP),
    "a value that comes in": (scalar("DateTime", "parse_value"), AT),
    "a literal that comes in": (scalar("DateTime", "parse_literal"), AT),
    "a value that goes out": (scalar("Decimal", "serialize"), WALLETS),
    "the source of a stream": (port("feed", "listen"), FOLLOW),
    "a stream that breaks off": (breaking_off, FOLLOW),
    "what a request takes of its quotas": (port("quotas", "take"), WALLETS),
    "who is calling": (port("standings", "of"), WALLETS),
}


async def said(house: House, me: Actor, query: str, given: dict[str, Any]) -> list[str]:
    """All that a client hears, by whichever way."""
    body = {"query": query, "variables": given}
    heard = []
    for accept in ("application/json", "application/graphql-response+json", STREAM):
        try:
            reply = await house.request("POST", json=body, headers={**house.headers(me), "Accept": accept})
            heard.append(f"{reply.text} {dict(reply.headers)}")
        except aiohttp.ClientError as error:
            heard.append(repr(error))
    try:
        heard += await _said_on_a_socket(house, me, body)
    except aiohttp.ClientError as error:
        heard.append(repr(error))
    return heard


async def _said_on_a_socket(house: House, me: Actor, body: dict[str, Any]) -> list[str]:
    heard = []
    async with house.socket() as socket:
        await socket.send({"type": "connection_init", "payload": house.headers(me)})
        if (found := await socket.raw.receive(10)).type is WSMsgType.TEXT:
            await socket.send({"id": "1", "type": "subscribe", "payload": body})
            while (found := await socket.raw.receive(10)).type is WSMsgType.TEXT:
                heard.append(found.data)
                if json.loads(found.data)["type"] in {"complete", "error"}:
                    break
        heard.append(f"{socket.raw.close_code} {found.data} {found.extra}")
    return heard


CASES = {
    f"{place} {raised.__name__}": (*found, raised)
    for place, found in PLACES.items()
    for raised in RAISED
    if raised is not GraphQLError or "comes in" not in place
}
"""All but this: a `GraphQLError` of a scalar is how it speaks to clients."""


@pytest.mark.parametrize(("plant", "query", "raised"), CASES.values(), ids=CASES.keys())
async def test_nobody_hears_what_an_exception_says(
    log: StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
    query: str,
    raised: type[Exception],
) -> None:
    async with running_house(tmp_path) as house:
        me = somebody()
        wallet = await house.ports.wallet(me)
        given = {"input": wanted(wallet)} if query == TOP_UP else {"id": global_id("Wallet", wallet)}
        with monkeypatch.context() as patch:
            plant(house, patch, raised(TEXT))
            heard = await said(house, me, query, given)
    assert len(heard) >= 4
    assert [each for each in heard if PLANTED in each] == []
    assert PLANTED not in log.getvalue()
