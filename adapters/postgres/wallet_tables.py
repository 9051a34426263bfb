"""The wallet's tables as SQLModel knows them; the migrations make them, and a test compares the two."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

ACCOUNT = Table(
    "account",
    SQLModel.metadata,
    Column("id", BigInteger, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("currency", Text, nullable=False),
)
"""The ledger's accounts, as far as others may look at them."""


def _instant(*, nullable: bool = True) -> "Column[datetime]":
    return Column(DateTime(timezone=True), nullable=nullable)


def _now() -> "Column[datetime]":
    return Column(DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def _words(*, nullable: bool = False) -> "Column[str]":
    return Column(Text, nullable=nullable)


def _minor(*, nullable: bool = False) -> "Column[int]":
    return Column(BigInteger, nullable=nullable)


def _figure() -> "Column[int]":
    return Column(Integer, nullable=False)


class TopUpRow(SQLModel, table=True):
    """`top_up`."""

    __tablename__ = "top_up"
    __table_args__ = (
        UniqueConstraint("person", "key", name="top_up_key"),
        Index("top_up_of_person", "person", "id"),
        Index("top_up_by_day", "person", "created_at"),
        Index("top_up_living", "person", postgresql_where=text("state in ('requested', 'pending', 'challenged')")),
        Index("top_up_in_review", "id", postgresql_where=text("review is not null")),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    person: UUID = Field(sa_column=Column(Uuid, nullable=False))
    wallet: int = Field(sa_column=Column(BigInteger, ForeignKey("account.id"), nullable=False))
    amount: int = Field(sa_column=_minor())
    currency: str = Field(sa_column=_words())
    method: str = Field(sa_column=_words())
    gateway: str = Field(sa_column=_words())
    state: str = Field(sa_column=_words())
    key: str = Field(sa_column=_words())
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    credited: int = Field(sa_column=_minor())
    taken_back: int = Field(sa_column=_minor())
    redirect_url: str | None = Field(sa_column=_words(nullable=True))
    review: str | None = Field(sa_column=_words(nullable=True))
    created_at: datetime = Field(sa_column=_instant(nullable=False))
    expires_at: datetime = Field(sa_column=_instant(nullable=False))


class AttemptRow(SQLModel, table=True):
    """`top_up_attempt`."""

    __tablename__ = "top_up_attempt"
    __table_args__ = (
        UniqueConstraint("top_up", "number", name="top_up_attempt_number"),
        UniqueConstraint("request_key", name="top_up_attempt_request"),
        Index("top_up_attempt_due", "next_check_at", postgresql_where=text("next_check_at is not null")),
    )

    order_id: str = Field(sa_column=Column(Text, primary_key=True))
    top_up: UUID = Field(sa_column=Column(Uuid, ForeignKey("top_up.id"), nullable=False))
    number: int = Field(sa_column=_figure())
    request_key: UUID = Field(sa_column=Column(Uuid, nullable=False))
    asked_at: datetime | None = Field(sa_column=_instant())
    asking_until: datetime | None = Field(sa_column=_instant())
    opened_at: datetime | None = Field(sa_column=_instant())
    token: str | None = Field(sa_column=_words(nullable=True))
    url: str | None = Field(sa_column=_words(nullable=True))
    seen: str = Field(sa_column=_words())
    transaction_id: str | None = Field(sa_column=_words(nullable=True))
    payment_type: str | None = Field(sa_column=_words(nullable=True))
    received: int | None = Field(sa_column=_minor(nullable=True))
    received_currency: str | None = Field(sa_column=_words(nullable=True))
    credited: bool = Field(sa_column=Column(Boolean, nullable=False))
    fee: int | None = Field(sa_column=_minor(nullable=True))
    taken_back: int = Field(sa_column=_minor())
    version: int = Field(sa_column=_figure())
    checks: int = Field(sa_column=_figure())
    next_check_at: datetime | None = Field(sa_column=_instant())


class PostingRow(SQLModel, table=True):
    """`top_up_posting`."""

    __tablename__ = "top_up_posting"
    __table_args__ = (Index("top_up_posting_of_order", "order_id"),)

    transaction_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    order_id: str = Field(sa_column=Column(Text, ForeignKey("top_up_attempt.order_id"), nullable=False))
    refers_to: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    recorded_at: datetime = Field(sa_column=_now())


class InboxRow(SQLModel, table=True):
    """`inbox`."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "digest", name="inbox_message"),
        Index("inbox_not_genuine", "received_at", postgresql_where=text("not genuine")),
        Index("inbox_unhandled", "id", postgresql_where=text("handled_at is null")),
        Index("inbox_due", "next_try_at", postgresql_where=text("next_try_at is not null")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    source: str = Field(sa_column=_words())
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    headers: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    genuine: bool = Field(sa_column=Column(Boolean, nullable=False))
    verdict: str = Field(sa_column=_words())
    received_at: datetime = Field(sa_column=_now())
    handled_at: datetime | None = Field(sa_column=_instant())
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))
    next_try_at: datetime | None = Field(sa_column=_instant())
