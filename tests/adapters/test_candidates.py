"""Who signs up and never confirms leaves nothing behind, least of all among the keys; and nobody is without theirs."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.identity.people import PostgresPeople
from adapters.vault.postgres import PostgresVault
from domain.identity.mail_requests import SIGN_UP_FIELD
from domain.identity.pruning import prune_mail
from domain.identity.refusals import LinkRefused, SignInRefused
from domain.identity.sessions import SignedIn
from domain.vault import PLATFORM, Sealed
from tests.accounts_stage import AccountsStage, staged_accounts
from tests.vaults import open_vault

ANI = "ani@mail.example"
WRONG = "not the right one"


class DiedError(BaseException):
    """The process ended here."""


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with open_vault(database) as vault, staged_accounts(database, vault=vault) as staged:
        yield staged


async def pruned(stage: AccountsStage) -> None:
    stage.turn(days=2)
    await prune_mail(stage, stage.clock())


async def keys(stage: AccountsStage) -> int:
    """Rows among the keys, tombstones with them, but for the platform's own."""
    assert await stage.count("data_key", f"person = '{PLATFORM}'") == 1
    return await stage.count("data_key") - 1


async def test_signing_up_makes_no_key(stage: AccountsStage) -> None:
    for number in range(5):
        await stage.ask(f"somebody{number}@mail.example")
    assert await keys(stage) == 0
    await pruned(stage)
    assert await keys(stage) == await stage.count("mail_request") == await stage.count("ticket") == 0


async def test_nor_does_a_wrong_password_with_the_link(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    assert await stage.confirm(WRONG) == SignInRefused()
    await pruned(stage)
    assert await keys(stage) == await stage.count("ticket") == 0


async def test_who_confirms_has_a_key_of_their_own_for_good(stage: AccountsStage) -> None:
    me = await stage.member(ANI)
    assert await keys(stage) == 1
    await pruned(stage)
    assert (await stage.people.people([me.person]))[me.person].mail == ANI
    assert await keys(stage) == await stage.count("person") == 1


async def test_what_waits_for_the_link_opens_with_nobodys_key_and_goes_when_it_is_over(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    body = await stage.value("select body from ticket")
    assert isinstance(body, bytes)
    (text,) = await stage.vault.open([Sealed(PLATFORM, SIGN_UP_FIELD, body)])
    assert text is not None
    assert ANI in text
    assert await stage.count("mail_request", "body is not null") == await stage.count("letter", "body <> ''") == 0


@pytest.mark.parametrize(
    ("owner", "step", "after"),
    [
        (PostgresVault, "create_key", True),
        (PostgresVault, "seal", True),
        (PostgresPeople, "add", True),
        (PostgresPeople, "set_password", True),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_a_process_that_dies_amid_making_a_person_leaves_a_key_at_most_and_that_goes(
    stage: AccountsStage, monkeypatch: pytest.MonkeyPatch, owner: type, step: str, *, after: bool
) -> None:
    await stage.ask(ANI)
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, _dying(getattr(owner, step), after=after))
        with pytest.raises(DiedError):
            await stage.confirm()
    assert (await keys(stage), await stage.count("person")) == (1, 0)
    await pruned(stage)
    assert await keys(stage) == await stage.count("ticket") == 0
    await stage.member(ANI)
    assert await keys(stage) == await stage.count("person") == 1


async def test_the_link_still_makes_a_person_after_the_process_died(
    stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.ask(ANI)
    with monkeypatch.context() as patch:
        patch.setattr(PostgresPeople, "add", _dying(PostgresPeople.add, after=False))
        with pytest.raises(DiedError):
            await stage.confirm()
    made = await stage.confirm()
    assert isinstance(made, SignedIn)
    assert (await stage.people.people([made.session.person]))[made.session.person].name == "Ani"
    await pruned(stage)
    assert await keys(stage) == 1


async def test_who_comes_second_to_an_address_leaves_no_key(stage: AccountsStage) -> None:
    await stage.ask(ANI)
    late = stage.token("ConfirmSignUp")
    await stage.member(ANI)
    assert await stage.confirm(token=late) == LinkRefused()
    await pruned(stage)
    assert await keys(stage) == 1


def _dying(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    async def die(*arguments: Any, **named: Any) -> Any:
        if after:
            await real(*arguments, **named)
        raise DiedError

    return die
