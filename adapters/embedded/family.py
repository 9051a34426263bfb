"""The processes of a development run beside its databases: started in order, ended in the opposite order."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.config import ROOT
from adapters.embedded import ports, processes
from adapters.embedded.folders import Trace
from adapters.embedded.processes import Command

_READY_S = 60.0
_LOG_TAIL = 25


class ChildEndedError(Exception):
    """A process ended that should have gone on; its text ends with the last lines of its log."""


@dataclass(slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Family:
    """Our own commands as child processes. Each writes to `NAME.log` in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[_Child] = []

    def start(self, command: str, environment: Mapping[str, str], port: int | None = None) -> None:
        """Run `python -m adapters.cli COMMAND`, and wait until it answers on its port if one is given."""
        self.folder.mkdir(parents=True, exist_ok=True)
        trace = self.folder / f"{command}.json"
        earlier = Trace.read(trace)
        if earlier is not None:
            processes.end_leftover(earlier.pid, earlier.started_at, signal.SIGTERM)
        log = self.folder / f"{command}.log"
        log.write_bytes(b"")
        arguments = [sys.executable, "-m", "adapters.cli", command]
        process = processes.start(Command(arguments, ROOT, environment), log)
        Trace(process.pid, processes.started_at(process.pid), port or 0).write(trace)
        self._children.append(_Child(command, process, log))
        if port is not None:
            self.wait(command, port)
        self.check()

    def wait(self, command: str, port: int) -> None:
        """Wait until a command that was started answers on its port. Raises `ChildEndedError`."""
        if not processes.wait_until(lambda: self._has_news() or ports.answers(port), _READY_S):
            log = self.folder / f"{command}.log"
            raise ChildEndedError(f"`{command}` does not answer on port {port}; its log is {log}.")
        self.check()

    def kill(self, command: str) -> None:
        """End one at once, as a power cut would (SIGKILL); `start` brings it back."""
        for child in [child for child in self._children if child.name == command]:
            self._children.remove(child)
            processes.kill_with_children(child.process)

    def check(self) -> None:
        """Raise `ChildEndedError` if one has ended."""
        for child in self._children:
            status = child.process.poll()
            if status is not None:
                tail = "\n".join(child.log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])
                raise ChildEndedError(f"`{child.name}` ended with status {status}. {child.log} ends so:\n{tail}")

    def stop(self) -> None:
        """End all, the last started first."""
        while self._children:
            processes.end(self._children.pop().process, signal.SIGTERM)

    def _has_news(self) -> bool:
        return any(child.process.poll() is not None for child in self._children)
