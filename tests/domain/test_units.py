"""A day's units: never more than there are, spread over the day, whoever is live."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.streamer.live import NEAR
from domain.streamer.units import AT_ONCE, KEPT_BACK, day_ends, day_of, pace_of

DAILY = 10_000
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
"""In California."""


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-21T07:59:59Z", "2026-11-21T08:00:00Z"),
        ("2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"),
        ("2026-07-01T08:00:00Z", "2026-07-02T07:00:00Z"),
        ("2026-03-08T12:00:00Z", "2026-03-09T07:00:00Z"),
        ("2026-11-01T12:00:00Z", "2026-11-02T08:00:00Z"),
    ],
)
def test_a_day_ends_at_midnight_in_california(now: str, ends: str) -> None:
    at = datetime.fromisoformat(now)
    assert day_ends(at) == datetime.fromisoformat(ends)
    assert day_of(day_ends(at)) == day_of(at) + timedelta(days=1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 5_000)), min_size=1, max_size=12), st.integers(0, 1439))
def test_a_day_never_takes_more_than_there_is(phases: list[tuple[int, int]], begins: int) -> None:
    left = DAILY
    for minute in range(begins, 1440):
        live, quiet = phases[minute * len(phases) // 1440]
        pace = pace_of(left, MIDNIGHT + minute * MINUTE, live, quiet)
        if pace.live:
            left -= min(ceil(live / AT_ONCE), max(0, left - KEPT_BACK))
        assert pace.quiet_most is not None
        left -= min(pace.quiet_most, quiet, max(0, left - KEPT_BACK))
        assert left >= KEPT_BACK


@pytest.mark.parametrize(("live", "quiet"), [(0, 50), (0, 500), (50, 300), (200, 2_000), (350, 2_000)])
def test_whoever_is_live_is_sampled_until_the_day_ends(live: int, quiet: int) -> None:
    """And near every minute there is a sample; who is not live is asked the whole day."""
    left, sampled, asked = DAILY, [], []
    for minute in range(1440):
        pace = pace_of(left, MIDNIGHT + minute * MINUTE, live, quiet)
        if pace.live:
            left -= ceil(live / AT_ONCE)
            sampled.append(minute)
        assert pace.quiet_most is not None
        some = min(pace.quiet_most, ceil(quiet * MINUTE / pace.quiet_every))
        left -= some
        asked.append(some)
    assert left >= 0
    assert all(later - sooner <= 2 * (NEAR // MINUTE) + 1 for sooner, later in pairwise(sampled))
    assert sampled[-1] >= 1435
    assert min(asked[:1430]) >= 1


def test_few_are_asked_often_and_many_in_turn() -> None:
    waits = {quiet: pace_of(DAILY, MIDNIGHT, 0, quiet).quiet_every for quiet in (1, 10, 50, 500)}
    assert waits[1] == waits[10] == 2 * MINUTE
    assert 7 * MINUTE < waits[50] < 8 * MINUTE
    assert 74 * MINUTE < waits[500] < 75 * MINUTE


def test_what_is_kept_back_is_not_asked_with() -> None:
    pace = pace_of(KEPT_BACK, NOON, 10, 10)
    assert (pace.live, pace.quiet_most) == (False, 0)
