"""Child processes that end with us, whatever ends us."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_LAUNCH = Path(__file__).with_name("launch.py")
_GRACE_S = 20.0

# Linux ends a child when the thread that started it ends, so one thread that lasts as long as we do starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


@dataclass(frozen=True, slots=True)
class User:
    """An account of this machine."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run: its arguments, its folder, its whole environment, its user (None: ours), what it reads."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    user: User | None = None
    standard_input: bytes = b""


def start(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own (Ctrl-C reaches us alone, we decide the order), writing to a log file."""
    return _starter.submit(_start, command, log).result()


def _start(command: Command, log: Path) -> subprocess.Popen[bytes]:
    user = command.user
    identity = [str(user.uid), str(user.gid)] if user else ["-1", "-1"]
    launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(command.stop_signal)), *identity]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the programs are ours
            [*launch, *command.arguments],
            cwd=command.folder,
            env={**_needed_by_python(), **command.environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    if process.stdin is not None:
        with process.stdin as pipe:
            pipe.write(command.standard_input)
    return process


def _needed_by_python() -> dict[str, str]:
    """Where the interpreter that launches finds its own library, if it must be told."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}


def end(process: subprocess.Popen[bytes], stop_signal: signal.Signals, grace_s: float = _GRACE_S) -> None:
    """Ask a child to stop, and kill it when it takes too long."""
    if process.poll() is not None:
        return
    process.send_signal(stop_signal)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and all that it started, and wait until none is left."""
    if process.poll() is not None:
        return
    descendants = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for descendant in descendants:
        with suppress(psutil.NoSuchProcess):
            descendant.kill()
    process.wait()
    wait_until(lambda: all(_is_gone(descendant) for descendant in descendants), _GRACE_S, pause_s=0.005)


def _is_gone(process: psutil.Process) -> bool:
    """Ended, even if whoever inherited it has not noticed yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end_leftover(pid: int, started_at: float, stop_signal: signal.Signals) -> bool:
    """End a process of an earlier owner, if it is still the one that was started at that time. Says whether it was."""
    try:
        leftover = psutil.Process(pid)
        if leftover.create_time() != started_at:
            return False
        leftover.send_signal(stop_signal)
        if not wait_until(lambda: _is_gone(leftover), _GRACE_S):
            leftover.kill()
            wait_until(lambda: _is_gone(leftover), _GRACE_S)
    except psutil.NoSuchProcess:
        return False
    return True


def started_at(pid: int) -> float:
    """When a process was started, in seconds; with its id it names the process for ever."""
    return psutil.Process(pid).create_time()


def wait_until(condition: Callable[[], bool], timeout_s: float, pause_s: float = 0.02) -> bool:
    """Look again and again until a condition holds; False when it did not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def unprivileged_user() -> User | None:
    """Whom a server that refuses to run as root should run as; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, found.pw_uid, found.pw_gid)
    raise LookupError("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody.")
