"""A server's folder: who holds it, and which process of an earlier owner may still be in it."""

import fcntl
import json
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from adapters.embedded import processes

_LOCK_FILE = "owner.lock"


class FolderInUseError(Exception):
    """Another process holds the folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(f"{folder} is in use by process {holder}; end that one first.")
        self.holder = holder


class FolderLock:
    """A folder has one holder at a time. The operating system lets go of it when the holder ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Hold the folder. Raises `FolderInUseError` naming the process that holds it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / _LOCK_FILE).open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise FolderInUseError(self._folder, holder or "unknown") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of the folder."""
        if self._file is not None:
            self._file.close()
            self._file = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What a started server leaves for a next owner to find."""

    pid: int
    started_at: float
    port: int

    def write(self, file: Path) -> None:
        """Leave the trace."""
        file.write_text(json.dumps({"pid": self.pid, "started_at": self.started_at, "port": self.port}))

    @classmethod
    def read(cls, file: Path) -> "Trace | None":
        """The trace of an earlier start, if there was one that can be read."""
        try:
            found = json.loads(file.read_text())
            return cls(int(found["pid"]), float(found["started_at"]), int(found["port"]))
        except (FileNotFoundError, ValueError, KeyError):
            return None


def delete_if_abandoned(folder: Path) -> None:
    """Delete a folder with all servers' folders in it; raises `FolderInUseError` if somebody holds one of them."""
    locks = [FolderLock(file.parent) for file in folder.rglob(_LOCK_FILE)]
    try:
        for lock in locks:
            lock.acquire()
        for trace in map(Trace.read, folder.rglob("*.json")):
            if trace is not None:
                processes.end_leftover(trace.pid, trace.started_at, signal.SIGINT)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        for lock in locks:
            lock.release()


def write_secret(file: Path, text: str) -> None:
    """Write a file that only we can read, from its first byte on."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as secret:
        secret.write(text)
