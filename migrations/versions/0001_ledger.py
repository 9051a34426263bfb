"""The ledger: accounts, journal, holds, seals; append-only by trigger and by grants.

Every column of an append-only row is in its digest. `adapters/postgres/digest.py` computes the same in Python, so that
an audit trusts neither these functions nor the server. They use the wire's own form of a row of built-in types: each
value stands there with its type and length, and none can pass for its neighbour.
"""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KINDS = [
    "top_up", "misfit", "allocation", "gateway_fee", "gateway_settlement", "gateway_funding", "refund",
    "cancellation", "chargeback", "repayment", "write_off", "transfer", "escrow", "escrow_return", "earning",
    "take_rate", "value_added_tax", "withholding_tax", "tax_payment", "wager", "win", "game_deposit",
    "game_withdrawal", "provider_settlement", "bonus_grant", "bonus_release", "bonus_expiry", "commission",
    "clawback", "hosting_charge", "hosting_refund", "payout", "adjustment", "opening_balance",
]  # fmt: skip
REFUSALS = [
    "insufficient_funds", "limit_exceeded", "account_frozen", "account_closed", "nothing_to_reverse", "tombstoned",
]  # fmt: skip
OPERATIONS = ["move", "hold", "capture", "void", "expire", "reverse"]


def _values(words: list[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


POSITION = "case when pg_current_xact_id() is not null then nextval('journal_position') end"
"""A row's position must not be taken before its writer has a transaction number: the horizon tells by numbers which
positions can still appear."""

TABLES = f"""
create type ledger_operation as enum ({_values(OPERATIONS)});
create type ledger_kind as enum ({_values(KINDS)});
create type ledger_refusal as enum ({_values(REFUSALS)});

create type account_status as enum ('open', 'frozen', 'closed');

create sequence journal_position;

create table account (
    id bigint generated always as identity primary key,
    owner text not null,
    purpose text not null,
    currency text not null,
    floor bigint,
    ceiling bigint,
    posted bigint not null default 0,
    held bigint not null default 0,
    seq bigint not null default 0,
    status account_status not null default 'open',
    constraint account_key unique (owner, purpose, currency),
    -- A missing limit makes its comparison null, which passes. Short, for the server prepares it for every statement.
    constraint account_within_limits check (held >= 0 and posted - held >= floor and posted <= ceiling)
) with (fillfactor = 50);
comment on table account is 'Locked projection of the journal, in minor units. Platform accounts keep no figures here.';

create table account_change (
    position bigint primary key default {POSITION},
    account bigint not null,
    after_seq bigint not null,
    owner text not null,
    purpose text not null,
    currency text not null,
    floor bigint,
    ceiling bigint,
    status account_status not null,
    recorded_at timestamptz not null default clock_timestamp()
);
create index account_change_account on account_change (account, position);
comment on table account_change is 'Append-only: accounts as opened and as changed since; in force after after_seq.';

create table journal (
    position bigint not null default {POSITION},
    transaction_id uuid not null,
    source bigint,
    target bigint,
    amount bigint not null,
    source_seq bigint,
    target_seq bigint,
    source_posted bigint,
    target_posted bigint,
    source_held bigint,
    target_held bigint,
    recorded_at timestamptz not null default clock_timestamp(),
    effective_at timestamptz,
    ref uuid,
    operation ledger_operation not null,
    kind ledger_kind,
    refusal ledger_refusal,
    line smallint not null,
    content bytea,
    constraint journal_key primary key (transaction_id, line),
    constraint journal_well_formed check (
        amount >= 0 and source <> target and (refusal is null or coalesce(source_seq, target_seq) is null)
    )
);
create unique index journal_position_key on journal (position);
create unique index journal_source on journal (source, source_seq) where source_seq is not null;
create unique index journal_target on journal (target, target_seq) where target_seq is not null;
create unique index journal_reversed_once on journal (ref)
    where operation = 'reverse' and refusal is null and line = 0;
comment on table journal is 'Append-only: every decided posting with the balances after it, and every kept refusal.';

create table hold (
    transaction_id uuid not null,
    line smallint not null,
    source bigint not null,
    remaining bigint not null check (remaining >= 0),
    expires_at timestamptz not null,
    primary key (transaction_id, line)
) with (fillfactor = 70);
create index hold_due on hold (expires_at) where remaining > 0;
comment on table hold is 'What is left of each line of a hold; a projection of the journal, locked with its account.';

create table seal (
    number bigint primary key,
    first_position bigint not null,
    last_position bigint not null,
    marks bytea not null,
    previous bytea not null,
    head bytea not null,
    sealed_at timestamptz not null
);
comment on table seal is
    'Append-only: keyed chain over committed rows; marks = (position, negative for account_change; 16 bytes) each.';

create table platform_entry (
    account bigint not null,
    seq bigint not null,
    position bigint not null,
    posted bigint not null,
    primary key (account, seq)
);
create unique index platform_entry_position on platform_entry (position, account);
comment on table platform_entry is 'Append-only: place and balance of platform entries, given by the sealer.';
"""

REFUSE_CHANGE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: post a correction instead', tg_table_name using errcode = 'restrict_violation';
end $$
"""

REFUSE_TO_CLOSE = """
create function refuse_to_close() returns trigger language plpgsql as $$
begin
    raise exception 'account % holds something and cannot be closed', new.id using errcode = 'check_violation';
end $$
"""

JOURNAL_DIGEST = """
create function journal_digest(j journal) returns bytea language sql stable parallel safe as $$
    select sha256(record_send(row(
        j.position, j.transaction_id, j.source, j.target, j.amount, j.source_seq, j.target_seq, j.source_posted,
        j.target_posted, j.source_held, j.target_held, j.recorded_at, j.effective_at, j.ref, j.operation::text,
        j.kind::text, j.refusal::text, j.line, j.content)))
$$
"""

ACCOUNT_CHANGE_DIGEST = """
create function account_change_digest(c account_change) returns bytea language sql stable parallel safe as $$
    select sha256(record_send(row(
        c.position, c.account, c.after_seq, c.owner, c.purpose, c.currency, c.floor, c.ceiling, c.status::text,
        c.recorded_at)))
$$
"""

APPEND_ONLY = {
    "journal": "transaction_id, source, target, amount, source_seq, target_seq, source_posted, target_posted,"
    " source_held, target_held, effective_at, ref, operation, kind, refusal, line, content",
    "account_change": "account, after_seq, owner, purpose, currency, floor, ceiling, status",
    "seal": "number, first_position, last_position, marks, previous, head, sealed_at",
    "platform_entry": "account, seq, position, posted",
}
"""What the application may give of a new row. A row's own position and time are for the database alone to say."""


def upgrade() -> None:
    role = context.config.attributes["app_role"]
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    for function in (REFUSE_CHANGE, REFUSE_TO_CLOSE, JOURNAL_DIGEST, ACCOUNT_CHANGE_DIGEST):
        op.execute(function)
    for table, columns in APPEND_ONLY.items():
        op.execute(
            f"create trigger {table}_append_only before update or delete or truncate on {table} "
            "for each statement execute function refuse_change()"
        )
        op.execute(f'grant select, insert ({columns}) on {table} to "{role}"')
    op.execute(
        "create trigger account_close before update of status on account for each row "
        "when (new.status = 'closed' and (new.posted <> 0 or new.held <> 0)) execute function refuse_to_close()"
    )
    op.execute(f'grant select, insert, update (floor, ceiling, posted, held, seq, status) on account to "{role}"')
    op.execute(f'grant select, insert, update (remaining) on hold to "{role}"')
    op.execute(f'grant usage, select on sequence journal_position to "{role}"')
    op.execute(f'grant select on alembic_version to "{role}"')


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down")
