"""Where the story takes place: servers, tables and processes of its own, in a folder that goes when it ends."""

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from adapters.config import Settings
from adapters.demo import enroll
from adapters.embedded import ports
from adapters.embedded.database import APP_ROLE, RolePasswords, make_database, make_roles
from adapters.embedded.family import Family
from adapters.embedded.household import VAR, Household, open_household, token_key_file
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.valkey import EmbeddedValkey
from adapters.embedded.welcome import load_demo
from adapters.identity.tokens import Tokens
from adapters.postgres.database import Database
from adapters.postgres.migrate import upgrade, upgrade_keys
from domain.clock import system_clock

Say = Callable[[str], None]

_SERVER = "serve"
_TOKEN_LIFETIME = timedelta(minutes=15)


@dataclass
class Stage:
    """What is up. `folder` goes with it, but for the processes' logs if the story fails."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    family: Family = field(init=False)

    def __post_init__(self) -> None:
        self.family = Family(self.folder / "processes")

    @property
    def server_url(self) -> str:
        """Where GraphQL and the webhooks are."""
        return self.environment["PUBLIC_URL"]

    @property
    def sandbox_url(self) -> str:
        """Where the gateway's sandbox is."""
        return self.environment["MIDTRANS_CORE_URL"]

    @property
    def twitch_url(self) -> str:
        """Where Twitch's sandbox is."""
        return f"http://{ports.LOOPBACK}:{self.environment['TWITCH_SANDBOX_PORT']}"

    @property
    def settings(self) -> Settings:
        """The settings that the processes run with."""
        return Settings.model_validate({name.lower(): value for name, value in self.environment.items()})

    async def token(self, name: str) -> str:
        """A token for a demo account or for any made-up person."""
        tokens = Tokens.of_file(Path(self.environment["TOKEN_KEY_FILE"]), self.server_url)
        async with Database(self.environment["DATABASE_URL"], size=1) as database:
            return tokens.issue(await enroll(database, name), system_clock(), _TOKEN_LIFETIME).text

    def start_server(self) -> None:
        """Start the server and wait until it answers."""
        self.family.start(_SERVER, self._for_processes(), int(self.environment["PORT"]))

    def kill_server(self) -> None:
        """Kill the server as a power cut would."""
        self.family.kill(_SERVER)

    def start_sandboxes(self) -> None:
        """Start the gateway's sandbox and Twitch's, and wait until they answer."""
        for command, port in (("sandbox", "SANDBOX_PORT"), ("twitch-sandbox", "TWITCH_SANDBOX_PORT")):
            self.family.start(command, self._for_processes(), int(self.environment[port]))

    def start_worker(self) -> None:
        """Start the worker."""
        self.family.start("work", self._for_processes())

    def _for_processes(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


@contextmanager
def new_stage(say: Say) -> Iterator[Stage]:
    """Everything up, from nothing; everything ended and deleted afterwards, whatever happened."""
    stage = Stage(VAR / "demo" / f"{os.getpid()}-{secrets.token_hex(3)}")
    with ExitStack() as stack:
        stage.folder.mkdir(parents=True)
        stack.push(partial(_tidy, stage.folder))
        _databases(stage, stack, say)
        stack.callback(stage.family.stop)
        stage.start_sandboxes()
        stage.start_worker()
        stage.start_server()
        say(f"The sandbox at {stage.sandbox_url}, a worker, and the server at {stage.server_url} run as processes.")
        yield stage


def _databases(stage: Stage, stack: ExitStack, say: Say) -> None:
    household = open_household(stage.folder)
    passwords = RolePasswords(household.owner_password, household.app_password)
    postgres = EmbeddedPostgres(stage.folder / "postgres")
    stack.callback(postgres.discard)
    postgres.start()
    valkey = EmbeddedValkey(stage.folder / "valkey")
    stack.callback(valkey.discard)
    valkey.start()
    say(f"PostgreSQL on port {postgres.port} and Valkey on port {valkey.port}, both new and empty.")
    asyncio.run(make_roles(postgres.superuser_url, passwords))
    database = asyncio.run(make_database(postgres.superuser_url, "story", passwords))
    asyncio.run(upgrade(database.owner_url, APP_ROLE))
    asyncio.run(upgrade_keys(database.owner_url, APP_ROLE))
    stage.environment |= _settings(stage.folder, household, database.app_url, valkey.url)
    load_demo(stage.environment)
    say("The tables are there, and the demo accounts with their first credit.")


def _settings(folder: Path, household: Household, database_url: str, redis_url: str) -> dict[str, str]:
    """Every setting, so that neither a file `.env` nor a `make dev` beside us has a word in it."""
    server, sandbox, twitch = (ports.any_free() for _ in range(3))
    gateway, channels = (f"http://{ports.LOOPBACK}:{port}" for port in (sandbox, twitch))
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "DIRECT_DATABASE_URL": database_url,
        "DATABASE_POOL_SIZE": "10",
        "DATABASE_BEHIND_POOLER": "false",
        "REDIS_URL": redis_url,
        "SEAL_KEY": household.seal_key,
        "SEAL_HEAD_FILE": str(folder / "seal-head.jsonl"),
        "TOKEN_KEY_FILE": str(token_key_file(folder)),
        "HOST": ports.LOOPBACK,
        "PORT": str(server),
        "PUBLIC_URL": f"http://{ports.LOOPBACK}:{server}",
        "SANDBOX_PORT": str(sandbox),
        "SANDBOX_STATE_FILE": str(folder / "midtrans-sandbox.json"),
        "MIDTRANS_SERVER_KEY": household.midtrans_server_key,
        "MIDTRANS_SNAP_URL": f"{gateway}/snap/v1",
        "MIDTRANS_CORE_URL": gateway,
        "MIDTRANS_TIMEOUT_S": "10",
        "TWITCH_SANDBOX_PORT": str(twitch),
        "TWITCH_CLIENT_ID": "story",
        "TWITCH_CLIENT_SECRET": "story",
        "TWITCH_OAUTH_URL": f"{channels}/oauth2",
        "TWITCH_API_URL": f"{channels}/helix",
        "QUOTAS": "requests_of_address=1000000/60, requests_of_person=1000000/60, deposit=1000000/3600",
        "KEYS_DATABASE_URL": database_url,
        "VAULT_MASTER_KEYS": household.vault_master_keys,
        "IDENTITY_KEY": household.identity_key,
        "SMTP_URL": "smtp+plain://127.0.0.1:9",
        "LOG_LEVEL": "INFO",
        "LOG_JSON": "true",
    }


def _tidy(folder: Path, failure: type[BaseException] | None, *_: object) -> None:
    """Delete the folder, but for the logs of our processes if the story failed."""
    logs = folder / "processes"
    if failure is None or not issubclass(failure, Exception) or not logs.exists():
        shutil.rmtree(folder, ignore_errors=True)
        return
    for found in folder.iterdir():
        if found != logs:
            shutil.rmtree(found) if found.is_dir() else found.unlink()
