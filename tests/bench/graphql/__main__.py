"""`make bench-graphql`: our endpoint, with sign-in, quotas and figures on, beside others' without any.

Each server has one core and the client (wrk, which does many times what any of them does) the other. Servers take turns
in rounds, in one run, after each has given the same answer; figures are medians of requests per second, and of those
for each second that a server used its core, which others on the machine change less. The last line has ratios: `list`
and `nested` over stock Strawberry, `raw` over Starlette with orjson and no GraphQL, `yoga` over GraphQL Yoga without
and (`yoga_jit`) with a just-in-time compiler, and `mercurius` over Mercurius with one, all on the list and where Node
is present.
"""

import argparse
import asyncio
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import orjson

from adapters.config import ROOT
from adapters.embedded import ports
from adapters.embedded.database import make_database
from adapters.identity.tokens import Tokens
from adapters.postgres.database import Database
from tests.bench.graphql.world import QUERIES
from tests.gql.house import settings_for
from tests.people import enroll
from tests.servers import PASSWORDS, Addresses, Servers

NODE = Path(__file__).parent / "node"
CONNECTIONS = 16
WARM_UP_S = 1.0
MISSING = "wrk is not installed (Debian: apt-get install wrk)"


@dataclass(frozen=True, eq=False)
class Rival:
    """One server."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    headers: Mapping[str, str]
    path: str = "/graphql"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def answer(self, query: str) -> Any:
        """What it answers."""
        body = orjson.dumps({"query": query})
        given = Request(self.url, body, {"Content-Type": "application/json", **self.headers})  # noqa: S310 - of this machine
        with urlopen(given, timeout=5) as told:  # noqa: S310 - see above
            return orjson.loads(told.read())["data"]

    @contextmanager
    def running(self, log: Path) -> Iterator[int]:
        """Serve on the first core; its process's number."""
        environment = {**os.environ, **self.environment}
        with (
            log.open("wb") as out,
            subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=out, stderr=out) as it,
        ):
            try:
                os.sched_setaffinity(it.pid, {0})
                self._wait(it, log)
                yield it.pid
            finally:
                it.terminate()

    def _wait(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        until = time.monotonic() + 30
        while not ports.answers(self.port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)


class Rate(NamedTuple):
    """How many requests a server answered."""

    per_s: float
    per_core_s: float
    """For each second that it used its core, which others on the machine change less."""


def rate(rival: Rival, query: str, seconds: float, folder: Path, pid: int) -> Rate:
    """How many requests it answers."""
    script = folder / "post.lua"
    headers = {"Content-Type": "application/json", **rival.headers}
    lines = [
        f"wrk.headers[{orjson.dumps(name).decode()}] = {orjson.dumps(value).decode()}"
        for name, value in headers.items()
    ]
    body = orjson.dumps(orjson.dumps({"query": query}).decode()).decode()
    script.write_text("\n".join(['wrk.method = "POST"', f"wrk.body = {body}", *lines]))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(round(seconds), 1)}s", "-s", str(script), rival.url]
    used = core_seconds(pid)
    told = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {1}),
    ).stdout
    if "Non-2xx" in told:
        raise RuntimeError(f"{rival.name} refuses:\n{told}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", told)
    total = re.search(r"(\d+) requests in", told)
    if found is None or total is None:
        raise RuntimeError(told)
    return Rate(float(found[1]), int(total[1]) / (core_seconds(pid) - used))


def core_seconds(pid: int) -> float:
    """How long a process has used a core."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def measured(rivals: Mapping[Rival, int], rounds: int, seconds: float, folder: Path) -> dict[tuple[str, str], Rate]:
    """The medians of each rival's rates for each query; beside each rival stands its process."""
    rates: dict[tuple[str, str], list[Rate]] = {}
    first, *others = rivals
    for query in QUERIES.values():
        expected = first.answer(query)
        for rival in others:
            if rival.answer(query) != expected:
                raise RuntimeError(f"{rival.name} answers something else")
    for number in range(rounds + 1):
        for name, query in QUERIES.items():
            for rival, pid in rivals.items():
                found = rate(rival, query, seconds if number else WARM_UP_S, folder, pid)
                if number:
                    rates.setdefault((rival.name, name), []).append(found)
        print(f"round {number} of {rounds} is done", file=sys.stderr, flush=True)
    return {key: Rate(*map(statistics.median, zip(*found, strict=True))) for key, found in rates.items()}


def uvicorn_command(module: str, port: int) -> tuple[str, ...]:
    """How a Python server is started: each with the options of ours."""
    return (sys.executable, "-m", "tests.bench.graphql.serve", module, str(port))


async def prepare(addresses: Addresses, folder: Path) -> tuple[dict[str, str], str]:
    """The environment of our application, and somebody's token."""
    name = f"bench_{secrets.token_hex(4)}"
    database = await make_database(addresses.superuser_url, name, PASSWORDS, template=addresses.template)
    given: dict[str, Any] = {
        "database_url": database.app_url, "redis_url": addresses.valkey_url, "keys_database_url": database.app_url,
        "quotas": "requests_of_person=100000000/60,cost_of_person=999999999/60",
    }  # fmt: skip
    settings = settings_for(folder, "production", **given)
    async with Database(database.app_url, size=1) as own:
        me = await enroll(own.pool)
    shown = settings.model_dump(mode="python")
    environment = {
        key.upper(): value.get_secret_value()
        if hasattr(value, "get_secret_value")
        else str(getattr(value, "value", value))
        for key, value in shown.items()
        if value is not None and key in settings.model_fields_set
    }
    return environment, me.token(Tokens.of_file(settings.token_key_file, settings.public_url))


def node_rivals(folder: Path) -> list[Rival]:
    """Node's servers, installed for this run; none where Node is not present."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("Node is not present: without Yoga and Mercurius.", file=sys.stderr)
        return []
    shutil.copytree(NODE, folder / "node")
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder / "node", check=True)
    return [
        Rival(name, ("node", str(folder / "node" / script), str(port), *more), {"NODE_ENV": "production"}, port, {})
        for name, script, port, more in (
            ("yoga", "yoga.mjs", ports.any_free(), ()),
            ("yoga_jit", "yoga.mjs", ports.any_free(), ("jit",)),
            ("mercurius", "mercurius.mjs", ports.any_free(), ("jit",)),
        )
    ]


def rivals(environment: Mapping[str, str], token: str, folder: Path) -> list[Rival]:
    """Everybody, ours first."""
    free = [ports.any_free() for _ in range(3)]
    python = [
        Rival("ours", uvicorn_command("ours", free[0]), environment, free[0], {"Authorization": f"Bearer {token}"}),
        Rival("stock", uvicorn_command("stock", free[1]), {}, free[1], {}),
        Rival("raw", uvicorn_command("raw", free[2]), {}, free[2], {}),
    ]
    return python + node_rivals(folder)


def report(found: Mapping[tuple[str, str], Rate], names: list[str]) -> str:
    """A table, a line of ratios by the time of the servers' cores, and the line of ratios."""
    for name in names:
        columns = [f"{found[name, query].per_s:9.0f}/s {query}" for query in QUERIES]
        columns += [f"{found[name, query].per_core_s:9.0f} per core-s {query}" for query in QUERIES]
        print(f"{name:10}" + "".join(columns))
    print("By the time of their core: " + ratios({key: rate.per_core_s for key, rate in found.items()}, names))
    return "graphql " + ratios({key: rate.per_s for key, rate in found.items()}, names)


def ratios(found: Mapping[tuple[str, str], float], names: list[str]) -> str:
    """What ours does for one of each rival's."""
    ours = {query: found["ours", query] for query in QUERIES}
    told = {"list": ours["list"] / found["stock", "list"], "raw": ours["list"] / found["raw", "list"]}
    told["nested"] = ours["nested"] / found["stock", "nested"]
    told |= {name: ours["list"] / found[name, "list"] for name in ("yoga", "yoga_jit", "mercurius") if name in names}
    return " ".join(f"{name}={ratio:.2f}" for name, ratio in told.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each server takes its turn (default 5)")
    parser.add_argument("--seconds", type=float, default=3, help="how long a turn lasts (default 3)")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.exit(2, f"{MISSING}\n")
    with tempfile.TemporaryDirectory(prefix="bench-graphql-") as made:
        folder, servers = Path(made), Servers()
        try:
            environment, token = asyncio.run(prepare(servers.start(), folder))
            everybody = rivals(environment, token, folder)
            with running(everybody, folder) as processes:
                found = measured(processes, options.rounds, options.seconds, folder)
            print(report(found, [rival.name for rival in everybody]))
        finally:
            servers.stop()


@contextmanager
def running(everybody: list[Rival], folder: Path) -> Iterator[Mapping[Rival, int]]:
    """All of them at once, with their processes: who is not asked does nothing."""
    with ExitStack() as stack:
        yield {rival: stack.enter_context(rival.running(folder / f"{rival.name}.log")) for rival in everybody}


if __name__ == "__main__":
    main()
