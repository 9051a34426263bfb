"""Letters on their way: sent once unless a process dies in between, put off, given up, and forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.errors import UnavailableError
from domain.identity.accounts import sign_up
from domain.identity.letters import PAUSES, letter_to, send_letters
from domain.identity.mail import FactorChange, MailUndeliverableError, SecondFactorChanged
from domain.identity.mail_requests import answer_mail_requests
from domain.identity.pruning import prune_mail
from domain.identity.refusals import LinkRefused
from domain.identity.resets import request_password_reset
from domain.identity.sessions import SignedIn
from domain.ids import PersonId
from tests.accounts_stage import ENGLISH, PASSWORD, AccountsStage, origin, staged_accounts

ANI = "ani@mail.example"


class Died(BaseException):
    """What the end of a process looks like from inside."""


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def ask(stage: AccountsStage, mail: str = ANI) -> None:
    """Sign up, as far as the request."""
    await sign_up(stage, mail, PASSWORD, "Ani", ENGLISH, origin())


async def warn(stage: AccountsStage) -> PersonId:
    """Queue a letter that is worth sending for hours; whose it is."""
    me = await stage.member()
    changed = SecondFactorChanged(FactorChange.TOTP_ADDED, stage.clock(), stage.pages.sessions)
    letter = await letter_to(stage, me.person, changed)
    assert letter is not None
    async with stage.work() as work:
        await work.letters.add(letter)
    return me.person


async def test_what_was_in_a_letter_is_forgotten_when_it_is_sent(stage: AccountsStage) -> None:
    await ask(stage)
    await answer_mail_requests(stage, stage.clock())
    assert await stage.count("letter", "length(body) > 0 and sent_at is null") == 1
    await send_letters(stage, stage.clock())
    assert await stage.count("letter", "length(body) = 0 and sent_at is not null") == 1
    assert await stage.count("mail_request", "body is null and done_at is not null") == 1
    await send_letters(stage, stage.clock() + timedelta(days=1))
    assert len(stage.mailer.letters) == 1


async def test_many_workers_send_each_letter_once(stage: AccountsStage) -> None:
    for number in range(6):
        await ask(stage, f"somebody{number}@mail.example")
    await asyncio.gather(*(answer_mail_requests(stage, stage.clock()) for _ in range(3)))
    await asyncio.gather(*(send_letters(stage, stage.clock()) for _ in range(3)))
    assert sorted(letter.to for letter in stage.mailer.letters) == [f"somebody{n}@mail.example" for n in range(6)]
    assert await stage.count("ticket") == 6


async def test_a_process_that_dies_after_sending_repeats_the_letter_under_its_own_id(stage: AccountsStage) -> None:
    await ask(stage)
    await answer_mail_requests(stage, stage.clock())
    stage.mailer.after = Died()
    with pytest.raises(Died):
        await send_letters(stage, stage.clock())
    stage.mailer.after = None
    assert (await send_letters(stage, stage.clock())).looked_at == 0
    stage.turn(minutes=2)
    assert (await send_letters(stage, stage.clock())).looked_at == 1
    first, second = stage.mailer.letters
    assert first == second
    assert isinstance(await stage.confirm(), SignedIn)


async def test_a_server_that_does_not_answer_is_asked_later_and_later_and_then_no_more(stage: AccountsStage) -> None:
    await warn(stage)
    stage.mailer.trouble = UnavailableError("greylisted")
    for pause in PAUSES:
        swept = await send_letters(stage, stage.clock())
        assert [str(error) for _, error in swept.failed] == ["greylisted"]
        assert (await send_letters(stage, stage.clock() + pause - timedelta(seconds=1))).looked_at == 0
        stage.clock.turn(pause)
    assert await stage.count("letter", "failed_at is null and sent_at is null and length(body) > 0") == 1
    await send_letters(stage, stage.clock())
    assert await stage.count("letter", "failed_at is not null and length(body) = 0") == 1


async def test_a_letter_that_nobody_takes_is_given_up(stage: AccountsStage) -> None:
    await ask(stage)
    stage.mailer.trouble = MailUndeliverableError("no such mailbox")
    swept = await stage.post()
    assert [type(error) for _, error in swept.failed] == [MailUndeliverableError]
    assert await stage.count("letter", "failed_at is not null and attempts = 1 and length(body) = 0") == 1


async def test_one_letter_that_cannot_be_read_keeps_no_other(stage: AccountsStage) -> None:
    for number in range(3):
        await ask(stage, f"somebody{number}@mail.example")
    await answer_mail_requests(stage, stage.clock())
    await stage.database.pool.execute(
        "update letter set body = 'spoilt' where id = (select min(id::text)::uuid from letter)"
    )
    swept = await send_letters(stage, stage.clock())
    assert (len(swept.failed), len(stage.mailer.letters)) == (1, 2)


async def test_one_request_that_cannot_be_read_keeps_no_other(stage: AccountsStage) -> None:
    for number in range(12):
        await ask(stage, f"somebody{number}@mail.example")
    oldest = "select id from mail_request order by created_at, id limit 9"
    await stage.database.pool.execute(f"update mail_request set body = 'spoilt' where id in ({oldest})")
    swept = await answer_mail_requests(stage, stage.clock())
    assert len(swept.failed) == 9
    assert await stage.count("letter") == 3


async def test_a_link_that_is_no_good_any_more_is_not_sent(stage: AccountsStage) -> None:
    await ask(stage)
    stage.mailer.trouble = UnavailableError("away")
    await stage.post()
    stage.mailer.trouble = None
    stage.turn(minutes=31)
    await stage.post()
    assert not stage.mailer.letters
    assert await stage.count("letter", "failed_at is not null") == 1


async def test_nothing_is_sent_to_who_was_erased(stage: AccountsStage) -> None:
    person = await warn(stage)
    await stage.vault.destroy_key(person)
    sent = len(stage.mailer.letters)
    assert not (await send_letters(stage, stage.clock())).failed
    assert len(stage.mailer.letters) == sent


async def test_who_never_confirmed_is_forgotten_and_who_did_is_not(stage: AccountsStage) -> None:
    me = await stage.member("budi@mail.example")
    await stage.ask(ANI)
    late = stage.token("ConfirmSignUp")
    assert await prune_mail(stage, stage.clock() + timedelta(hours=23)) == 0
    stage.turn(days=1, seconds=1)
    assert await prune_mail(stage, stage.clock()) == 0
    assert await stage.count("mail_request") == 0
    assert (await stage.people.people([me.person]))[me.person].mail == "budi@mail.example"
    assert await stage.confirm(token=late) == LinkRefused()
    stage.turn(days=1)
    await prune_mail(stage, stage.clock())
    assert await stage.count("ticket") == 0
    stage.turn(days=30)
    await prune_mail(stage, stage.clock())
    assert await stage.count("letter") == 0
    await stage.ask(ANI)
    assert isinstance(await stage.confirm(), SignedIn)


async def test_a_pruning_that_broke_off_is_finished_by_the_next(
    stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.ask(ANI)
    await stage.confirm("not the right one")
    candidate = await stage.value("select person from ticket")
    stage.turn(days=2)
    forget = stage.vault.forget_key

    async def die(person: PersonId) -> None:
        await forget(person)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(stage.vault, "forget_key", die)
        with pytest.raises(Died):
            await prune_mail(stage, stage.clock())
    assert await stage.value("select person from ticket") == candidate
    assert await prune_mail(stage, stage.clock()) == 1
    assert await stage.count("mail_request") == await stage.count("ticket") == 0


async def test_a_request_that_nobody_answered_for_hours_is_let_go(stage: AccountsStage) -> None:
    await request_password_reset(stage, ANI, ENGLISH, origin())
    stage.turn(hours=6, seconds=1)
    assert (await answer_mail_requests(stage, stage.clock())).looked_at == 0
