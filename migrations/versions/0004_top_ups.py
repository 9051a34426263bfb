"""Top-ups: intents, all attempts to have one paid, the order that a posting is about, and an inbox of messages."""

from alembic import context, op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
create table top_up (
    id uuid primary key,
    person uuid not null,
    wallet bigint not null references account (id),
    amount bigint not null,
    currency text not null,
    method text not null,
    gateway text not null,
    state text not null,
    key text not null,
    content bytea not null,
    credited bigint not null,
    taken_back bigint not null,
    redirect_url text,
    review text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint top_up_key unique (person, key),
    constraint top_up_amount check (amount > 0),
    constraint top_up_taken_back check (taken_back between 0 and credited),
    constraint top_up_state check (state in (
        'requested', 'pending', 'challenged', 'settled', 'in_review', 'expired', 'cancelled', 'failed'))
) with (fillfactor = 80);
create index top_up_of_person on top_up (person, id);
create index top_up_by_day on top_up (person, created_at);
create index top_up_living on top_up (person) where state in ('requested', 'pending', 'challenged');
create index top_up_in_review on top_up (id) where review is not null;
comment on table top_up is 'A wish to put money into a wallet, in minor units; content is a digest of the wish.';

create table top_up_attempt (
    order_id text primary key,
    top_up uuid not null references top_up (id),
    number integer not null,
    request_key uuid not null,
    asked_at timestamptz,
    asking_until timestamptz,
    opened_at timestamptz,
    token text,
    url text,
    seen text not null,
    transaction_id text,
    payment_type text,
    received bigint,
    received_currency text,
    credited boolean not null,
    fee bigint,
    taken_back bigint not null,
    version integer not null,
    checks integer not null,
    next_check_at timestamptz,
    constraint top_up_attempt_number unique (top_up, number),
    constraint top_up_attempt_request unique (request_key),
    constraint top_up_attempt_received check (received > 0 and (received is null) = (received_currency is null)),
    constraint top_up_attempt_taken_back check (taken_back between 0 and coalesce(received, 0)),
    constraint top_up_attempt_fee check (fee between 0 and coalesce(received, 0)),
    constraint top_up_attempt_credited check (not credited or received is not null)
) with (fillfactor = 70);
create index top_up_attempt_due on top_up_attempt (next_check_at) where next_check_at is not null;
comment on table top_up_attempt is 'One order at the gateway; each of a top-up''s stays creditable for ever.';

create table top_up_posting (
    transaction_id uuid primary key,
    order_id text not null references top_up_attempt (order_id),
    refers_to text[] not null,
    recorded_at timestamptz not null default clock_timestamp()
);
create index top_up_posting_of_order on top_up_posting (order_id);
comment on table top_up_posting is 'Append-only: the order that a transaction of the ledger is about.';

create table inbox (
    id bigint generated always as identity primary key,
    source text not null,
    digest bytea not null,
    body bytea not null,
    headers jsonb not null,
    genuine boolean not null,
    verdict text not null,
    received_at timestamptz not null default clock_timestamp(),
    handled_at timestamptz,
    attempts integer not null default 0,
    next_try_at timestamptz,
    constraint inbox_message unique (source, digest),
    constraint inbox_genuine_body check (not genuine or digest = sha256(body))
) with (fillfactor = 80);
create index inbox_not_genuine on inbox (received_at) where not genuine;
create index inbox_unhandled on inbox (id) where handled_at is null;
create index inbox_due on inbox (next_try_at) where next_try_at is not null;
comment on table inbox is 'What vendors sent, as it came; of what nobody vouches for only the beginning, for a while.';
"""

REFUSE_FORGERY = """
create function refuse_forgery() returns trigger language plpgsql as $$
begin
    raise exception 'message % of the inbox stays as it came', old.id using errcode = 'restrict_violation';
end $$
"""

FORGERIES = {
    "delete": "old.genuine",
    "update": "(old.genuine or not new.genuine) and "
    "(old.id, old.source, old.digest, old.body, old.headers, old.genuine, old.received_at) is distinct from "
    "(new.id, new.source, new.digest, new.body, new.headers, new.genuine, new.received_at)",
}
"""What a genuine message must not suffer, nor one that is not genuine but by becoming so."""

GRANTS = {
    "top_up": "select, insert, update (state, credited, taken_back, redirect_url, review)",
    "top_up_attempt": "select, insert, update (asked_at, asking_until, opened_at, token, url, seen, transaction_id,"
    " payment_type, received, received_currency, credited, fee, taken_back, version, checks, next_check_at)",
    "top_up_posting": "select, insert",
    "inbox": "select, insert, delete, update (body, headers, genuine, verdict, handled_at, attempts, next_try_at)",
}


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    op.execute(
        "create trigger top_up_posting_append_only before update or delete or truncate on top_up_posting "
        "for each statement execute function refuse_change()"
    )
    op.execute(REFUSE_FORGERY)
    for deed, forged in FORGERIES.items():
        op.execute(
            f"create trigger inbox_refuse_{deed} before {deed} on inbox for each row "
            f"when ({forged}) execute function refuse_forgery()"
        )
    role = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {role}")


def downgrade() -> None:
    raise NotImplementedError("what was paid is never taken down")
