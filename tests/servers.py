"""The servers that one run of the tests shares: started by its first process, reached by all its workers."""

import asyncio
import os
import secrets
import shutil
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import asyncpg
import psutil

from adapters.config import ROOT
from adapters.embedded.database import (
    APP_ROLE,
    OWNER_ROLE,
    DatabaseAddresses,
    RolePasswords,
    addresses,
    make_database,
    make_roles,
)
from adapters.embedded.folders import FolderInUseError, delete_if_abandoned
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.valkey import EmbeddedValkey
from adapters.postgres.migrate import upgrade, upgrade_keys

T = TypeVar("T")

_ROUNDS = "scram_iterations"
"""How often a password is hashed to log in with it. Tests open connections by the ten thousand, and guard no secret."""

_ON_DISK = ROOT / "var" / "tests"
_MEMORY = Path("/dev", "shm")
_ROOM = 2 * 2**30
"""Bytes that must be free for a run's databases to be kept in memory, where they are cloned ten times as fast."""

_SMALL = {"max_wal_size": "256MB"}

PASSWORDS = RolePasswords(owner="owner-of-tests", app="app-of-tests")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the shared servers are, and the migrated database that tests clone."""

    superuser_url: str
    template: str
    valkey_url: str


@dataclass(frozen=True, slots=True)
class Valkey:
    """An empty logical database."""

    url: str


class Servers:
    """PostgreSQL and Valkey for one run; TEST_DATABASE_SUPERUSER_URL and TEST_REDIS_URL name others than the embedded.

    TEST_POSTGRES_PROGRAMS and TEST_VALKEY_PROGRAM name other programs to start (older generations);
    TEST_DURABLE=1 leaves fsync on, and everything on disk.
    """

    def __init__(self) -> None:
        self._is_durable = os.environ.get("TEST_DURABLE") == "1"
        self._folder = _place(durable=self._is_durable) / f"{os.getpid()}-{secrets.token_hex(3)}"
        self._postgres: EmbeddedPostgres | None = None
        self._valkey: EmbeddedValkey | None = None
        self._addresses: Addresses | None = None

    def start(self) -> Addresses:
        """Start what is not started, make the template, and say where everything is."""
        if self._addresses is None:
            for place in {_ON_DISK, self._folder.parent}:
                sweep(place)
            superuser_url = os.environ.get("TEST_DATABASE_SUPERUSER_URL") or self._start_postgres()
            valkey_url = os.environ.get("TEST_REDIS_URL") or self._start_valkey()
            run(hash_anew(superuser_url))
            template = f"template_{secrets.token_hex(4)}"
            run(make_template(superuser_url, template))
            self._addresses = Addresses(superuser_url, template, valkey_url)
        return self._addresses

    def stop(self) -> None:
        """Leave nothing behind."""
        if self._addresses is not None and self._postgres is None:
            run(drop_database(self._addresses.superuser_url, self._addresses.template))
        if self._postgres is not None:
            self._postgres.discard()
        if self._valkey is not None:
            self._valkey.discard()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start_postgres(self) -> str:
        self._postgres = new_postgres(self._folder / "postgres", durable=self._is_durable).start()
        return self._postgres.superuser_url

    def _start_valkey(self) -> str:
        self._valkey = new_valkey(self._folder / "valkey").start()
        return self._valkey.url


def _place(*, durable: bool) -> Path:
    """Where runs keep their servers: in memory, if nothing must last and there is room."""
    if durable or not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK):
        return _ON_DISK
    if min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available) < _ROOM:
        return _ON_DISK
    return _MEMORY / f"gametriggers-tests-{os.getuid()}"


class Clones:
    """Databases made from the run's template over one connection: to open two for each takes as long as to clone."""

    def __init__(self, servers: Addresses) -> None:
        self._servers = servers
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._loop.run_until_complete(self._connection.close())
        self._loop.close()

    def make(self, name: str) -> DatabaseAddresses:
        """A migrated, empty database."""
        self._loop.run_until_complete(
            self._execute(
                f'CREATE DATABASE "{name}" OWNER {OWNER_ROLE} TEMPLATE "{self._servers.template}"',
                f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC; GRANT CONNECT ON DATABASE "{name}" TO {APP_ROLE}',
            )
        )
        return addresses(self._servers.superuser_url, name, PASSWORDS)

    def drop(self, name: str) -> None:
        """Drop it, whoever is still connected to it."""
        self._loop.run_until_complete(self._execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

    async def _execute(self, *statements: str) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._servers.superuser_url)
        for statement in statements:
            await self._connection.execute(statement)


def new_postgres(folder: Path, *, durable: bool) -> EmbeddedPostgres:
    """A PostgreSQL of the generation under test, not yet started."""
    programs = os.environ.get("TEST_POSTGRES_PROGRAMS")
    settings = {} if durable else _SMALL if programs else {**_SMALL, _ROUNDS: "1"}
    return EmbeddedPostgres(folder, durable=durable, programs=Path(programs) if programs else None, settings=settings)


def new_valkey(folder: Path) -> EmbeddedValkey:
    """A Valkey or Redis of the generation under test, not yet started."""
    program = os.environ.get("TEST_VALKEY_PROGRAM")
    return EmbeddedValkey(folder, program=Path(program) if program else None)


async def make_template(superuser_url: str, name: str) -> None:
    """A migrated database to clone."""
    await make_roles(superuser_url, PASSWORDS)
    made = await make_database(superuser_url, name, PASSWORDS)
    await upgrade(made.owner_url, APP_ROLE)
    await upgrade_keys(made.owner_url, APP_ROLE)


async def hash_anew(superuser_url: str) -> None:
    """Store the superuser's password as the server hashes passwords now: with how little, was not known to `initdb`."""
    connection = await asyncpg.connect(superuser_url)
    try:
        if await connection.fetchval("SELECT current_setting($1, true)", _ROUNDS) == "1":
            password = await connection.fetchval("SELECT quote_literal($1::text)", urlsplit(superuser_url).password)
            await connection.execute(f"ALTER ROLE CURRENT_USER PASSWORD {password}")
    finally:
        await connection.close()


async def drop_database(superuser_url: str, name: str) -> None:
    """Drop a database, whoever is still connected to it."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from a fixture that is not one, without disturbing the test's own loop."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def sweep(folder: Path) -> None:
    """Delete what runs that were killed left behind."""
    for left in folder.glob("*-*"):
        if not psutil.pid_exists(int(left.name.partition("-")[0])):
            with suppress(FolderInUseError):
                delete_if_abandoned(left)
