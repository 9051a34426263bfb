"""`make bench-fanout`: one process tells a thousand sockets, beside stock Strawberry and graphql-ws on Node.

Each server has one core, and the client, a C program that one core suffices for (it says how busy it was), the other.
Events are numbers in Redis, frames have some 260 bytes, and every socket must hear every event, once and in order.
Servers take turns in rounds, each alone; figures are medians. Deliveries are counted with four events under way at a
time, latencies at two events a second. The last line has `stock` and `node`, ours over theirs in deliveries, the p99 of
ours, what an idle socket and an idle stream of server-sent events take of memory, and what stays of many events on one
subscription. The line before has the same two ratios by the time that the servers used of their core, which others
who work on the machine change less.

`--curve` measures our server alone, with a hundred to ten thousand sockets.
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.fanout.rivals import Client, allow_many_sockets, compiled, memory_kib, rivals
from tests.bench.graphql.__main__ import Rival, prepare
from tests.servers import Servers

WINDOW = 4
CURVE = (100, 300, 1_000, 3_000, 10_000)
PER_S = 2
EVENTS_TO_WARM = 5_000
COUNTED = ("requests_of_person", "cost_of_person", "requests_of_address")


@dataclass
class Found:
    """What was measured of one server."""

    per_s: list[float] = field(default_factory=list)
    per_server_s: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    stalled_p99_ms: float = 0.0
    socket_kib: float = 0.0
    stream_kib: float = 0.0
    growth_mib: float = 0.0


def turn(client: Client, rival: Rival, pid: int, options: argparse.Namespace, found: Found) -> None:
    """One round of one server."""
    flood = client.told(rival, pid, options.sockets, "rate", options.seconds, WINDOW)
    found.per_s.append(flood["per_s"])
    found.per_server_s.append(flood["per_server_s"])
    found.busy.append(flood["busy"])
    trickle = client.told(rival, pid, options.sockets, "latency", options.events, PER_S)
    found.p50_ms.append(trickle["p50_ms"])
    found.p99_ms.append(trickle["p99_ms"])
    _say(
        f"{rival.name}: {flood['per_s']:.0f}/s, {flood['per_server_s']:.0f} per core-s, p99 {trickle['p99_ms']:.1f} ms"
    )


def memory(client: Client, rival: Rival, pid: int, options: argparse.Namespace, found: Found) -> None:
    """What idle sockets take, and what stays of events that have passed."""
    with client.waiting(rival, 10):
        before = memory_kib(pid)
    with client.waiting(rival, options.sockets):
        found.socket_kib = (memory_kib(pid) - before) / options.sockets
    client.told(rival, pid, 1, "events", EVENTS_TO_WARM, WINDOW)
    before = memory_kib(pid)
    client.told(rival, pid, 1, "events", options.many, WINDOW)
    found.growth_mib = (memory_kib(pid) - before) / 1024
    _say(f"{rival.name}: {found.socket_kib:.1f} KiB a socket, {found.growth_mib:.2f} MiB stay of {options.many} events")


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def streams_kib(client: Client, rival: Rival, pid: int, streams: int) -> float:
    """What an idle stream of server-sent events takes."""
    with client.streaming(rival, 10):
        before = memory_kib(pid)
    with client.streaming(rival, streams):
        return (memory_kib(pid) - before) / streams


def measured(client: Client, everybody: list[Rival], options: argparse.Namespace, folder: Path) -> dict[str, Found]:
    """Everything of everybody."""
    found = {rival.name: Found() for rival in everybody}
    for _ in range(options.rounds):
        for rival in everybody:
            with rival.running(folder / f"{rival.name}.log") as pid:
                turn(client, rival, pid, options, found[rival.name])
    for rival in everybody:
        with rival.running(folder / f"{rival.name}.log") as pid:
            memory(client, rival, pid, options, found[rival.name])
    with everybody[0].running(folder / "streams.log") as pid:
        found["ours"].stream_kib = streams_kib(client, everybody[0], pid, options.sockets)
    with everybody[0].running(folder / "stalled.log") as pid:
        told = client.told(everybody[0], pid, options.sockets, "latency", options.events, PER_S, stalled=1)
        found["ours"].stalled_p99_ms = told["p99_ms"]
    return found


def curve(client: Client, rival: Rival, options: argparse.Namespace, folder: Path) -> None:
    """A table of what more sockets cost our server."""
    print(f"{'sockets':>8}{'deliveries/s':>14}{'per core-s':>12}{'p50 ms':>9}{'p99 ms':>9}{'KiB/socket':>12}{'MiB':>8}")
    for sockets in options.curve:
        with rival.running(folder / "curve.log") as pid:
            with client.waiting(rival, 10):
                before = memory_kib(pid)
            found = client.told(rival, pid, sockets, "all", options.seconds, WINDOW, options.events, PER_S)
        print(
            f"{sockets:8}{found['per_s']:14.0f}{found['per_server_s']:12.0f}{found['p50_ms']:9.1f}{found['p99_ms']:9.1f}"
            f"{(found['server_kib'] - before) / sockets:12.1f}{found['server_kib'] / 1024:8.0f}",
            flush=True,
        )


def report(found: Mapping[str, Found]) -> str:
    """A table, and the line of ratios."""
    print(
        f"{'':8}{'deliveries/s':>14}{'per core-s':>12}{'p50 ms':>9}{'p99 ms':>9}{'KiB/socket':>12}"
        f"{'growth MiB':>12}{'client busy':>13}"
    )
    middle = statistics.median
    for name, each in found.items():
        print(
            f"{name:8}{middle(each.per_s):14.0f}{middle(each.per_server_s):12.0f}{middle(each.p50_ms):9.1f}{middle(each.p99_ms):9.1f}"
            f"{each.socket_kib:12.1f}{each.growth_mib:12.2f}{middle(each.busy):13.0%}"
        )
    ours = found["ours"]
    limit = max(middle(each.per_s) / max(middle(each.busy), 0.01) for each in found.values())
    print(f"The client's own limit is about {limit:.0f} deliveries/s. With one stalled socket more: p99 of all others"
          f" {ours.stalled_p99_ms:.1f} ms.")  # fmt: skip
    used = {name: middle(ours.per_server_s) / middle(found[name].per_server_s) for name in found if name != "ours"}
    print("By the time of their core: " + " ".join(f"{name}={ratio:.1f}" for name, ratio in used.items()))
    line = f"fanout stock={middle(ours.per_s) / middle(found['stock'].per_s):.1f}"
    if "node" in found:
        line += f" node={middle(ours.per_s) / middle(found['node'].per_s):.1f}"
    line += f" p99_ms={middle(ours.p99_ms):.0f} ws_kib={ours.socket_kib:.0f}"
    line += f" sse_kib={ours.stream_kib:.0f} growth_mib={ours.growth_mib:.1f}"
    return line


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each server takes its turn (default 3)")
    parser.add_argument("--seconds", type=float, default=5, help="how long deliveries are counted (default 5)")
    parser.add_argument("--events", type=int, default=20, help="how many events latencies are taken of (default 20)")
    parser.add_argument("--sockets", type=int, default=1_000, help="how many sockets follow (default 1000)")
    parser.add_argument("--many", type=int, default=100_000, help="events on one subscription (default 100000)")
    parser.add_argument(
        "--curve",
        type=int,
        nargs="*",
        metavar="SOCKETS",
        help=f"measure our server alone, with so many (default {CURVE})",
    )
    options = parser.parse_args()
    if shutil.which("gcc") is None:
        parser.exit(2, "gcc is not installed (Debian: apt-get install gcc libc6-dev)\n")
    allow_many_sockets()
    with tempfile.TemporaryDirectory(prefix="bench-fanout-") as made:
        folder, servers = Path(made), Servers()
        try:
            addresses = servers.start()
            environment, token = asyncio.run(prepare(addresses, folder))
            limits = ("SOCKETS_OF_ADDRESS", "SOCKETS_OF_PERSON", "OPERATIONS_OF_PERSON")
            environment |= dict.fromkeys(limits, str(100 * max(options.sockets, *(options.curve or CURVE)))) | {
                "QUOTAS": ",".join(f"{name}=999999999/60" for name in COUNTED)
            }
            client = Client(compiled(folder), addresses.valkey_url, token)
            everybody = rivals(environment, addresses.valkey_url, folder)
            if options.curve is not None:
                options.curve = options.curve or CURVE
                curve(client, everybody[0], options, folder)
            else:
                print(report(measured(client, everybody, options, folder)))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
