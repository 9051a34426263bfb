"""Top-ups on PostgreSQL: their rows inside a unit of work, and reads without locks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Connection, Record
from sqlalchemy import ARRAY, Uuid, bindparam, func, insert, select, update
from sqlmodel import SQLModel

from adapters.postgres.compiled import Statement
from adapters.postgres.database import Database
from adapters.postgres.wallet_tables import ACCOUNT
from domain.ids import AccountId, PersonId, TransactionId
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey
from domain.money import Currency, Money
from domain.wallet.gateway import Method, PaymentState
from domain.wallet.model import Attempt, Order, TopUp, TopUpId, TopUpState
from domain.wallet.ports import KeptTopUp, Standing

_TOP_UP = SQLModel.metadata.tables["top_up"]
_ATTEMPT = SQLModel.metadata.tables["top_up_attempt"]
_POSTING = SQLModel.metadata.tables["top_up_posting"]

_WITH_ACCOUNT = select(_TOP_UP, ACCOUNT.c.owner, ACCOUNT.c.purpose).join(ACCOUNT, ACCOUNT.c.id == _TOP_UP.c.wallet)
_LOCKED = _WITH_ACCOUNT.with_for_update(of=_TOP_UP, key_share=True)
_LOCK = Statement(_LOCKED.where(_TOP_UP.c.id == bindparam("id")))
_LOCK_BY_KEY = Statement(_LOCKED.where(_TOP_UP.c.person == bindparam("person"), _TOP_UP.c.key == bindparam("key")))
_LOCK_ATTEMPTS = Statement(
    select(_ATTEMPT)
    .where(_ATTEMPT.c.top_up == bindparam("top_up"))
    .order_by(_ATTEMPT.c.number)
    .with_for_update(key_share=True)
)
_ADD = Statement(insert(_TOP_UP))
_ADD_ATTEMPT = Statement(insert(_ATTEMPT))
_SAVED = ("state", "credited", "taken_back", "redirect_url", "review")
_SAVE = Statement(
    update(_TOP_UP).where(_TOP_UP.c.id == bindparam("of")).values({name: bindparam(name) for name in _SAVED})
)
_SAVED_OF_ATTEMPT = (
    "asked_at", "asking_until", "opened_at", "token", "url", "seen", "transaction_id", "payment_type", "received",
    "received_currency", "credited", "fee", "taken_back", "version", "checks", "next_check_at",
)  # fmt: skip
_SAVE_ATTEMPT = Statement(
    update(_ATTEMPT)
    .where(_ATTEMPT.c.order_id == bindparam("of"))
    .values({name: bindparam(name) for name in _SAVED_OF_ATTEMPT})
)
_NOTE = Statement(
    insert(_POSTING).values({name: bindparam(name) for name in ("transaction_id", "order_id", "refers_to")})
)
_READ = select(
    *[column for column in _TOP_UP.c if column.name not in {"key", "content"}], ACCOUNT.c.owner, ACCOUNT.c.purpose
).join(ACCOUNT, ACCOUNT.c.id == _TOP_UP.c.wallet)
"""Who only looks needs nothing of what tells one request from another."""
_BY_ID = Statement(_READ.where(_TOP_UP.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))))
_PAGE = _READ.order_by(_TOP_UP.c.id.desc()).limit(bindparam("first"))
_BELOW = _TOP_UP.c.id < bindparam("after")
_HIGHEST = UUID(int=2**128 - 1)
_OF_PEOPLE = Statement(_PAGE.where(_TOP_UP.c.person == func.any(bindparam("people", type_=ARRAY(Uuid))), _BELOW))
_IS_BEGUN = "select exists (select from top_up where person = $1 and key = $2)"
_IN_REVIEW = Statement(_PAGE.where(_TOP_UP.c.review.is_not(None), _BELOW))
_ATTEMPT_BY_ID = Statement(select(_ATTEMPT).where(_ATTEMPT.c.order_id == bindparam("order_id")))

_LOCK_PAYER = "select pg_advisory_xact_lock(hashtextextended('payer:' || $1::uuid::text, 0))"
_STANDING = """
select
    (select count(*) from top_up where person = $1 and state in ('requested', 'pending', 'challenged')) as pending,
    (select coalesce(sum(case
        when state not in ('expired', 'cancelled', 'failed') then amount
        -- Given up, but its page lives on and can be paid on all day.
        when state = 'cancelled' and exists (
            select from top_up_attempt where top_up_attempt.top_up = top_up.id and asked_at is not null
                and seen not in ('denied', 'cancelled', 'expired', 'failed')
        ) then amount
        else credited - taken_back end), 0)::bigint
    from top_up where person = $1 and created_at >= $2 and created_at < $3 and currency = $4) as started_today
"""
_CLAIM = """
with due as materialized (
    select order_id from top_up_attempt where next_check_at <= $1 order by next_check_at limit $2
    for no key update skip locked
)
update top_up_attempt as attempt
set checks = checks + 1, next_check_at = $1::timestamptz + ($3::interval[])[least(checks + 1, cardinality($3))]
from due where attempt.order_id = due.order_id
returning attempt.order_id
"""


class PostgresTopUps:
    """`domain.wallet.ports.TopUps` on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_payer(self, person: PersonId) -> None:
        """Be alone with a person's top-ups until the unit of work ends."""
        await self._connection.execute(_LOCK_PAYER, person)

    async def lock(self, top_up: TopUpId) -> KeptTopUp:
        """Lock a top-up and its attempts. Raises LookupError if there is no such."""
        kept = await self._kept(await _LOCK.rows(self._connection, id=top_up))
        if kept is None:
            raise LookupError(f"there is no top-up {top_up}")
        return kept

    async def lock_by_key(self, person: PersonId, key: str) -> KeptTopUp | None:
        """The top-up that a person started under an idempotency key, locked."""
        return await self._kept(await _LOCK_BY_KEY.rows(self._connection, person=person, key=key))

    async def standing(self, person: PersonId, day: tuple[datetime, datetime], currency: Currency) -> Standing:
        """What counts against a person's limits on a day."""
        found = await self._connection.fetchrow(_STANDING, person, *day, currency)
        return Standing(found["pending"], Money(found["started_today"], currency))

    async def add(self, top_up: TopUp, attempt: Attempt, *, key: str, content: bytes) -> None:
        """Store a new top-up with its first attempt."""
        await _ADD.run(
            self._connection,
            id=top_up.id,
            person=top_up.person,
            wallet=top_up.wallet,
            amount=top_up.amount.minor,
            currency=top_up.amount.currency,
            method=top_up.method,
            gateway=top_up.gateway,
            key=key,
            content=content,
            created_at=top_up.created_at,
            expires_at=top_up.expires_at,
            **_saved(top_up),
        )
        await self.add_attempt(attempt)

    async def add_attempt(self, attempt: Attempt) -> None:
        """Store one more attempt."""
        await _ADD_ATTEMPT.run(
            self._connection,
            order_id=attempt.order_id,
            top_up=attempt.top_up,
            number=attempt.number,
            request_key=attempt.request_key,
            **_saved_of_attempt(attempt),
        )

    async def save(self, top_up: TopUp, *attempts: Attempt) -> None:
        """Store what changed."""
        await _SAVE.run(self._connection, of=top_up.id, **_saved(top_up))
        for attempt in attempts:
            await _SAVE_ATTEMPT.run(self._connection, of=attempt.order_id, **_saved_of_attempt(attempt))

    async def note_posting(self, transaction: TransactionId, order_id: str, refers_to: Sequence[str]) -> None:
        """Remember which order a transaction of the ledger is about."""
        await _NOTE.run(self._connection, transaction_id=transaction, order_id=order_id, refers_to=list(refers_to))

    async def claim_due(self, now: datetime, limit: int, delays: Sequence[timedelta]) -> Sequence[str]:
        """Orders whose time has come, each put off so that no other sweep takes it; those in other hands are left."""
        return [record["order_id"] for record in await self._connection.fetch(_CLAIM, now, limit, list(delays))]

    async def _kept(self, records: Sequence[Record]) -> KeptTopUp | None:
        if not records:
            return None
        top_up = _top_up(records[0])
        attempts = await _LOCK_ATTEMPTS.rows(self._connection, top_up=top_up.id)
        return KeptTopUp(
            top_up, tuple(_attempt(record, top_up.amount.currency) for record in attempts), records[0]["content"]
        )


class PostgresTopUpReads:
    """`domain.wallet.ports.TopUpReads`, each call on any connection of the pool."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def top_ups_by_id(self, ids: Sequence[TopUpId]) -> Mapping[TopUpId, TopUp]:
        """Top-ups by id; unknown ones are left out."""
        async with self._database.pool.acquire() as connection:
            found = [_top_up(record) for record in await _BY_ID.rows(connection, ids=list(ids))]
        return {top_up.id: top_up for top_up in found}

    async def is_begun(self, person: PersonId, key: str) -> bool:
        """Whether a person began a top-up under an idempotency key."""
        begun: bool = await self._database.pool.fetchval(_IS_BEGUN, person, key)
        return begun

    async def top_ups_of(self, people: Sequence[PersonId], *, after: TopUpId | None, first: int) -> Sequence[TopUp]:
        """Top-ups of a person under every id they were known by, newest first, from below `after`."""
        async with self._database.pool.acquire() as connection:
            records = await _OF_PEOPLE.rows(connection, people=list(people), after=after or _HIGHEST, first=first)
        return [_top_up(record) for record in records]

    async def top_ups_in_review(self, *, after: TopUpId | None, first: int) -> Sequence[TopUp]:
        """Everybody's top-ups that staff should look at, newest first."""
        async with self._database.pool.acquire() as connection:
            records = await _IN_REVIEW.rows(connection, after=after or _HIGHEST, first=first)
        return [_top_up(record) for record in records]

    async def order(self, order_id: str) -> Order | None:
        """An attempt and its top-up by the order's id."""
        async with self._database.pool.acquire() as connection:
            attempts = await _ATTEMPT_BY_ID.rows(connection, order_id=order_id)
            if not attempts:
                return None
            (record,) = await _BY_ID.rows(connection, ids=[attempts[0]["top_up"]])
        top_up = _top_up(record)
        return Order(top_up, _attempt(attempts[0], top_up.amount.currency))


def _saved(top_up: TopUp) -> dict[str, object]:
    """The columns of a top-up that change."""
    return {
        "state": top_up.state,
        "credited": top_up.credited.minor,
        "taken_back": top_up.taken_back.minor,
        "redirect_url": top_up.redirect_url,
        "review": top_up.review,
    }


def _saved_of_attempt(attempt: Attempt) -> dict[str, object]:
    """The columns of an attempt that change."""
    return {name: getattr(attempt, name) for name in _SAVED_OF_ATTEMPT if hasattr(attempt, name)} | {
        "received": attempt.received and attempt.received.minor,
        "received_currency": attempt.received and attempt.received.currency,
        "fee": None if attempt.fee is None else attempt.fee.minor,
        "taken_back": attempt.taken_back.minor,
    }


def _top_up(record: Record) -> TopUp:
    currency = Currency(record["currency"])
    return TopUp(
        id=TopUpId(record["id"]),
        person=PersonId(record["person"]),
        wallet=AccountId(record["wallet"]),
        account=AccountKey(record["owner"], Purpose(record["purpose"]), currency),
        amount=Money(record["amount"], currency),
        method=Method(record["method"]),
        gateway=record["gateway"],
        state=TopUpState(record["state"]),
        credited=Money(record["credited"], currency),
        taken_back=Money(record["taken_back"], currency),
        redirect_url=record["redirect_url"],
        created_at=record["created_at"],
        expires_at=record["expires_at"],
        review=record["review"],
    )


def _attempt(record: Record, currency: Currency) -> Attempt:
    received = record["received"]
    of = currency if received is None else Currency(record["received_currency"])
    return Attempt(
        order_id=record["order_id"],
        top_up=TopUpId(record["top_up"]),
        number=record["number"],
        request_key=record["request_key"],
        taken_back=Money(record["taken_back"], of),
        asked_at=record["asked_at"],
        asking_until=record["asking_until"],
        opened_at=record["opened_at"],
        token=record["token"],
        url=record["url"],
        seen=PaymentState(record["seen"]),
        transaction_id=record["transaction_id"],
        payment_type=record["payment_type"],
        received=None if received is None else Money(received, of),
        credited=record["credited"],
        fee=None if record["fee"] is None else Money(record["fee"], of),
        version=record["version"],
        checks=record["checks"],
        next_check_at=record["next_check_at"],
    )
