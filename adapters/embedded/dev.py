"""`make dev`: a whole Gametriggers on one machine, from nothing, and gone again at Ctrl-C."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dotenv import dotenv_values

from adapters.config import ROOT, MigrationSettings, Settings, SettingsError
from adapters.embedded import ports
from adapters.embedded.database import RolePasswords, make_database, make_roles
from adapters.embedded.family import Family
from adapters.embedded.folders import FolderLock, delete_if_abandoned, write_secret
from adapters.embedded.household import DEV_SETTINGS, VAR, Household, open_household, token_key_file
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.server import PortTakenError
from adapters.embedded.shelter import elsewhere
from adapters.embedded.valkey import EmbeddedValkey
from adapters.embedded.welcome import load_demo, welcome
from adapters.postgres.migrate import upgrade_all

Say = Callable[[str], None]

DATABASE = "gametriggers"
USUAL_PORTS = {
    "PORT": 8000,
    "SANDBOX_PORT": 8100,
    "IDENTITY_SANDBOX_PORT": 8101,
    "MAIL_SANDBOX_PORT": 8102,
    "MAIL_SANDBOX_SMTP_PORT": 8125,
    "TWITCH_SANDBOX_PORT": 8103,
    "YOUTUBE_SANDBOX_PORT": 8104,
}
_PROCESSES = {
    "sandbox": "SANDBOX_PORT",
    "identity-sandbox": "IDENTITY_SANDBOX_PORT",
    "mail-sandbox": "MAIL_SANDBOX_PORT",
    "twitch-sandbox": "TWITCH_SANDBOX_PORT",
    "youtube-sandbox": "YOUTUBE_SANDBOX_PORT",
    "serve": "PORT",
}
"""What answers on a port, and where the port is named."""
_SITES = ("google", "twitch", "telegram")
_BOT = "7000000001"
_LOOK_S = 0.3


def run(say: Say) -> None:
    """Start everything, print where it is, and keep it until Ctrl-C or until a part of it ends (then it raises)."""
    with asked_to_stop(), suppress(KeyboardInterrupt), ExitStack() as stack:
        environment = _given()
        VAR.mkdir(exist_ok=True)
        lock = FolderLock(VAR)
        lock.acquire()
        stack.callback(lock.release)
        choose_ports(environment, say)
        _databases(environment, stack, say)
        environment.setdefault("KEYS_DATABASE_URL", environment["DATABASE_URL"])
        environment.setdefault("KEYS_MIGRATION_DATABASE_URL", environment["MIGRATION_DATABASE_URL"])
        settle(environment)
        _publish(environment, stack)
        with _step("Bringing the tables up to date", say):
            names = "DATABASE_URL", "MIGRATION_DATABASE_URL", "KEYS_DATABASE_URL", "KEYS_MIGRATION_DATABASE_URL"
            asyncio.run(upgrade_all(*(environment[name] for name in names)))
        with _step("Loading demo data", say):
            load_demo(environment)
        family = Family(VAR / "processes")
        stack.callback(family.stop)
        _processes(family, environment, say)
        say(f"\n{welcome(environment)}\n")
        stack.callback(say, "Ending everything ...")
        while True:
            family.check()
            time.sleep(_LOOK_S)


def reset() -> None:
    """Delete all that `make dev` and killed test runs stored. Raises `FolderInUseError` while one of them runs."""
    for place in (VAR, elsewhere()):
        delete_if_abandoned(place)


def _given() -> dict[str, str]:
    """What the environment and the file `.env` say; the environment wins."""
    written = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value}
    return {**written, **{name: value for name, value in os.environ.items() if value}}


def choose_ports(environment: dict[str, str], say: Say) -> None:
    """A port that was asked for must be free; where the usual one is taken, another is chosen."""
    for name, usual in USUAL_PORTS.items():
        asked = environment.get(name)
        if asked is not None:
            if not asked.isdecimal():
                raise SettingsError(f"{name}={asked} is not a port: it takes a number.")
            if not ports.is_free(int(asked)):
                raise PortTakenError(
                    f"Port {asked} ({name}) is taken by another program: end it, set {name} to another port,"
                    f" or unset {name} and a free one is chosen."
                )
            continue
        port = usual if ports.is_free(usual) else ports.any_free()
        if port != usual:
            say(f"Port {usual} is taken by another program, so {name} is {port}. Set {name} to choose it yourself.")
        environment[name] = str(port)


def _databases(environment: dict[str, str], stack: ExitStack, say: Say) -> None:
    household = open_household()
    if "DATABASE_URL" not in environment:
        _embedded_postgres(environment, household, stack, say)
    elif "MIGRATION_DATABASE_URL" not in environment:
        raise SettingsError(
            "DATABASE_URL is set, so MIGRATION_DATABASE_URL must be too: the address of the same database for the role"
            " that owns its tables. Unset both to have an embedded PostgreSQL."
        )
    if "REDIS_URL" not in environment:
        with _step("Starting Valkey", say):
            valkey = EmbeddedValkey(VAR / "valkey")
            stack.callback(valkey.stop)
            environment["REDIS_URL"] = valkey.start().url
    environment.setdefault("SEAL_KEY", household.seal_key)
    environment.setdefault("MIDTRANS_SERVER_KEY", household.midtrans_server_key)
    environment.setdefault("VAULT_MASTER_KEYS", household.vault_master_keys)
    environment.setdefault("IDENTITY_KEY", household.identity_key)


def _embedded_postgres(environment: dict[str, str], household: Household, stack: ExitStack, say: Say) -> None:
    with _step("Starting PostgreSQL", say):
        postgres = EmbeddedPostgres(VAR / "postgres")
        stack.callback(postgres.stop)
        postgres.start()
        passwords = RolePasswords(household.owner_password, household.app_password)
        asyncio.run(make_roles(postgres.superuser_url, passwords))
        database = asyncio.run(make_database(postgres.superuser_url, DATABASE, passwords))
        environment["DATABASE_URL"] = database.app_url
        environment["MIGRATION_DATABASE_URL"] = database.owner_url
        keys = asyncio.run(make_database(postgres.superuser_url, f"{DATABASE}_keys", passwords))
        environment["KEYS_DATABASE_URL"] = keys.app_url
        environment["KEYS_MIGRATION_DATABASE_URL"] = keys.owner_url
    if postgres.notice:
        say(f"  {postgres.notice}")


def settle(environment: dict[str, str], var: Path = VAR) -> None:
    """Every setting that nobody gave, for a server, a worker and sandboxes that know one another.

    Who is a client of a real site keeps it: the sandbox stands in for the others. Browsers have passkeys, and keep
    cookies that are `Secure`, without TLS on `localhost` alone.
    """
    host = environment.setdefault("HOST", ports.LOOPBACK)
    sandbox = f"http://{ports.LOOPBACK}:{environment['SANDBOX_PORT']}"
    identity = f"http://{ports.LOOPBACK}:{environment['IDENTITY_SANDBOX_PORT']}"
    usual = {
        "ENVIRONMENT": "development",
        "PUBLIC_URL": f"http://{'localhost' if host == ports.LOOPBACK else host}:{environment['PORT']}",
        "TOKEN_KEY_FILE": str(token_key_file(var)),
        "SEAL_HEAD_FILE": str(var / "seal-head.jsonl"),
        "MIDTRANS_SNAP_URL": f"{sandbox}/snap/v1",
        "MIDTRANS_CORE_URL": sandbox,
        "SMTP_URL": f"smtp+plain://{ports.LOOPBACK}:{environment['MAIL_SANDBOX_SMTP_PORT']}",
        "TELEGRAM_BOT_TOKEN": f"{_BOT}:sandbox-bot",
        "LOG_JSON": "false",
    }
    if "TWITCH_CLIENT_ID" not in environment:
        usual["TWITCH_OAUTH_URL"] = f"http://{ports.LOOPBACK}:{environment['TWITCH_SANDBOX_PORT']}/oauth2"
        usual["TWITCH_API_URL"] = f"http://{ports.LOOPBACK}:{environment['TWITCH_SANDBOX_PORT']}/helix"
        usual["TWITCH_EVENTSUB_SECRET"] = "sandbox-eventsub"  # noqa: S105 - of the sandbox, which is nobody's
    if "GOOGLE_CLIENT_ID" not in environment:
        youtube = f"http://{ports.LOOPBACK}:{environment['YOUTUBE_SANDBOX_PORT']}"
        usual["YOUTUBE_SIGN_IN_URL"] = f"{youtube}/o/oauth2/v2/auth"
        usual["YOUTUBE_OAUTH_URL"] = youtube
        usual["YOUTUBE_API_URL"] = f"{youtube}/youtube/v3"
        usual["YOUTUBE_API_KEY"] = "sandbox"
    for site in (each.upper() for each in _SITES if f"{each.upper()}_CLIENT_ID" not in environment):
        usual[f"{site}_CLIENT_ID"] = _BOT
        usual[f"{site}_CLIENT_SECRET"] = "sandbox"
        usual[f"{site}_ISSUER"] = f"{identity}/{site.lower()}"
    for name, value in usual.items():
        environment.setdefault(name, value)


def _publish(environment: Mapping[str, str], stack: ExitStack) -> None:
    """Let commands that are typed beside this run find its settings."""
    names = [field.upper() for kind in (Settings, MigrationSettings) for field in kind.model_fields]
    known = {name: environment[name] for name in dict.fromkeys(names) if name in environment}
    write_secret(DEV_SETTINGS, "".join(f"{name}={json.dumps(value)}\n" for name, value in known.items()))
    stack.callback(DEV_SETTINGS.unlink, missing_ok=True)


def _processes(family: Family, settings: Mapping[str, str], say: Say) -> None:
    environment = {name: value for name, value in settings.items() if name != "MIGRATION_DATABASE_URL"}
    answering = {name: int(environment[port]) for name, port in _PROCESSES.items()}
    with _step(f"Starting {', '.join(answering)}, work", say):
        for name in (*answering, "work"):
            family.start(name, environment)
        for name, port in answering.items():
            family.wait(name, port)


@contextmanager
def _step(what: str, say: Say) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(f"{what:.<44} {time.monotonic() - began:.1f} s")


@contextmanager
def asked_to_stop() -> Iterator[list[int]]:
    """Take a closed terminal or a polite kill for Ctrl-C, and only the first of them: what follows is the ending.

    Gives the signals that came, for Python drops an interrupt that strikes inside of a finalizer.
    """
    asked: list[int] = []

    def stop(number: int, _: object) -> None:
        asked.append(number)
        if len(asked) == 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
