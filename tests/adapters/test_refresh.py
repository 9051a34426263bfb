"""Refresh tokens on PostgreSQL: each is spent once, they follow one another in one line, and a stolen one ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.errors import UnavailableError
from domain.identity.arrivals import Arrival
from domain.identity.model import (
    REFRESH_GRACE,
    REFRESH_LIFETIME,
    STAFF_IDLE,
    STAFF_LIFETIME,
    PersonStatus,
    Portal,
    Session,
    SessionEnd,
    SignedOutError,
)
from domain.identity.passwords import change_password
from domain.identity.ports import AccessToken
from domain.identity.pruning import prune_mail
from domain.identity.refusals import SessionEnded
from domain.identity.sessions import (
    Means,
    SignedIn,
    actor_of,
    begin_session,
    end_other_sessions,
    end_session,
    refresh_session,
    sign_out_by_token,
)
from tests.accounts_stage import PASSWORD, AccountsStage, origin, staged_accounts
from tests.refresh_racer import Racer

MOMENT = timedelta(microseconds=1)
OVER = SessionEnded()
ENDED = "select end_reason from session where id = $1"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


@pytest.fixture
async def first(stage: AccountsStage) -> SignedIn:
    """A session that has just begun, with its first token."""
    await stage.member()
    found = await stage.sign_in()
    assert isinstance(found, SignedIn)
    return found


def held(signed_in: SignedIn | SessionEnded) -> str:
    """The refresh token of an answer, which must be a good one."""
    assert isinstance(signed_in, SignedIn), signed_in
    assert signed_in.refresh is not None
    return signed_in.refresh


async def refreshed(stage: AccountsStage, token: str) -> str:
    return held(await refresh_session(stage, token, origin()))


async def is_over(stage: AccountsStage, token: str) -> bool:
    return await refresh_session(stage, token, origin()) == OVER


async def tokens_of(stage: AccountsStage, session: Session) -> tuple[int, int]:
    """How many tokens of a session there are, and how many of them are not spent."""
    rows = await stage.database.pool.fetch("select spent_at from refresh_token where session = $1", session.id)
    return len(rows), len([row for row in rows if row["spent_at"] is None])


async def use(stage: AccountsStage, session: Session) -> None:
    """Ask for something in a session, and have that written down."""
    async with stage.work() as work:
        await work.sessions.mark(session.id, used_at=stage.clock())


async def at_work(stage: AccountsStage) -> SignedIn:
    """A session on the portal of staff."""
    me = await stage.member()
    async with stage.work() as work:
        await work.members.add_network("203.0.113.0/24", "office", me.person)
        return await begin_session(
            stage, work, me.person, Portal.ADMIN, Means.PASSWORD, second_factor=True, come=Arrival()
        )


class TestOneLine:
    async def test_a_token_is_spent_once_and_answers_the_next_of_the_same_session(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        stage.turn(minutes=20)
        found = await refresh_session(stage, held(first), origin())
        assert isinstance(found, SignedIn)
        assert found.session.id == first.session.id
        assert held(found) != held(first)
        assert found.access.expires_at == stage.clock() + timedelta(minutes=15)
        assert await tokens_of(stage, first.session) == (2, 1)
        used = "select last_used_at from session where id = $1"
        assert await stage.value(used, first.session.id) == stage.clock()
        assert (await actor_of(stage, found.session.id, origin())).session == first.session.id

    async def test_no_token_lies_in_the_database(self, stage: AccountsStage, first: SignedIn) -> None:
        second = await refreshed(stage, held(first))
        rows = await stage.database.pool.fetch("select to_jsonb(refresh_token)::text as row from refresh_token")
        seen = " ".join(row["row"] for row in rows)
        for token in (held(first), second):
            assert token not in seen
            assert token.encode().hex() not in seen

    async def test_two_tabs_at_once_get_one_successor_and_make_one_row(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        found = await asyncio.gather(*(refreshed(stage, held(first)) for _ in range(2)))
        assert len(set(found)) == 1
        assert await tokens_of(stage, first.session) == (2, 1)

    async def test_processes_that_race_get_one_successor_and_make_one_row(
        self, stage: AccountsStage, first: SignedIn, database: DatabaseAddresses
    ) -> None:
        with ExitStack() as stack:
            racers = [stack.enter_context(Racer(database.app_url, held(first), 8)) for _ in range(3)]
            assert [await asyncio.to_thread(racer.line) for racer in racers] == ["ready"] * 3
            for racer in racers:
                racer.go()
            found = [await asyncio.to_thread(racer.line) for racer in racers]
        successor = stage.opaque_tokens.successor(held(first))
        assert all(each == str([successor] * 8).replace("'", '"') for each in found), found
        assert await tokens_of(stage, first.session) == (2, 1)

    async def test_a_chain_is_one_line_however_many_steps_it_has(self, stage: AccountsStage, first: SignedIn) -> None:
        chain = [held(first)]
        for _ in range(5):
            stage.turn(minutes=10)
            chain.append(await refreshed(stage, chain[-1]))
        assert len(set(chain)) == 6
        assert await tokens_of(stage, first.session) == (6, 1)

    async def test_who_is_steps_behind_within_the_grace_gets_the_end_of_the_line(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        chain = [held(first)]
        for _ in range(3):
            chain.append(await refreshed(stage, chain[-1]))
            stage.turn(seconds=2)
        assert [await refreshed(stage, token) for token in chain[:-1]] == [chain[-1]] * 3
        assert await tokens_of(stage, first.session) == (4, 1)
        stage.turn(minutes=14)
        assert await refreshed(stage, chain[-1]) not in chain
        assert await tokens_of(stage, first.session) == (5, 1)

    async def test_tabs_that_race_along_the_line_never_fork_it(self, stage: AccountsStage, first: SignedIn) -> None:
        async def tab() -> str:
            token = held(first)
            for _ in range(4):
                token = await refreshed(stage, token)
            return token

        ends = await asyncio.gather(*(tab() for _ in range(4)))
        count, unspent = await tokens_of(stage, first.session)
        assert unspent == 1
        line = [held(first)]
        while len(line) < count:
            line.append(stage.opaque_tokens.successor(line[-1]))
        assert set(ends) <= set(line)
        kept = [await _kept(stage, token) for token in line]
        assert [each is not None for each in kept] == [True] * (count - 1) + [False]
        assert all(one <= other for one, other in pairwise(each for each in kept if each is not None))


async def _kept(stage: AccountsStage, token: str) -> datetime | None:
    """When a token was spent; fails where there is no such token."""
    digest = stage.opaque_tokens.digest(token)
    row = await stage.database.pool.fetchrow("select spent_at from refresh_token where digest = $1", digest)
    assert row is not None
    spent_at: datetime | None = row["spent_at"]
    return spent_at


class TestTheft:
    async def test_up_to_the_end_of_the_grace_it_helps_and_a_moment_later_it_ends_the_session(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        second = await refreshed(stage, held(first))
        stage.clock.turn(REFRESH_GRACE)
        assert await refreshed(stage, held(first)) == second
        assert await stage.value(ENDED, first.session.id) is None
        stage.clock.turn(MOMENT)
        assert await is_over(stage, held(first))
        assert await stage.value(ENDED, first.session.id) == SessionEnd.TOKEN_REUSED

    async def test_it_is_over_for_the_owner_the_thief_and_every_access_token_and_written_down(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        another = await stage.sign_in()
        assert isinstance(another, SignedIn)
        async with stage.standings.running():
            thiefs = await refreshed(stage, held(first))
            assert (await actor_of(stage, first.session.id, origin())).person == first.session.person
            stage.turn(seconds=11)
            assert await is_over(stage, held(first))
            for token in (held(first), thiefs):
                assert await is_over(stage, token)
            with pytest.raises(SignedOutError):
                await actor_of(stage, first.session.id, origin("198.51.100.66"))
        assert (await stage.deeds())[-1] == "session.token_reused"
        assert (await stage.deeds()).count("session.token_reused") == 1
        about = "select about from deed where action = 'session.token_reused'"
        assert await stage.value(about) == first.session.person
        assert await refreshed(stage, held(another))

    async def test_a_thief_with_the_successor_is_found_out_as_soon_as_its_owner_uses_it(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        stolen = await refreshed(stage, held(first))
        stage.turn(minutes=5)
        thiefs = await refreshed(stage, stolen)
        stage.turn(minutes=10)
        assert await is_over(stage, stolen)
        assert await is_over(stage, thiefs)
        with pytest.raises(SignedOutError):
            await actor_of(stage, first.session.id, origin())

    async def test_many_who_come_late_at_once_end_it_once(self, stage: AccountsStage, first: SignedIn) -> None:
        await refreshed(stage, held(first))
        stage.turn(seconds=11)
        found = await asyncio.gather(*(refresh_session(stage, held(first), origin()) for _ in range(5)))
        assert found == [OVER] * 5
        assert (await stage.deeds()).count("session.token_reused") == 1

    @pytest.mark.parametrize("token", ["", "-", "a" * 43, "\u00f6"])
    async def test_what_was_never_a_token_ends_nothing(self, stage: AccountsStage, first: SignedIn, token: str) -> None:
        assert await is_over(stage, token)
        assert await refreshed(stage, held(first))

    async def test_a_successor_that_was_only_reckoned_is_no_token_yet(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        assert await is_over(stage, stage.opaque_tokens.successor(held(first)))
        assert await refreshed(stage, held(first))


class TestItsTime:
    async def test_a_token_that_nobody_used_for_a_week_is_no_good(self, stage: AccountsStage, first: SignedIn) -> None:
        stage.clock.turn(REFRESH_LIFETIME - MOMENT)
        second = await refreshed(stage, held(first))
        stage.clock.turn(REFRESH_LIFETIME)
        assert await is_over(stage, second)

    async def test_tokens_that_expired_are_thrown_away_and_nothing_else_is(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        second = await refreshed(stage, held(first))
        stage.turn(days=6)
        third = await refreshed(stage, second)
        stage.turn(days=2, hours=1)
        await prune_mail(stage, stage.clock())
        assert await tokens_of(stage, first.session) == (1, 1)
        assert await is_over(stage, second)
        assert await refreshed(stage, third)

    async def test_sessions_are_thrown_away_ninety_days_after_their_end(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        me = stage.actor(first)
        second = await stage.sign_in()
        assert isinstance(second, SignedIn)
        assert await end_session(stage, me, first.session.id)
        stage.turn(days=90)
        await prune_mail(stage, stage.clock())
        assert await stage.count("session", f"id = '{first.session.id}'") == 1
        stage.clock.turn(MOMENT)
        await prune_mail(stage, stage.clock())
        assert await stage.count("session", f"id = '{first.session.id}'") == 0
        assert await stage.count("session", f"id = '{second.session.id}'") == 1
        stage.turn(days=91)
        await prune_mail(stage, stage.clock())
        assert await stage.count("session") == 0

    async def test_a_session_that_is_refreshed_every_day_ends_after_ninety(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        token = held(first)
        for _ in range(89):
            stage.turn(days=1)
            token = await refreshed(stage, token)
        latest = "select max(expires_at) from refresh_token where session = $1"
        assert await stage.value(latest, first.session.id) == first.session.expires_at
        stage.turn(days=1)
        assert await is_over(stage, token)

    async def test_staff_that_is_idle_for_a_quarter_of_an_hour_is_out(self, stage: AccountsStage) -> None:
        mine = await at_work(stage)
        stage.clock.turn(STAFF_IDLE)
        second = await refreshed(stage, held(mine))
        stage.clock.turn(STAFF_IDLE + MOMENT)
        assert await is_over(stage, second)
        with pytest.raises(SignedOutError):
            await actor_of(stage, mine.session.id, origin())

    async def test_a_page_of_staff_that_refreshes_by_itself_is_idle_all_the_same(self, stage: AccountsStage) -> None:
        mine = await at_work(stage)
        stage.turn(minutes=10)
        second = await refreshed(stage, held(mine))
        stage.turn(minutes=5)
        third = await refreshed(stage, second)
        stage.clock.turn(MOMENT)
        assert await is_over(stage, third)

    async def test_staff_does_not_refresh_where_it_may_not_work(self, stage: AccountsStage) -> None:
        mine = await at_work(stage)
        assert await refresh_session(stage, held(mine), origin("198.51.100.1")) == OVER
        assert await tokens_of(stage, mine.session) == (1, 1)
        assert await refreshed(stage, held(mine))

    async def test_no_refresh_prolongs_a_day_of_staff_beyond_eight_hours(self, stage: AccountsStage) -> None:
        mine = await at_work(stage)
        ends, found = mine.session.expires_at, mine
        assert ends == stage.clock() + STAFF_LIFETIME
        while stage.clock() + timedelta(minutes=10) < ends:
            stage.turn(minutes=10)
            await use(stage, mine.session)
            again = await refresh_session(stage, held(found), origin())
            assert isinstance(again, SignedIn)
            assert again.session.expires_at == ends
            found = again
        latest = "select max(expires_at) from refresh_token where session = $1"
        assert await stage.value(latest, mine.session.id) == ends
        stage.clock.turn(ends - stage.clock() - MOMENT)
        last = await refreshed(stage, held(found))
        stage.clock.turn(MOMENT)
        assert await is_over(stage, last)
        with pytest.raises(SignedOutError):
            await actor_of(stage, mine.session.id, origin())

    async def test_players_are_not_idle(self, stage: AccountsStage, first: SignedIn) -> None:
        stage.turn(days=6)
        assert await refreshed(stage, held(first))


async def sign_out(stage: AccountsStage, mine: SignedIn, _: Actor) -> None:
    assert await end_session(stage, stage.actor(mine), mine.session.id) is True


async def revoke(stage: AccountsStage, mine: SignedIn, other: Actor) -> None:
    assert await end_session(stage, other, mine.session.id) is True


async def end_others(stage: AccountsStage, _: SignedIn, other: Actor) -> None:
    assert await end_other_sessions(stage, other) == 1


async def change(stage: AccountsStage, _: SignedIn, other: Actor) -> None:
    await change_password(stage, other, PASSWORD, "another horse, other batteries")


async def ban(stage: AccountsStage, mine: SignedIn, _: Actor) -> None:
    async with stage.work() as work:
        await work.people.set_status(mine.session.person, PersonStatus.BANNED)


async def leave_by_token(stage: AccountsStage, mine: SignedIn, _: Actor) -> None:
    await sign_out_by_token(stage, held(mine), origin())


ENDINGS = [sign_out, revoke, end_others, change, ban, leave_by_token]


class TestItsEnd:
    @pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
    async def test_no_token_opens_what_has_ended(self, stage: AccountsStage, ending: object) -> None:
        other = await stage.member()
        found = await stage.sign_in()
        assert isinstance(found, SignedIn)
        second = await refreshed(stage, held(found))
        assert callable(ending)
        await ending(stage, found, other)
        assert await is_over(stage, held(found))
        assert await is_over(stage, second)
        with pytest.raises(SignedOutError):
            await actor_of(stage, found.session.id, origin())
        assert "session.token_reused" not in await stage.deeds()

    @pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
    async def test_who_refreshes_while_it_ends_gets_nothing_that_lasts(
        self, stage: AccountsStage, ending: object
    ) -> None:
        other = await stage.member()
        found = await stage.sign_in()
        assert isinstance(found, SignedIn)
        assert callable(ending)
        answers = await asyncio.gather(
            *(refresh_session(stage, held(found), origin()) for _ in range(4)), ending(stage, found, other)
        )
        for each in answers[:-1]:
            assert each == OVER or await is_over(stage, held(each))
        assert await is_over(stage, held(found))

    async def test_signing_out_takes_a_spent_token_too_and_an_unknown_one_does_nothing(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        await sign_out_by_token(stage, "never was", origin())
        second = await refreshed(stage, held(first))
        stage.turn(days=8)
        await sign_out_by_token(stage, held(first), origin())
        assert await stage.value(ENDED, first.session.id) == SessionEnd.SIGNED_OUT
        assert await is_over(stage, second)
        await sign_out_by_token(stage, held(first), origin())
        assert (await stage.deeds()).count("session.signed_out") == 1
        assert await stage.value(ENDED, first.session.id) == SessionEnd.SIGNED_OUT


class TestCrashes:
    async def test_what_breaks_before_the_answer_is_made_spends_nothing(
        self, stage: AccountsStage, first: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: Session, __: datetime) -> AccessToken:
            raise UnavailableError("no key to sign with")

        with monkeypatch.context() as patch:
            patch.setattr(stage.access_tokens, "issue", broken)
            with pytest.raises(UnavailableError):
                await refresh_session(stage, held(first), origin())
        assert await tokens_of(stage, first.session) == (1, 1)
        stage.turn(hours=1)
        assert await refreshed(stage, held(first))

    async def test_whose_answer_was_lost_asks_again_within_the_grace_and_goes_on(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        lost = await refreshed(stage, held(first))
        stage.turn(seconds=9)
        assert await refreshed(stage, held(first)) == lost
        stage.turn(minutes=14)
        assert await refreshed(stage, lost)

    async def test_whose_answer_was_lost_and_who_asks_later_signs_in_anew(
        self, stage: AccountsStage, first: SignedIn
    ) -> None:
        await refreshed(stage, held(first))
        stage.turn(seconds=11)
        assert await is_over(stage, held(first))
        assert isinstance(await stage.sign_in(), SignedIn)

    async def test_a_connection_that_breaks_in_the_middle_spends_nothing(
        self, stage: AccountsStage, first: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cut(_: Session, __: datetime) -> AccessToken:
            raise asyncio.CancelledError

        with monkeypatch.context() as patch:
            patch.setattr(stage.access_tokens, "issue", cut)
            with pytest.raises(asyncio.CancelledError):
                await refresh_session(stage, held(first), origin())
        assert await tokens_of(stage, first.session) == (1, 1)
        assert await refreshed(stage, held(first))
