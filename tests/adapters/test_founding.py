"""The first super admin, and keys, from the command line: no default password, and links that are good once."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.config import ROOT
from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.database import Database
from adapters.vault.envelope import MasterKeys
from adapters.vault.rotation import master_keys_in_use
from domain.identity.founding import Founded, found_super_admin
from domain.identity.model import Portal
from domain.identity.refusals import LinkRefused, NotAnAddress, NotANetwork, SignInRefused, UnknownPerson
from domain.identity.resets import reset_password
from domain.identity.sessions import SignedIn
from domain.identity.staff import ban
from domain.rights import StaffRole
from tests.accounts_stage import PASSWORD, AccountsStage, origin, staged_accounts
from tests.adapters.midtrans_sandbox import KEY
from tests.identity_settings import IDENTITY
from tests.staff_stage import HERE, WHY, as_known, at_once, nobody_special, staffer
from tests.vaults import open_vault

ADA = "ada@mail.example"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def founded(stage: AccountsStage, mail: str = ADA, *networks: str) -> Founded:
    made = await found_super_admin(stage, mail, networks)
    assert isinstance(made, Founded), made
    return made


def token(made: Founded) -> str:
    page, _, found = made.link.partition("#")
    assert page == "https://portal.example/reset-password"
    return found


class TestFounding:
    async def test_a_new_person_chooses_a_password_and_works_from_here_alone(self, stage: AccountsStage) -> None:
        made = await founded(stage)
        assert (made.is_new, made.networks) == (True, ())
        assert await stage.count("password") == 0
        for password in ("", "admin", "password", PASSWORD):
            assert isinstance(await stage.sign_in(ADA, password), SignInRefused)
        away = await reset_password(stage, token(made), PASSWORD, Portal.ADMIN, origin("203.0.113.9"))
        assert isinstance(away, SignInRefused)
        again = await founded(stage)
        found = await reset_password(stage, token(again), PASSWORD, Portal.ADMIN, origin(HERE))
        assert isinstance(found, SignedIn), found
        # The second factor comes before any right.
        assert (await as_known(stage, found.session)).staff_role is None
        await stage.database.pool.execute("update session set second_factor_at = now()")
        assert (await as_known(stage, found.session)).staff_role is StaffRole.SUPER_ADMIN
        person = (await stage.people.people([made.person]))[made.person]
        assert (person.name, person.mail, person.mail_verified_at is not None) == ("ada", ADA, True)
        assert await stage.count("person") == 1

    async def test_a_link_is_good_once_and_the_newest_alone(self, stage: AccountsStage) -> None:
        first, second = await founded(stage), await founded(stage)
        assert (first.is_new, second.is_new, first.person) == (True, False, second.person)
        refused = await reset_password(stage, token(first), PASSWORD, Portal.PLAYER, origin())
        assert isinstance(refused, LinkRefused)
        assert isinstance(await reset_password(stage, token(second), PASSWORD, Portal.PLAYER, origin()), SignedIn)
        refused = await reset_password(stage, token(second), PASSWORD, Portal.PLAYER, origin())
        assert isinstance(refused, LinkRefused)
        third = await founded(stage)
        stage.turn(minutes=31)
        assert isinstance(await reset_password(stage, token(third), PASSWORD, Portal.PLAYER, origin()), LinkRefused)
        assert await stage.count("deed", "action = 'staff.role_changed'") == 1

    async def test_who_has_an_account_keeps_it_and_its_password(self, stage: AccountsStage) -> None:
        ani = await stage.member(ADA)
        made = await founded(stage, " ADA@mail.EXAMPLE ", "203.0.113.0/24", "2001:db8::/32")
        assert (made.person, made.is_new) == (ani.person, False)
        assert set(made.networks) == {"203.0.113.0/24", "2001:db8::/32"}
        assert isinstance(await stage.sign_in(ADA, PASSWORD), SignedIn)
        found = await reset_password(stage, token(made), "b" + PASSWORD, Portal.ADMIN, origin("203.0.113.9"))
        assert isinstance(found, SignedIn)
        assert (await stage.deeds()).count("staff.network_allowed") == 2

    async def test_what_is_refused_makes_nothing(self, stage: AccountsStage) -> None:
        actor = await staffer(stage)
        ani = await stage.member()
        await ban(stage, actor, ani.person, WHY)
        before = await stage.deeds()
        assert await found_super_admin(stage, "ada") == NotAnAddress()
        assert await found_super_admin(stage, ADA, ["203.0.113.7/24"]) == NotANetwork()
        assert await found_super_admin(stage, "ani@mail.example", [f"{HERE}/32"]) == UnknownPerson()
        assert await stage.deeds() == before
        assert await stage.count("staff_network") == 0
        assert await stage.count("person") == 2

    async def test_two_at_once_make_one_person(self, stage: AccountsStage) -> None:
        await nobody_special(stage)
        found = await at_once(*(found_super_admin(stage, ADA) for _ in range(3)))
        made = [each for each in found if isinstance(each, Founded)]
        assert len(made) >= 1
        assert len({each.person for each in made}) == 1
        assert await stage.count("sign_in_identity") == 1


class Terminal:
    """The command line on a database of its own."""

    def __init__(self, database: DatabaseAddresses, folder: Path) -> None:
        self.environment = os.environ | {
            "ENVIRONMENT": "development", "DATABASE_URL": database.app_url, "REDIS_URL": "redis://127.0.0.1:1",
            "SEAL_KEY": "5e" * 32, "TOKEN_KEY_FILE": str(folder / "keys.pem"), "MIDTRANS_SERVER_KEY": KEY,
            "PUBLIC_URL": "http://localhost:8000", **IDENTITY,
        }  # fmt: skip

    async def says(self, *arguments: str, status: int = 0, **more: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "adapters.cli", *arguments, cwd=ROOT, env=self.environment | more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, wrong = (text.decode() for text in await process.communicate())
        assert process.returncode == status, wrong
        return wrong if status else out


async def test_the_command_line_makes_a_super_admin_and_changes_keys(
    database: DatabaseAddresses, tmp_path: Path
) -> None:
    terminal, first = Terminal(database, tmp_path), MasterKeys.parse(IDENTITY["VAULT_MASTER_KEYS"])
    async with open_vault(database), Database(database.app_url) as connected:
        assert "a first key" in await terminal.says("keys", "rotate")
        assert "believed until" in await terminal.says("keys", "rotate")
        assert len((await terminal.says("keys", "list")).splitlines()) == 2
        assert await terminal.says("keys", "prune") == "Every key is still needed.\n"
        told = await terminal.says("staff", "create", "--mail", ADA, "--network", "203.0.113.0/24")
        assert re.search(r"  http://localhost:8000/reset-password#[\w-]{40,}\n", told), told
        assert "203.0.113.0/24" in told
        role = await connected.pool.fetchval("select role from membership where kind = 'staff'")
        assert role == StaffRole.SUPER_ADMIN
        assert "not an e-mail address" in await terminal.says("staff", "create", "--mail", "ada", status=1)
        kept = await master_keys_in_use(connected)
        assert set(kept) == {first.newest}
        newer = f"second:{'6b' * 32},{IDENTITY['VAULT_MASTER_KEYS']}"
        rewrapped = await terminal.says("keys", "rewrap", VAULT_MASTER_KEYS=newer)
        assert f"{kept[first.newest]} data keys are wrapped by second now" in rewrapped
        assert set(await master_keys_in_use(connected)) == {"second"}
        refused = await terminal.says("keys", "rewrap", VAULT_MASTER_KEYS=f"third:{'6c' * 32}", status=1)
        assert "second" in refused
        assert "6c6c" not in refused
