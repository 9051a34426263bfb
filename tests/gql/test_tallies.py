"""Figures of our own keeping: Prometheus reads what it would have made of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from gql import tallies
from gql.tallies import Tally, Times


@contextmanager
def registry() -> Iterator[CollectorRegistry]:
    made = CollectorRegistry(auto_describe=True)
    with patch.object(tallies, "REGISTRY", made):
        yield made


def lines(made: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(made).decode().splitlines() if "_created" not in line]


def test_counts_read_as_its_own() -> None:
    theirs = CollectorRegistry()
    own = Counter("eaten_total", "What was eaten.", ["what", "when"], registry=theirs)
    with registry() as made:
        ours = Tally("eaten_total", "What was eaten.", ["what", "when"])
        for what in ("rice", 'a "bean"', "rice"):
            own.labels(what, "noon").inc()
            ours.count(what, "noon")
        assert lines(made) == lines(theirs)


def test_times_read_as_its_own() -> None:
    theirs = CollectorRegistry()
    own = Histogram("meal_seconds", "How long meals took.", ["where"], registry=theirs)
    with registry() as made:
        ours = Times("meal_seconds", "How long meals took.", ["where"])
        for seconds in (0.0, 0.005, 0.006, 0.25, 9.5, 10.0, 10.5, 4000.0):
            own.labels("here").observe(seconds)
            ours.observe(seconds, "here")
        assert lines(made) == lines(theirs)
