"""Figures that grow with every request: counted by plain numbers, and put into Prometheus's form when it asks.

Its own counters hold a lock for each number, and a histogram has two of them. Ours are the event loop's alone.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds: the last of each bucket but that of all that took longer."""

_NAMES = [*map(str, _BOUNDS), "+Inf"]


class Tally(Collector):
    """How often something happened, by labels of which there are few."""

    def __init__(self, name: str, documentation: str, labels: list[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        REGISTRY.register(self)

    def count(self, *labels: str) -> None:
        """It happened once more."""
        self._counts[labels] += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Called when Prometheus asks."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, count in self._counts.copy().items():
            family.add_metric(labels, count)
        yield family


class _Spread:
    """How long something took, each time."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts, self.seconds = [0] * len(_NAMES), 0.0


class Times(Collector):
    """How long something took, by labels of which there are few."""

    def __init__(self, name: str, documentation: str, labels: list[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._spreads: defaultdict[tuple[str, ...], _Spread] = defaultdict(_Spread)
        REGISTRY.register(self)

    def observe(self, seconds: float, *labels: str) -> None:
        """It took so long this time."""
        spread = self._spreads[labels]
        spread.counts[bisect_left(_BOUNDS, seconds)] += 1
        spread.seconds += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Called when Prometheus asks."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, spread in self._spreads.copy().items():
            family.add_metric(labels, list(zip(_NAMES, accumulate(spread.counts), strict=True)), spread.seconds)
        yield family
