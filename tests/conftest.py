"""Fixtures for everybody: a fresh database, an empty Valkey, servers of one's own to kill, no way to the internet."""

import ipaddress
import secrets
import socket
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings

from adapters.embedded.database import DatabaseAddresses, make_database
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.valkey import EmbeddedValkey
from tests.servers import PASSWORDS, Addresses, Clones, Servers, Valkey, make_template, new_postgres, new_valkey
from tests.servers import run as run_to_end

# How long an example takes says how busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_SERVERS] = Servers()


def pytest_runtest_setup() -> None:
    """Log plainly: structlog's own tracebacks, with all variables, take seconds for which everything else waits."""
    if not structlog.is_configured():
        *others, _ = structlog.get_config()["processors"]
        plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        structlog.configure(processors=[*others, plain])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SERVERS in config.stash:
        config.stash[_SERVERS].stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys first: they take longest, and what comes last is to be short, so that all processes end together."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's servers are."""
    node.workerinput["servers"] = asdict(node.config.stash[_SERVERS].start())


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Addresses:
    """Where this run's servers are."""
    given = getattr(request.config, "workerinput", None)
    return Addresses(**given["servers"]) if given else request.config.stash[_SERVERS].start()


@pytest.fixture(scope="session")
def clones(servers: Addresses) -> Iterator[Clones]:
    """Makes databases, fast."""
    with Clones(servers) as opened:
        yield opened


@pytest.fixture
def database(clones: Clones) -> Iterator[DatabaseAddresses]:
    """A migrated, empty database of the test's own: `.app_url`, `.owner_url`, `.superuser_url`."""
    name = f"test_{secrets.token_hex(6)}"
    yield clones.make(name)
    clones.drop(name)


@pytest.fixture
def valkey(servers: Addresses, worker_number: int) -> Valkey:
    """An empty logical database of the run's Valkey: `.url`."""
    url = urlunsplit(urlsplit(servers.valkey_url)._replace(path=f"/{worker_number}"))
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return Valkey(url)


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0 without pytest-xdist, else its worker's number counted from 1."""
    given = getattr(request.config, "workerinput", None)
    return int(given["workerid"].removeprefix("gw")) + 1 if given else 0


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A durable PostgreSQL of the test's own, running, to be killed: `.pid`, `.kill()`, `.restart()`."""
    server = new_postgres(tmp_path / "postgres", durable=True).start()
    yield server
    server.discard()


@pytest.fixture
def own_database(own_postgres: EmbeddedPostgres) -> DatabaseAddresses:
    """A migrated, empty database on the test's own PostgreSQL."""
    url = own_postgres.superuser_url
    run_to_end(make_template(url, "own"))
    return run_to_end(make_database(url, "own", PASSWORDS))


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey of the test's own, running, to be killed: `.pid`, `.kill()`, `.restart()`, `.url`."""
    server = new_valkey(tmp_path / "valkey").start()
    yield server
    server.discard()


def _is_here(host: object) -> bool:
    if host is None or host in {"", "localhost", b"localhost"}:
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _no_way_out() -> Iterator[None]:
    """Refuse every connection and every look-up of a name that would leave this machine."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked(host: object) -> None:
        if not _is_here(host):
            raise RuntimeError(f"a test tried to reach {host!r}: tests stay on this machine")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            checked(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            checked(address[0])
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        checked(host)
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield
