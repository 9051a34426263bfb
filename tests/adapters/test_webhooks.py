"""Midtrans' notifications over real HTTP: what is answered, what is kept, and what follows."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise

import aiohttp
import asyncpg
import pytest

from adapters import webhooks
from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans import encoded, signature
from adapters.postgres import inbox
from adapters.postgres.inbox import PostgresInbox
from adapters.webhooks import LARGEST_BODY_BYTES, replay_inbox, sweep_inbox
from domain.wallet.model import TopUp, TopUpState
from domain.wallet.ports import Letter
from tests.adapters.midtrans_sandbox import KEY, NEW_KEY
from tests.adapters.webhook_door import Door, opened
from tests.builders import FIFTY, UNALLOCATED, Stage, owner_of
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
async def door(database: DatabaseAddresses) -> AsyncIterator[Door]:
    async with opened(database) as door:
        yield door


@pytest.fixture
async def paid(door: Door) -> TopUp:
    """A top-up that is paid, of which we have not heard."""
    top_up = await door.stage.started(*await door.stage.somebody())
    await door.stage.drive(top_up, "pay")
    return top_up


async def test_a_payment_in_the_sandbox_reaches_the_wallet_by_its_notification(database: DatabaseAddresses) -> None:
    async with opened(database, notified=True) as door:
        stage: Stage = door.stage
        actor, wallet = await stage.somebody()
        top_up = await stage.started(actor, wallet)
        for fault in ("duplicate", "out_of_order"):
            stage.fault(fault)
        await stage.drive(top_up, "pay")
        await eventually(lambda: not stage.sandbox.account.notifier.busy)
        assert (await stage.again(top_up)).state is TopUpState.SETTLED
        assert await stage.balance(owner_of(actor)) == 50_000
        assert {each.status for each in stage.sandbox.account.notifier.deliveries} == {200}


async def test_a_notification_is_kept_before_it_is_followed(door: Door, paid: TopUp) -> None:
    body = door.letter(paid, a_field_we_do_not_know="kept")
    assert await door.post(body, **{"User-Agent": "Veritrans", "Cookie": "not kept"}) == 200
    (row,) = await door.rows()
    assert (row["body"], row["genuine"], row["verdict"], row["attempts"]) == (body, True, "settled", 1)
    assert row["handled_at"] is not None
    assert row["headers"]["user-agent"] == "Veritrans"
    assert "cookie" not in row["headers"]
    assert (await door.stage.again(paid)).credited == FIFTY


async def test_the_very_same_again_costs_no_call(door: Door, paid: TopUp) -> None:
    body = door.letter(paid)
    assert await door.post(body) == 200
    before = await door.stage.marks()
    assert [await door.post(body) for _ in range(3)] == [200, 200, 200]
    assert await door.stage.marks() == before
    assert len(await door.rows()) == 1


async def test_sixteen_at_once_are_one_credit(door: Door, paid: TopUp) -> None:
    body = door.letter(paid)
    assert set(await asyncio.gather(*(door.post(body) for _ in range(16)))) == {200}
    assert (await door.stage.events()).count("TopUpSettled") == 1


async def test_a_bad_signature_changes_nothing(door: Door, paid: TopUp) -> None:
    before = await door.stage.marks()
    assert await door.post(door.letter(paid, key="somebody else's")) == 403
    assert await door.post(door.letter(paid, signature_key="")) == 400
    assert await door.post(door.letter(paid, gross_amount="1.00")) == 403
    assert await door.stage.marks() == before
    assert [row["verdict"] for row in await door.rows()] == ["not_signed", "malformed", "not_signed"]
    assert (await door.stage.again(paid)).state is TopUpState.PENDING


async def test_what_the_signature_does_not_cover_is_not_believed(door: Door) -> None:
    """A genuine notice of a pending payment whose status was changed on its way credits nothing."""
    top_up = await door.stage.started(*await door.stage.somebody())
    await door.stage.drive(top_up, "choose")
    body = door.letter(top_up, transaction_status="settlement", fraud_status="accept")
    assert await door.post(body) == 200
    assert (await door.stage.again(top_up)).state is TopUpState.PENDING
    assert await door.stage.journal() == 0


async def test_two_keys_are_accepted_while_one_is_rotated(database: DatabaseAddresses) -> None:
    async with opened(database, keys=(NEW_KEY, KEY)) as door:
        for key in (KEY, NEW_KEY):
            top_up = await door.stage.started(*await door.stage.somebody())
            await door.stage.drive(top_up, "pay")
            assert await door.post(door.letter(top_up, key=key)) == 200
            assert (await door.stage.again(top_up)).state is TopUpState.SETTLED


NONSENSE = {
    "nothing": b"",
    "no JSON": b"order_id=1&status_code=200",
    "a list": b"[]",
    "no object": b'"x"',
    "cut off": b'{"order_id": "x"',
    "not text": b"\xff\xfe\x00",
    "no fields": b"{}",
    "wrong kinds": b'{"order_id": 1, "status_code": 200, "gross_amount": 1.0, "signature_key": []}',
    "nested deep": b"[" * 30_000,
    "control characters": json.dumps(
        {"order_id": "a\x00b", "status_code": "200", "gross_amount": "1", "signature_key": "x"}
    ).encode(),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_is_refused_and_only_its_beginning_kept(door: Door, body: bytes) -> None:
    before = await door.stage.marks()
    assert await door.post(body) == 400
    assert await door.stage.marks() == before
    (row,) = await door.rows()
    assert (row["verdict"], row["genuine"]) == ("malformed", False)
    assert row["body"] == body[: inbox.KEPT_OF_REFUSED_BYTES]


async def test_too_large_is_not_even_read(door: Door, paid: TopUp) -> None:
    before = await door.stage.marks()
    assert await door.post(b" " * (LARGEST_BODY_BYTES + 1)) == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY_BYTES // 1024 + 1):
            yield b" " * 1024

    async with aiohttp.ClientSession() as sender, sender.post(door.url, data=chunks()) as answer:
        assert answer.status == 413
    assert await door.stage.marks() == before
    assert not await door.rows()
    padded = door.letter(paid)
    padded += b" " * (LARGEST_BODY_BYTES - len(padded))
    assert await door.post(padded) == 200


async def test_garbage_does_not_fill_the_inbox(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_REFUSED_AN_HOUR", 3)
    assert {await door.post(b"%d" % number) for number in range(6)} == {400}
    assert len(await door.rows()) == 3
    await door.stage.ports.database.pool.execute("update inbox set verdict = verdict")
    assert await door.stage.ports.inbox.prune(door.stage.clock()) == 0
    rows = await door.rows()
    later = rows[-1]["received_at"] + inbox.REFUSED_LIVE
    assert await door.stage.ports.inbox.prune(later) == 2
    assert len(await door.rows()) == 1


async def test_an_order_that_is_not_ours(door: Door) -> None:
    before = await door.stage.marks()
    body = {"order_id": "not-ours", "status_code": "200", "gross_amount": "50000.00"}
    body["signature_key"] = signature("not-ours", "200", "50000.00", KEY)
    assert await door.post(encoded(body)) == 404
    assert await door.stage.marks() == before
    (row,) = await door.rows()
    assert (row["verdict"], row["handled_at"]) == ("unknown_order", None)


@pytest.mark.parametrize("fault", ["server_error", "rate_limit", "garbage", "huge_answer"])
async def test_while_the_gateway_is_away_the_message_waits(door: Door, paid: TopUp, fault: str) -> None:
    door.stage.fault(fault, call="core.status")
    body = door.letter(paid)
    assert await door.post(body) == 503
    (row,) = await door.rows()
    assert (row["verdict"], row["handled_at"]) == ("unavailable", None)
    assert await door.stage.journal() == 0
    assert await door.post(body) == 200
    assert (await door.stage.again(paid)).state is TopUpState.SETTLED
    (row,) = await door.rows()
    assert (row["verdict"], row["attempts"]) == ("settled", 2)


async def test_still_pending_is_understood_and_the_sweep_looks_again(door: Door, paid: TopUp) -> None:
    door.stage.fault("stale_status", call="core.status")
    assert await door.post(door.letter(paid)) == 200
    assert (await door.stage.again(paid)).state is TopUpState.PENDING
    due = await door.stage.ports.database.pool.fetchval("select next_check_at from top_up_attempt")
    assert due is not None
    assert (due - door.stage.clock()).total_seconds() <= 60


async def test_word_of_money_on_an_ended_order_is_looked_at_until_the_status_knows(door: Door) -> None:
    top_up = await door.stage.started(*await door.stage.somebody())
    door.stage.clock.turn(timedelta(hours=25))
    assert (await door.stage.confirmed(top_up)).state is TopUpState.EXPIRED
    await door.stage.drive(top_up, "pay")
    door.stage.fault("stale_status", call="core.status", times=1)
    assert await door.post(door.letter(top_up)) == 200
    assert (await door.stage.again(top_up)).state is TopUpState.EXPIRED
    (row,) = await door.rows()
    assert row["handled_at"] is None
    assert await swept(door, row["received_at"] + timedelta(minutes=2)) == 1
    assert (await door.stage.again(top_up)).state is TopUpState.SETTLED


async def test_a_wrong_amount_is_understood_and_left_to_staff(door: Door) -> None:
    top_up = await door.stage.started(*await door.stage.somebody())
    await door.stage.drive(top_up, "pay", amount=49_000)
    assert await door.post(door.letter(top_up)) == 200
    assert (await door.stage.again(top_up)).state is TopUpState.IN_REVIEW
    assert await door.stage.balance(UNALLOCATED) == 49_000


async def test_a_database_that_is_away_is_never_our_error(door: Door, paid: TopUp) -> None:
    body = door.letter(paid)
    await door.stage.ports.database.pool.execute("select 1")
    async with _database_away(door):
        assert await door.post(body) == 503
        assert await door.post(door.letter(paid, key="somebody else's")) == 403
    assert await door.post(body) == 200


async def test_an_answer_comes_while_the_sender_still_waits(
    door: Door, paid: TopUp, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that has hung up counts us as failed; and what hangs here must not gather until nothing is left."""
    monkeypatch.setattr(webhooks, "ANSWER_WITHIN_S", 0.3)
    other = await asyncpg.connect(database.superuser_url)
    try:
        async with asyncio.timeout(PATIENCE_S), other.transaction():
            await other.execute("lock table inbox in exclusive mode")
            assert await door.post(door.letter(paid)) == 503
            assert await door.post(door.letter(paid, key="somebody else's")) == 503
    finally:
        await other.close()
    monkeypatch.undo()
    assert await door.post(door.letter(paid)) == 200


async def test_a_body_that_never_ends_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "ANSWER_WITHIN_S", 0.3)
    answered = asyncio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await answered.wait()

    async with (
        asyncio.timeout(PATIENCE_S),
        aiohttp.ClientSession() as sender,
        sender.post(door.url, data=dripping()) as answer,
    ):
        assert answer.status == 503
        answered.set()


async def test_a_flood_that_nobody_signed_does_not_reach_the_database(
    door: Door, paid: TopUp, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_REFUSED_AN_HOUR", 3)
    for number in range(3):
        await door.post(b"%d" % number)
    other = await asyncpg.connect(database.superuser_url)
    try:
        async with asyncio.timeout(PATIENCE_S), other.transaction():
            await other.execute("lock table inbox in exclusive mode")
            assert set(await asyncio.gather(*(door.post(b"more %d" % number) for number in range(50)))) == {400}
    finally:
        await other.close()
    assert await door.post(door.letter(paid)) == 200


async def test_of_refusals_at_once_only_a_few_hold_connections(
    door: Door, paid: TopUp, database: DatabaseAddresses
) -> None:
    other = await asyncpg.connect(database.superuser_url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            lock = other.transaction()
            await lock.start()
            await other.execute("lock table inbox in exclusive mode")
            posts = [asyncio.create_task(door.post(b"at once %d" % number)) for number in range(40)]
            await eventually(lambda: sum(post.done() for post in posts) == 40 - inbox.MOST_REFUSED_AT_ONCE)
            await lock.rollback()
            assert set(await asyncio.gather(*posts)) == {400}
    finally:
        await other.close()
    assert len(await door.rows()) == inbox.MOST_REFUSED_AT_ONCE


@contextlib.asynccontextmanager
async def _database_away(door: Door) -> AsyncIterator[None]:
    """Take the inbox away for a moment, as far as the application can see."""
    database = door.stage.ports.database
    kept = database._pool
    database._pool = None
    try:
        yield
    finally:
        database._pool = kept


async def test_staff_replay_what_is_kept(door: Door, paid: TopUp) -> None:
    stage = door.stage
    stage.fault("server_error", call="core.status")
    await door.post(door.letter(paid))
    (row,) = await door.rows()
    assert await replay_inbox(stage.ports, (KEY,), row["id"]) == "settled"
    assert await replay_inbox(stage.ports, (KEY,), row["id"]) == "settled"
    assert await stage.journal() == 2
    with pytest.raises(LookupError):
        await replay_inbox(stage.ports, (KEY,), 0)


async def test_staff_replay_what_came_while_its_key_was_missing(door: Door, paid: TopUp) -> None:
    stage = door.stage
    assert await door.post(door.letter(paid, key=NEW_KEY)) == 403
    await door.post(b"nonsense")
    unsigned, nonsense = await door.rows()
    assert await replay_inbox(stage.ports, (KEY,), unsigned["id"]) == "not_signed"
    assert await replay_inbox(stage.ports, (KEY,), nonsense["id"]) == "malformed"
    assert await stage.journal() == 0
    assert await replay_inbox(stage.ports, (KEY, NEW_KEY), unsigned["id"]) == "settled"
    assert (await door.rows())[0]["genuine"]


async def swept(door: Door, now: datetime) -> int:
    found = await sweep_inbox(door.stage.ports, now)
    assert not found.failed
    return found.looked_at


async def test_what_was_answered_try_again_is_taken_up_without_being_sent_again(door: Door, paid: TopUp) -> None:
    """The last notice of a refund may be the only one that ever speaks of it."""
    door.stage.fault("server_error", call="core.status")
    assert await door.post(door.letter(paid)) == 503
    (row,) = await door.rows()
    came = row["received_at"]
    assert await swept(door, came + timedelta(seconds=50)) == 0, "whoever received it may still be at it"
    assert await swept(door, came + timedelta(seconds=70)) == 1
    assert (await door.stage.again(paid)).credited == FIFTY
    (row,) = await door.rows()
    assert (row["verdict"], row["next_try_at"]) == ("settled", None)
    assert await swept(door, came + timedelta(days=9)) == 0


async def test_one_that_we_died_on_is_taken_up(door: Door, paid: TopUp) -> None:
    letter = await door.stage.ports.inbox.receive("midtrans", door.letter(paid), {})
    assert await swept(door, letter.received_at + timedelta(minutes=2)) == 1
    assert (await door.stage.again(paid)).credited == FIFTY


async def test_it_is_tried_ever_more_rarely_while_the_gateway_is_away_and_never_given_up(
    door: Door, paid: TopUp
) -> None:
    door.stage.fault("server_error", call="core.status", times=1_000)
    await door.post(door.letter(paid))
    (row,) = await door.rows()
    now, tried = row["received_at"], list[float]()
    while now < row["received_at"] + timedelta(days=4):
        if await swept(door, now):
            tried.append((now - row["received_at"]) / timedelta(minutes=1))
        now += timedelta(minutes=5 if now - row["received_at"] < timedelta(hours=2) else 60)
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 24 * 60
    assert len(tried) < 15


async def test_an_order_that_is_not_ours_is_given_up_after_a_day(door: Door) -> None:
    body = {"order_id": "not-ours", "status_code": "200", "gross_amount": "50000.00"}
    body["signature_key"] = signature("not-ours", "200", "50000.00", KEY)
    assert await door.post(encoded(body)) == 404
    (row,) = await door.rows()
    assert await swept(door, row["received_at"] + timedelta(minutes=2)) == 1
    assert await swept(door, row["received_at"] + timedelta(hours=25)) == 1
    assert await swept(door, row["received_at"] + timedelta(days=30)) == 0


async def test_what_nobody_vouches_for_is_not_taken_up(door: Door, paid: TopUp) -> None:
    await door.post(door.letter(paid, key="somebody else's"))
    (row,) = await door.rows()
    assert await swept(door, row["received_at"] + timedelta(days=1)) == 0


async def test_sweeps_of_the_inbox_at_once_share_the_work_and_one_that_fails_stops_nobody(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = list[Letter]()
    for _ in range(6):
        top_up = await door.stage.started(*await door.stage.somebody())
        await door.stage.drive(top_up, "pay")
        letters.append(await door.stage.ports.inbox.receive("midtrans", door.letter(top_up), {}))
    bad, now = letters[0].id, letters[-1].received_at + timedelta(minutes=2)
    find = PostgresInbox.find

    async def found(self: PostgresInbox, id_: int) -> Letter | None:
        if id_ == bad:
            raise RuntimeError("on purpose")
        return await find(self, id_)

    monkeypatch.setattr(PostgresInbox, "find", found)
    sweeps = await asyncio.gather(*(sweep_inbox(door.stage.ports, now) for _ in range(3)))
    assert sum(sweep.looked_at for sweep in sweeps) == 6
    assert [which for sweep in sweeps for which, _ in sweep.failed] == [str(bad)]
    assert (await door.stage.events()).count("TopUpSettled") == 5


async def test_a_repeat_rewrites_nothing(door: Door, paid: TopUp) -> None:
    body = door.letter(paid)
    assert await door.post(body, **{"User-Agent": "first"}) == 200
    version = "select xmin, ctid::text from inbox"
    before = await door.stage.ports.database.pool.fetchrow(version)
    for _ in range(3):
        assert await door.post(body, **{"User-Agent": "second"}) == 200
    (row,) = await door.rows()
    assert row["headers"]["user-agent"] == "first"
    assert (await door.stage.ports.database.pool.fetchrow(version))["ctid"] == before["ctid"]


async def test_what_turns_out_genuine_is_kept_whole(door: Door, paid: TopUp) -> None:
    """A letter whose key was missing when it came, too long to be kept whole then, comes again."""
    body = door.letter(paid, note="x" * inbox.KEPT_OF_REFUSED_BYTES)
    await door.stage.ports.inbox.refuse("midtrans", body, {}, "not_signed")
    assert await door.post(body) == 200
    (row,) = await door.rows()
    assert (row["body"], row["genuine"], row["verdict"]) == (body, True, "settled")


FORGERIES = {
    "delete": "delete from inbox",
    "another body": "update inbox set body = 'x'",
    "other headers": "update inbox set headers = '{}'",
    "disowned": "update inbox set genuine = false",
    "disowned and rewritten": "update inbox set genuine = false, body = 'x'",
}


@pytest.mark.parametrize("by", ["app_url", "owner_url"])
@pytest.mark.parametrize("statement", FORGERIES.values(), ids=FORGERIES)
async def test_a_genuine_message_stays_as_it_came(
    door: Door, database: DatabaseAddresses, by: str, statement: str
) -> None:
    await door.stage.ports.inbox.receive("midtrans", b"{}", {"user-agent": "Veritrans"})
    someone = await asyncpg.connect(getattr(database, by))
    try:
        with pytest.raises(asyncpg.RestrictViolationError, match="stays as it came"):
            await someone.execute(statement)
    finally:
        await someone.close()


async def test_a_refused_message_becomes_genuine_only_with_the_body_of_its_digest(door: Door) -> None:
    ports = door.stage.ports
    await ports.inbox.refuse("midtrans", b"as it came", {}, "malformed")
    with pytest.raises(asyncpg.RestrictViolationError):
        await ports.database.pool.execute("update inbox set body = 'x'")
    with pytest.raises(asyncpg.CheckViolationError):
        await ports.database.pool.execute("update inbox set genuine = true, body = 'x'")
    assert await ports.database.pool.execute("delete from inbox") == "DELETE 1"


async def test_other_verbs_are_refused(door: Door) -> None:
    async with aiohttp.ClientSession() as sender, sender.get(door.url) as answer:
        assert answer.status == 405
