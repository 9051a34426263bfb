"""What the two embedded servers have in common: one owner, one folder, one port, and no life beyond their owner's."""

import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from adapters.embedded import ports, processes
from adapters.embedded.folders import FolderLock, Trace
from adapters.embedded.processes import Command

_START_S = 60.0
_TRIES = 20
_LOG_TAIL = 15


class ServerStartError(Exception):
    """A server did not come up; its text ends with the last lines of the server's log."""


class PortTakenError(ServerStartError):
    """Somebody else listens on the port."""


class UnsuitablePlatformError(Exception):
    """No server for this platform is installed."""


class EmbeddedServer(ABC):
    """A server of ours on loopback. `start` and `stop` block; call them from any thread."""

    product: str
    stop_signal: signal.Signals

    def __init__(self, folder: Path, port: int | None) -> None:
        self.folder = folder
        self._wanted_port = port
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = FolderLock(folder)

    @property
    def port(self) -> int:
        """The port that the server listens on; it stays the same over `restart`, and over starts while it is free."""
        if self._port is None:
            raise ServerStartError(f"{self.product} has not been started.")
        return self._port

    @property
    def pid(self) -> int:
        """The server's own process (PostgreSQL's postmaster)."""
        if self._process is None:
            raise ServerStartError(f"{self.product} is not running.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_file(self) -> Path:
        """Where the server writes what it has to say."""
        return self.folder / f"{self.product.lower()}.log"

    def start(self) -> Self:
        """Take the folder, end a server that an earlier owner left in it, and start ours.

        Raises `FolderInUseError`, `PortTakenError` (only for a port that was asked for) or `ServerStartError`.
        """
        self._lock.acquire()
        try:
            earlier = Trace.read(self._trace_file)
            if earlier is not None:
                processes.end_leftover(earlier.pid, earlier.started_at, self.stop_signal)
            self._prepare()
            self._run_on_a_port(earlier.port if earlier else None)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server in good order and let go of the folder."""
        self._end()
        self._lock.release()

    def kill(self) -> None:
        """End the server at once, as a power cut would (SIGKILL); `restart` brings it back."""
        if self._process is not None:
            processes.kill_with_children(self._process)

    def restart(self) -> None:
        """Start the server again on the same port and data; stops it first if it runs."""
        self._end()
        self._run(self.port)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> None:
        """Make what the server needs in its folder."""

    @abstractmethod
    def _command(self, port: int) -> Command:
        """How to run it."""

    @abstractmethod
    def _is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Whether it takes connections."""

    @property
    def _trace_file(self) -> Path:
        return self.folder / "server.json"

    def _run_on_a_port(self, earlier: int | None) -> None:
        if self._wanted_port is not None:
            self._run(self._wanted_port)
            return
        for attempt in range(_TRIES):
            reuse = attempt == 0 and earlier is not None and ports.is_free(earlier)
            try:
                self._run(earlier if reuse and earlier is not None else ports.any_free())
            except PortTakenError:
                if attempt == _TRIES - 1:
                    raise
            else:
                return

    def _run(self, port: int) -> None:
        if not ports.is_free(port):
            raise PortTakenError(f"Port {port}, wanted for {self.product}, is taken by another program.")
        said_before = self.log_file.stat().st_size if self.log_file.exists() else 0
        process = processes.start(self._command(port), self.log_file)
        Trace(process.pid, processes.started_at(process.pid), port).write(self._trace_file)
        self._process, self._port = process, port
        ready = processes.wait_until(lambda: process.poll() is not None or self._is_ready(process, port), _START_S)
        if not ready or process.poll() is not None:
            self._end()
            raise self._failure(port, said_before)

    def _failure(self, port: int, said_before: int) -> ServerStartError:
        with self.log_file.open("rb") as log:
            log.seek(said_before)
            said = log.read().decode(errors="replace")
        if "already in use" in said and "ddress" in said:
            return PortTakenError(f"Port {port}, wanted for {self.product}, is taken by another program.")
        tail = "\n".join(said.splitlines()[-_LOG_TAIL:])
        return ServerStartError(f"{self.product} did not start. Its log, {self.log_file}, ends so:\n{tail}")

    def _end(self) -> None:
        if self._process is not None:
            processes.end(self._process, self.stop_signal)
            self._process = None
