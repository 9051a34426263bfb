"""`make bench-discovery`: how long a page of streamers takes, and its facets, where there are many to choose from.

Each wish is asked many times, in both orders, each time after another page of its own; the wishes take turns, so that a
busy moment is shared by all. Facets look at every row, and are told apart. The last line is of all wishes together.
"""

import argparse
import os
import secrets
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence

import uvloop

from adapters.embedded.database import make_database
from adapters.postgres.database import Database
from adapters.postgres.streamer.search import PostgresStreamerSearch
from domain.streamer.listing import Order, Place, Wanted
from domain.streamer.model import Category, Platform, Rating
from tests.servers import PASSWORDS, Addresses, Servers
from tests.streamer_crowd import CROWD, crowd_streams

PAGE = 21
WISHES = {
    "everybody": Wanted(),
    "one country": Wanted(countries=frozenset({"ID"})),
    "a rare country": Wanted(countries=frozenset({"TV"})),
    "nobody": Wanted(countries=frozenset({"AQ"})),
    "a country's rare language": Wanted(countries=frozenset({"ID"}), languages=frozenset({"jv"})),
    "two that never meet": Wanted(countries=frozenset({"PH"}), languages=frozenset({"ms"})),
    "categories on a platform": Wanted(
        categories=frozenset({Category.ESPORTS, Category.FOOD}), platforms=frozenset({Platform.TIKTOK})
    ),
    "100 to 200 viewers": Wanted(least_viewers=100, most_viewers=200),
    "many viewers at home": Wanted(countries=frozenset({"ID"}), least_viewers=5_000),
    "everything at once": Wanted(
        frozenset({"ID", "MY"}), frozenset({"jv", "ms"}), frozenset({Rating.TEEN, Rating.MATURE}),
        frozenset({Category.BEAUTY}), frozenset({Platform.FACEBOOK}), 10, 1_000,
    ),
}  # fmt: skip


async def pages(search: PostgresStreamerSearch, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each page, by the wish and its order."""
    times: dict[str, list[float]] = defaultdict(list)
    after: dict[tuple[str, Order], Place | None] = {}
    for number in range(rounds + 1):
        for name, wanted in WISHES.items():
            for order in Order:
                begun = time.perf_counter()
                found = await search.find(wanted, order, PAGE, after.get((name, order)))
                if number:  # the first one warms up
                    times[f"{name}, {order.value.replace('_', ' ')}"].append((time.perf_counter() - begun) * 1_000)
                after[name, order] = found[-1] if len(found) == PAGE else None
    return times


async def facets(search: PostgresStreamerSearch, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of the facets of each wish."""
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, wanted in WISHES.items():
            begun = time.perf_counter()
            await search.facets(wanted)
            times[name].append((time.perf_counter() - begun) * 1_000)
    return times


def tell(title: str, times: dict[str, list[float]]) -> tuple[float, float]:
    """Print figures; those of all taken together."""
    print(f"{title:45} {'p50':>8} {'p99':>8}  ms")
    for name, found in times.items():
        p50, p99 = figures(found)
        print(f"{name:45} {p50:8.2f} {p99:8.2f}", flush=True)
    return figures([each for found in times.values() for each in found])


def figures(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[-1]


async def run(addresses: Addresses, size: int, rounds: int) -> str:
    made = await make_database(
        addresses.superuser_url, f"bench_{secrets.token_hex(4)}", PASSWORDS, template=addresses.template
    )
    listed = await crowd_streams(made.superuser_url, size)
    print(f"{listed} streamers; load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    async with Database(made.app_url, size=2) as database:
        search = PostgresStreamerSearch(database)
        counted = tell("facets", await facets(search, max(2, rounds // 20)))
        found = tell("pages", await pages(search, rounds))
    told = (f"{kind}_p50_ms={p50:.1f} {kind}_p99_ms={p99:.1f}" for kind, (p50, p99) in
            {"page": found, "facets": counted}.items())  # fmt: skip
    return f"discovery streamers={listed} {' '.join(told)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streamers", type=int, default=CROWD, help=f"how many there are (default {CROWD})")
    parser.add_argument("--rounds", type=int, default=100, help="pages of each wish in each order (default 100)")
    options = parser.parse_args()
    servers = Servers()
    try:
        print(uvloop.run(run(servers.start(), options.streamers, options.rounds)))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
