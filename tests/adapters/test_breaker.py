import asyncio
from contextlib import suppress

import pytest

from adapters.breaker import NEXT, Breaker, CircuitOpenError, Phase, Turn
from domain.errors import UnavailableError


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def breaker(watch: Watch) -> Breaker:
    return Breaker(failures=3, cool_down_s=10, clock=watch)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(UnavailableError, match="down"), breaker.guard():
            raise UnavailableError("down")


def succeed(breaker: Breaker) -> None:
    with breaker.guard():
        pass


def refused(breaker: Breaker) -> bool:
    with suppress(CircuitOpenError), breaker.guard():
        return False
    return True


def test_every_phase_can_be_left() -> None:
    assert {phase for phase, _ in NEXT} == set(Phase)
    assert {turn for _, turn in NEXT} == set(Turn)


def test_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)
    assert not refused(breaker)
    fail(breaker, 3)
    assert refused(breaker)


def test_a_refusal_is_a_sign_of_health(breaker: Breaker) -> None:
    fail(breaker, 2)
    with pytest.raises(KeyError), breaker.guard():
        raise KeyError
    fail(breaker, 2)
    assert breaker.phase is Phase.CLOSED


def test_a_good_probe_closes(breaker: Breaker, watch: Watch) -> None:
    fail(breaker, 3)
    watch.seconds = 9.9
    assert refused(breaker)
    watch.seconds = 10
    succeed(breaker)
    assert breaker.phase is Phase.CLOSED
    fail(breaker, 2)
    assert breaker.phase is Phase.CLOSED


def test_a_bad_probe_opens_for_another_while(breaker: Breaker, watch: Watch) -> None:
    fail(breaker, 3)
    watch.seconds = 10
    fail(breaker)
    watch.seconds = 19.9
    assert refused(breaker)
    watch.seconds = 20
    assert not refused(breaker)


def test_one_probe_at_a_time(breaker: Breaker, watch: Watch) -> None:
    fail(breaker, 3)
    watch.seconds = 10
    with breaker.guard():
        assert refused(breaker)
    assert not refused(breaker)


def test_a_cancelled_probe_lets_the_next_one_try(breaker: Breaker, watch: Watch) -> None:
    fail(breaker, 3)
    watch.seconds = 10
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    assert breaker.phase is Phase.OPEN
    assert not refused(breaker)


def test_late_news_of_an_earlier_era_is_ignored(breaker: Breaker, watch: Watch) -> None:
    early = breaker.guard()
    early.__enter__()
    fail(breaker, 3)
    watch.seconds = 10
    with breaker.guard():
        early.__exit__(None, None, None)
        assert breaker.phase is Phase.HALF_OPEN
