"""Whether somebody has an account shows in no answer, no count of statements and no letter to a stranger."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asyncpg import Connection

from adapters.embedded.database import DatabaseAddresses
from domain.identity.accounts import sign_up
from domain.identity.model import Portal
from domain.identity.passwords import sign_in_with_password
from domain.identity.resets import request_password_reset
from domain.vault import PLATFORM
from tests.accounts_stage import ENGLISH, PASSWORD, AccountsStage, origin, staged_accounts
from tests.vaults import open_vault

KNOWN, UNKNOWN = "ani@mail.example", "budi@mail.example"

Ask = Callable[[AccountsStage, str], Awaitable[object]]


async def by_signing_up(stage: AccountsStage, mail: str) -> object:
    return await sign_up(stage, mail, PASSWORD, "Ani", ENGLISH, origin())


async def by_forgetting(stage: AccountsStage, mail: str) -> object:
    return await request_password_reset(stage, mail, ENGLISH, origin())


async def by_trying(stage: AccountsStage, mail: str) -> object:
    return await sign_in_with_password(stage, mail, "not the right one", Portal.PLAYER, origin())


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with open_vault(database) as vault, staged_accounts(database, vault=vault) as staged:
        await vault.create_key(PLATFORM)
        yield staged


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is asked of PostgreSQL meanwhile, the vault's look for keys apart."""
    sent: list[str] = []
    execute, once = Connection._execute, Connection.execute

    async def noted(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return await execute(self, query, *arguments, **options)

    async def noted_once(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        if not arguments:
            sent.append(query)
        return await once(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_execute", noted)
        patch.setattr(Connection, "execute", noted_once)
        yield sent


@pytest.mark.parametrize("ask", [by_signing_up, by_forgetting, by_trying])
async def test_known_and_unknown_get_the_same_answer_after_the_same_work(
    stage: AccountsStage, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    await stage.member(KNOWN)
    await ask(stage, "somebody@mail.example")  # whatever is done for the first time is done now
    stage.turn(minutes=20)
    found = {}
    for mail in (KNOWN, UNKNOWN):
        stage.passwords.calls.clear()
        with statements(monkeypatch) as sent:
            answer = await ask(stage, mail)
        about_keys = [each for each in sent if "data_key" in each]
        found[mail] = (answer, [each for each in sent if each not in about_keys], dict(stage.passwords.calls))
        assert len(about_keys) <= 1 + (ask is by_signing_up)
    assert found[KNOWN] == found[UNKNOWN]
    assert len(found[KNOWN][1]) > 3


@pytest.mark.parametrize("ask", [by_signing_up, by_forgetting])
async def test_a_stranger_sees_no_letter_of_a_known_address(stage: AccountsStage, ask: Ask) -> None:
    await stage.member(KNOWN)
    await ask(stage, KNOWN.upper())
    await ask(stage, "\uff41ni@mail.example")  # a wide a: the same address to us, and nobody's to a mail server
    await stage.post()
    assert {letter.to for letter in stage.mailer.letters} == {KNOWN}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Ani@Mail.Example", "ani@mail.example", True),
        ("\uff41ni@mail.example", "ani@mail.example", True),
        (" ani@mail.example\n", "ani@mail.example", True),
        ("ani@m\u00fcnchen.example", "ani@munchen.example", False),
        ("an.i@mail.example", "ani@mail.example", False),
        ("ani+a@mail.example", "ani@mail.example", False),
    ],
)
async def test_which_texts_are_one_address(stage: AccountsStage, first: str, second: str, same: bool) -> None:
    await stage.member(first)
    await by_signing_up(stage, second)
    await stage.post()
    assert (stage.subjects[-1] == "AlreadyRegistered") == same
