"""The embedded servers: one owner, one folder, passwords, and no life beyond their owner's."""

import importlib.util
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from adapters.config import ROOT
from adapters.embedded import ports, processes
from adapters.embedded.database import APP_ROLE, DatabaseAddresses, RolePasswords, make_database, make_roles
from adapters.embedded.folders import FolderInUseError, Trace, delete_if_abandoned
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.server import EmbeddedServer, PortTakenError, ServerStartError, UnsuitablePlatformError
from adapters.embedded.shelter import wheel_programs
from adapters.embedded.valkey import EmbeddedValkey, wheel_program
from tests.servers import new_postgres, new_valkey, run
from tests.waiting import eventually

Make = Callable[[Path], EmbeddedServer]

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends the children")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


def postgres_in(folder: Path) -> EmbeddedPostgres:
    return new_postgres(folder, durable=True)


each_server = pytest.mark.parametrize("make", [postgres_in, new_valkey])


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a long name and spaces, which any user of this machine can reach."""
    base = Path(tempfile.mkdtemp())
    base.chmod(0o755)
    yield base / "a folder whose name" / ("is long " * 16).strip() / "server"
    delete_if_abandoned(base)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@each_server
def test_a_server_starts_in_a_long_path_with_spaces_and_stops_in_good_order(make: Make, folder: Path) -> None:
    with make(folder) as server:
        assert len(str(server.folder)) > 120
        assert " " in str(server.folder)
        assert server.is_running
        pid, port = server.pid, server.port
        assert ports.answers(port)
    assert is_gone(pid)
    assert not ports.answers(port)


@each_server
def test_two_owners_cannot_have_one_folder(make: Make, folder: Path) -> None:
    with make(folder) as server:
        with pytest.raises(FolderInUseError, match=f"in use by process {os.getpid()};"):
            make(folder).start()
        assert server.is_running
    make(folder).start().stop()


def test_a_killed_postgres_restarts_on_its_port_with_all_that_it_acknowledged(folder: Path) -> None:
    async def tell(*statements: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(server.superuser_url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            rows: list[asyncpg.Record] = await connection.fetch(statements[-1])
            return rows
        finally:
            await connection.close()

    with postgres_in(folder) as server:
        port = server.port
        run(tell("CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)"))
        server.kill()
        assert not server.is_running
        server.restart()
        run(tell("INSERT INTO kept VALUES (2)"))
        os.kill(server.pid, signal.SIGKILL)
        server.restart()
        assert server.port == port
        assert [row["n"] for row in run(tell("SELECT n FROM kept ORDER BY n"))] == [1, 2]


def test_a_stopped_valkey_restarts_on_its_port_with_what_it_was_told(folder: Path) -> None:
    server = EmbeddedValkey(folder).start()
    port = server.port
    with redis.Redis.from_url(server.url) as client:
        client.xadd("topic", {"n": 1}, id="1-0")
    server.stop()
    with EmbeddedValkey(folder) as server, redis.Redis.from_url(server.url) as client:
        assert server.port == port
        assert client.xlen("topic") == 1
        server.kill()
        server.restart()
        assert client.xlen("topic") == 1


OWNER = """
import sys, time
from pathlib import Path
from tests.adapters.test_embedded import new_valkey, postgres_in
server = {make}(Path(sys.argv[1])).start()
print(server.pid, flush=True)
time.sleep(600)
"""


@linux_only
@each_server
def test_a_server_ends_with_its_killed_owner(make: Make, folder: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(make=make.__name__), str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    with owner.stdout as said:
        pid = int(said.readline())
    assert not is_gone(pid)
    owner.kill()
    owner.wait()
    run(eventually(lambda: is_gone(pid)))
    make(folder).start().stop()


@each_server
def test_a_next_owner_ends_what_an_earlier_one_left_running(make: Make, folder: Path) -> None:
    earlier = make(folder).start()
    earlier._lock.release()
    left = earlier.pid
    with make(folder) as server:
        assert is_gone(left)
        assert server.is_running
    earlier.stop()


def test_a_process_that_only_has_the_id_of_an_earlier_server_is_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        Trace(bystander.pid, processes.started_at(bystander.pid) - 60, 1).write(folder / "server.json")
        EmbeddedValkey(folder).start().stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])
def test_a_port_that_was_asked_for_and_is_taken_is_named(kind: type[EmbeddedPostgres], folder: Path) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"Port {port}, wanted for {kind.product}, is taken"):
            kind(folder, port).start()


def test_the_port_of_the_last_start_is_given_up_when_it_is_taken(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        earlier = server.port
    with socket.create_server((ports.LOOPBACK, earlier)), EmbeddedValkey(folder) as server:
        assert server.port != earlier


async def test_nobody_comes_in_without_a_password(own_postgres: EmbeddedPostgres, own_valkey: EmbeddedValkey) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(own_postgres.superuser_url.replace("postgres:", "postgres:not-", 1))
    connection = await asyncpg.connect(own_postgres.superuser_url)
    try:
        assert await connection.fetchval("SHOW listen_addresses") == ports.LOOPBACK
        assert await connection.fetchval("SHOW unix_socket_directories") == ""
        assert await connection.fetchval("SHOW fsync") == "on"
    finally:
        await connection.close()
    with redis.Redis(port=own_valkey.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    for secret in (own_postgres.folder / "superuser.password", own_valkey.folder / "valkey.password"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


async def test_the_application_uses_what_the_owner_made_and_makes_nothing(own_postgres: EmbeddedPostgres) -> None:
    passwords = RolePasswords(owner="o'wner @/:?", app='a%p "p"')
    await make_roles(own_postgres.superuser_url, RolePasswords(owner="earlier", app="earlier"))
    await make_roles(own_postgres.superuser_url, passwords)
    made = await make_database(own_postgres.superuser_url, "some where", passwords)
    assert await make_database(own_postgres.superuser_url, "some where", passwords) == made
    owner, app = await asyncpg.connect(made.owner_url), await asyncpg.connect(made.app_url)
    try:
        await owner.execute("CREATE TABLE thing (n int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.fetch("SELECT * FROM thing")
        await owner.execute(f"GRANT SELECT ON thing TO {APP_ROLE}")
        assert await app.fetch("SELECT * FROM thing") == []
        for forbidden in ("CREATE TABLE mine ()", "CREATE TEMPORARY TABLE mine ()", "CREATE SCHEMA mine"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forbidden)
    finally:
        await owner.close()
        await app.close()


async def test_the_queue_gives_the_application_no_more_than_it_needs(database: DatabaseAddresses) -> None:
    app = await asyncpg.connect(database.app_url)
    try:
        for forbidden in (
            "TRUNCATE pgqueuer",
            "DELETE FROM pgqueuer_log",
            "DROP TABLE pgqueuer",
            "ALTER TABLE pgqueuer ADD x int",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forbidden)
    finally:
        await app.close()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(ServerStartError, match='invalid value for parameter "work_mem"'):
        EmbeddedPostgres(folder, settings={"work_mem": "much"}).start()
    EmbeddedPostgres(folder).start().stop()


def test_a_killed_first_start_is_no_obstacle(folder: Path) -> None:
    (folder / "cluster.unfinished").mkdir(parents=True)
    (folder / "cluster.unfinished" / "PG_VERSION").write_text("18\n")
    with postgres_in(folder) as server:
        assert server.is_running


def test_the_data_of_another_generation_is_not_touched(folder: Path) -> None:
    postgres_in(folder).start().stop()
    version = folder / "cluster" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(ServerStartError, match=r"made by PostgreSQL 12, .* `make reset`"):
        postgres_in(folder).start()
    assert version.exists()


def test_a_platform_without_wheels_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UnsuitablePlatformError, match="set DATABASE_URL and MIGRATION_DATABASE_URL"):
        wheel_programs()
    with pytest.raises(UnsuitablePlatformError, match="set REDIS_URL"):
        wheel_program()


@root_only
def test_folders_that_the_servers_user_cannot_enter_stay_closed(folder: Path) -> None:
    private = folder.parent
    private.mkdir(parents=True)
    private.chmod(0o700)
    server = EmbeddedPostgres(folder)
    try:
        assert server.notice is not None
        assert str(server.folder) in server.notice
        assert not server.folder.is_relative_to(private)
        with server:
            assert server.is_running
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    finally:
        server.discard()


def test_a_folder_in_use_is_not_deleted(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        with pytest.raises(FolderInUseError):
            delete_if_abandoned(folder.parent)
        assert server.is_running
        assert folder.exists()
    delete_if_abandoned(folder.parent)
    assert not folder.exists()
