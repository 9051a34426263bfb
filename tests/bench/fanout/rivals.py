"""The servers that are measured, each on the first core, and the client on the second."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from adapters.embedded import ports
from tests.bench.fanout.world import QUERY, REST, TOPIC
from tests.bench.graphql.__main__ import Rival

HERE = Path(__file__).parent
NODE = HERE / "node"

_starts = count(1)
_NUMBERS = 1_000_000
"""So many events a run has room for: Redis takes no number twice."""


@dataclass(frozen=True)
class Client:
    """The compiled client, and what it needs to know."""

    program: Path
    redis_url: str
    token: str

    def told(self, rival: Rival, pid: int, sockets: int, *mode: object, stalled: int = 0) -> dict[str, float]:
        """What it measured, of the server too, whose process is `pid`."""
        done = subprocess.run(
            self._command(rival, sockets, *mode, stalled=stalled), capture_output=True, text=True, check=False,
            env={**self._environment, "SERVER": str(pid)}, preexec_fn=lambda: os.sched_setaffinity(0, {1}),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{rival.name}: {done.stderr}")
        found: dict[str, float] = {}
        for line in done.stdout.splitlines():
            found = {**json.loads(line), **found}
        return found

    @contextmanager
    def waiting(self, rival: Rival, sockets: int) -> Iterator[None]:
        """So many sockets are open and have heard something."""
        with subprocess.Popen(
            self._command(rival, sockets, "idle"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        ) as it:
            if it.stdout is None or it.stdin is None or it.stdout.readline() != "ready\n":
                raise RuntimeError(f"{rival.name} takes no {sockets} sockets")
            yield
            it.stdin.close()

    @property
    def _environment(self) -> dict[str, str]:
        password = urlsplit(self.redis_url).password
        return {**os.environ, **({"REDIS_PASSWORD": password} if password else {})}

    @contextmanager
    def streaming(self, rival: Rival, streams: int) -> Iterator[None]:
        """So many streams of server-sent events are open."""
        body = json.dumps({"query": QUERY})
        request = (
            f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        with ExitStack() as stack:
            for _ in range(streams):
                opened = stack.enter_context(socket.create_connection(("127.0.0.1", rival.port), timeout=30))
                opened.sendall(request.encode())
                if b" 200 " not in opened.recv(4096).partition(b"\r\n")[0]:
                    raise RuntimeError(f"{rival.name} opens no stream of events")
            yield

    def _command(self, rival: Rival, sockets: int, *mode: object, stalled: int = 0) -> list[str]:
        redis = urlsplit(self.redis_url)
        first = next(_starts) * _NUMBERS
        words = (rival.port, redis.port, redis.path.strip("/") or 0, TOPIC, first, sockets, stalled, self.token, QUERY)
        return [str(self.program), *map(str, (*words, *mode))]


def compiled(folder: Path) -> Path:
    """The client. Raises CalledProcessError if it does not compile."""
    program = folder / "client"
    subprocess.run(["gcc", "-O2", "-o", str(program), str(HERE / "client.c")], check=True)
    return program


def rivals(environment: Mapping[str, str], redis_url: str, folder: Path) -> list[Rival]:
    """Everybody, ours first."""
    one, two, three = (ports.any_free() for _ in range(3))
    serve = (sys.executable, "-m", "tests.bench.fanout.serve")
    found = [
        Rival("ours", (*serve, "ours", str(one)), environment, one, {}),
        Rival("stock", (*serve, "stock", str(two)), {"REDIS_URL": redis_url}, two, {}),
    ]
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("Node is not present: without graphql-ws.", file=sys.stderr)
        return found
    shutil.copytree(NODE, folder / "node")
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder / "node", check=True)
    script = ("node", str(folder / "node" / "graphql-ws.mjs"), str(three), redis_url, TOPIC, json.dumps(REST))
    return [*found, Rival("node", script, {"NODE_ENV": "production"}, three, {})]


def allow_many_sockets() -> None:
    """As many open files as this machine lets us have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def memory_kib(pid: int) -> int:
    """What a process holds in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
