"""`make bench-auth`: what it costs to know who is calling.

The same authenticated query is answered by the same application twice: as it is, and with a caller who is taken for
granted. Both ways take turns in blocks, in one run; each pair of blocks gives a ratio, and figures are medians. The
requests go into the application without a network, and what counts is the processor's time in our own process: a
network, waiting for PostgreSQL and Valkey, which are real, and busy neighbours would only hide what is measured. The
last line is the overhead for a person who looks at their wallets.
"""

import argparse
import gc
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import uvloop
from starlette.applications import Starlette

from adapters.embedded.database import make_database
from adapters.identity.tokens import Tokens
from adapters.logs import configure_logging
from adapters.postgres.database import Database
from domain.actor import Actor, Origin
from gql.app import Application, create_app
from tests.gql.house import settings_for
from tests.people import Enrolled, enroll
from tests.servers import PASSWORDS, Addresses, Servers

QUERIES = {
    "the least query": "{ viewer { id } }",
    "a look at wallets": "{ viewer { id wallets { id purpose balance { total { amount } available { amount } } } } }",
}
OPEN = "mutation { openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename } }"
WARM_UP = 300


class Caller:
    """A client within the process."""

    def __init__(self, app: Starlette, token: str) -> None:
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "",
            "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 50_000),
            "headers": [
                (b"host", b"gametriggers.example"), (b"content-type", b"application/json"),
                (b"authorization", f"Bearer {token}".encode()),
            ],
        }  # fmt: skip

    async def ask(self, query: str) -> Any:
        """The data of an answer."""
        told: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": orjson.dumps({"query": query}), "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        await self._app({**self._scope, "state": {}}, receive, send)
        body = orjson.loads(b"".join(part.get("body", b"") for part in told[1:]))
        assert told[0]["status"] == 200, body
        return body["data"]


@contextmanager
def checks_off(actor: Actor) -> Iterator[None]:
    """Everybody is taken for somebody: no token is read, no session looked up."""

    async def taken_for_granted(_: Application, token: str, origin: Origin) -> Actor:
        return actor

    with patch.object(Application, "_actor", taken_for_granted):
        yield


@asynccontextmanager
async def stage(addresses: Addresses, folder: Path) -> AsyncIterator[tuple[Caller, Enrolled]]:
    """The application as in production, with somebody who is signed in and has a wallet."""
    name = f"bench_{secrets.token_hex(4)}"
    database = await make_database(addresses.superuser_url, name, PASSWORDS, template=addresses.template)
    settings = settings_for(
        folder, "production", database_url=database.app_url, redis_url=addresses.valkey_url,
        keys_database_url=database.app_url, quotas="requests_of_person=1000000/60,cost_of_person=100000000/60",
        log_level="WARNING",
    )  # fmt: skip
    async with Database(database.app_url, size=1) as own:
        me = await enroll(own.pool)
    configure_logging(settings)
    app = create_app(settings)
    token = me.token(Tokens.of_file(settings.token_key_file, settings.public_url))
    async with app.router.lifespan_context(app):
        caller = Caller(app, token)
        await caller.ask(OPEN)
        yield caller, me


async def block_s(caller: Caller, query: str, size: int) -> float:
    """Seconds of the processor that each of so many requests takes, one after the other."""
    gc.collect()
    begin = time.process_time()
    for _ in range(size):
        await caller.ask(query)
    return (time.process_time() - begin) / size


async def overhead(caller: Caller, actor: Actor, query: str, rounds: int, size: int) -> tuple[float, float]:
    """By how much knowing the caller makes a query slower, and how long the query takes without it."""
    ratios, bare = [], []
    for number in range(rounds + 1):
        seconds: dict[bool, float] = {}
        for checked in (True, False) if number % 2 else (False, True):
            if checked:
                seconds[checked] = await block_s(caller, query, size)
            else:
                with checks_off(actor):
                    seconds[checked] = await block_s(caller, query, size)
        if number:  # the first pair warms up
            ratios.append(seconds[True] / seconds[False])
            bare.append(seconds[False])
    return statistics.median(ratios) - 1, statistics.median(bare)


async def run(addresses: Addresses, rounds: int, size: int, folder: Path) -> str:
    found = 0.0
    async with stage(addresses, folder) as (caller, me):
        session = me.session
        actor = Actor(me.person, session.id, authenticated_at=session.authenticated_at)
        for name, query in QUERIES.items():
            with checks_off(actor):
                expected = await caller.ask(query)
            assert await caller.ask(query) == expected
            await block_s(caller, query, WARM_UP)
            found, bare_s = await overhead(caller, actor, query, rounds, size)
            print(f"{name:20} {bare_s * 1e6:8.0f} us without checks, {found:+.1%} with them", flush=True)
    return f"auth overhead={max(found, 0.0):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="pairs of blocks for each query (default 40)")
    parser.add_argument("--size", type=int, default=50, help="requests in a block (default 50)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-auth-") as folder:
        servers = Servers()
        try:
            print(uvloop.run(run(servers.start(), options.rounds, options.size, Path(folder))))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
