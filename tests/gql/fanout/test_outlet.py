"""What waits for a slow client, what it misses, and when it is let go."""

import asyncio
from collections.abc import Callable

import pytest

from gql.fanout import outlet
from gql.fanout.outlet import BUDGET, DROPPED, TOO_SLOW, Outlet, frame_of, text_of
from gql.fanout.sharing import Flow

SIZE = 1024


class Client:
    """A writer whose client takes what it is told to."""

    def __init__(self) -> None:
        self.on_room: Callable[[], None] | None = None
        self.taken: list[str] = []
        self.room = 10**9
        self.let_go = 0

    @property
    def has_room(self) -> bool:
        return self.room > 0

    @property
    def unsent(self) -> int:
        return 0

    def write_frame(self, frame: bytes) -> None:
        self.room -= 1
        self.taken.append(text_of(frame).rstrip())

    def take(self, count: int) -> None:
        self.room = count
        assert self.on_room is not None
        self.on_room()

    def too_slow(self) -> None:
        self.let_go += 1


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
async def way(client: Client) -> Outlet:
    return Outlet(client, client.too_slow)


def message(number: int) -> bytes:
    return frame_of(f"{number}".encode().ljust(SIZE - 4))


def dropped(flow: Flow) -> float:
    return float(DROPPED.labels(flow.name.lower())._value.get())


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_a_frame_is_as_the_specification_has_it(length: int) -> None:
    text = "x" * length
    frame = frame_of(text.encode())
    assert text_of(frame) == text
    assert frame[0] == 0x81
    assert len(frame) - length == 2 if length < 126 else 4 if length < 65_536 else 10


def test_a_client_that_keeps_up_is_sent_all_at_once(client: Client, way: Outlet) -> None:
    for number in range(1_000):
        way.offer(message(number), Flow.DROP_OLDEST)
    assert len(client.taken) == 1_000
    assert way.waiting_bytes == 0


def test_the_latest_replaces_what_waits_by_key(client: Client, way: Outlet) -> None:
    before = dropped(Flow.LATEST)
    client.room = 0
    for number in range(1_000):
        way.offer(message(number), Flow.LATEST, number % 3)
    assert way.waiting_bytes == 3 * SIZE
    client.take(10)
    assert client.taken == ["997", "998", "999"]
    assert dropped(Flow.LATEST) - before == 997
    assert not client.let_go


def test_the_oldest_are_lost_beyond_the_budget(client: Client, way: Outlet) -> None:
    before = dropped(Flow.DROP_OLDEST)
    client.room = 0
    for number in range(1_000):
        way.offer(message(number), Flow.DROP_OLDEST)
    assert way.waiting_bytes <= BUDGET
    client.take(10**6)
    kept = BUDGET // SIZE
    assert client.taken == [str(number) for number in range(1_000 - kept, 1_000)]
    assert dropped(Flow.DROP_OLDEST) - before == 1_000 - kept
    assert not client.let_go


def test_what_must_be_delivered_ends_the_socket_beyond_the_budget(client: Client, way: Outlet) -> None:
    before = TOO_SLOW._value.get()
    client.room = 0
    for number in range(BUDGET // SIZE):
        way.offer(message(number))
    assert not client.let_go
    way.offer(message(-1))
    way.offer(message(-2))
    assert (client.let_go, way.waiting_bytes, TOO_SLOW._value.get() - before) == (1, 0, 1)
    client.room = 100
    way.offer(message(-3))
    assert client.taken == []


def test_others_are_lost_before_what_must_be_delivered(client: Client, way: Outlet) -> None:
    client.room = 0
    for number in range(100):
        way.offer(message(number), Flow.DROP_OLDEST)
        way.offer(message(-number))
    for number in range(100, 200):
        way.offer(message(-number))
    assert not client.let_go
    client.take(10**6)
    assert [number for number in map(int, client.taken) if number < 0] == [-number for number in range(1, 200)]


async def test_a_sender_waits_for_its_turn(client: Client, way: Outlet) -> None:
    client.room = 0
    way.offer(message(1))
    sending = asyncio.create_task(way.send(message(2)))
    await asyncio.sleep(0)
    client.take(1)
    await asyncio.sleep(0)
    assert client.taken == ["1"]
    assert not sending.done()
    client.take(1)
    await sending
    assert client.taken == ["1", "2"]


async def test_and_not_for_ever(client: Client, way: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "SEND_S", 0.01)
    client.room = 0
    await way.send(message(1))
    assert (client.let_go, client.taken) == (1, [])


async def test_the_end_frees_who_waits(client: Client, way: Outlet) -> None:
    client.room = 0
    sending = asyncio.create_task(way.send(message(1)))
    await asyncio.sleep(0)
    way.end()
    await sending
    assert client.taken == []
