"""The fixtures keep what they promise."""

import socket

import asyncpg
import pytest
import redis

from adapters.embedded.database import DatabaseAddresses
from tests.servers import Valkey
from tests.waiting import eventually


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(database: DatabaseAddresses, turn: int) -> None:
    connection = await asyncpg.connect(database.app_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 0
        await connection.execute("INSERT INTO pgqueuer (priority, status, entrypoint) VALUES (0, 'queued', 'x')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE mine (id int)")
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_valkey(valkey: Valkey, turn: int) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("left") is None
        client.set("left", "behind")


def test_no_test_leaves_this_machine() -> None:
    with pytest.raises(RuntimeError, match="stay on this machine"):
        socket.create_connection(("example.com", 80), timeout=1)
    with socket.socket() as outward, pytest.raises(RuntimeError, match="stay on this machine"):
        outward.connect(("192.0.2.1", 80))


async def test_eventually_waits_for_a_condition_and_says_which_one_never_came() -> None:
    answers = iter([0, 0, 7])
    assert await eventually(lambda: next(answers)) == 7
    with pytest.raises(AssertionError, match="never"):
        await eventually(lambda: len([]) == len("never"), timeout_s=0.05)
