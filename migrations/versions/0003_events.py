"""Events: the outbox, its numbers for each topic, what follows each event, and how far the relay has told."""

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
create table event (
    id uuid primary key,
    topic text not null,
    name text not null,
    body jsonb not null,
    recorded_at timestamptz not null default clock_timestamp(),
    number bigint,
    published_at timestamptz,
    constraint event_number unique (topic, number),
    constraint event_counted check (number > 0),
    constraint event_numbered_first check (published_at is null or number is not null)
) with (fillfactor = 70);
create index event_unnumbered on event (recorded_at, id) where number is null;
create index event_unpublished on event (topic, number) where published_at is null and number is not null;
comment on table event is 'Outbox: written with what it speaks of, numbered and published by the relay.';

create table topic_head (
    topic text primary key,
    number bigint not null check (number > 0)
) with (fillfactor = 50);
comment on table topic_head is 'The last number given in each topic; numbers outlive the events that bore them.';

create table reaction (
    event_id uuid not null references event (id),
    name text not null,
    attempts integer not null default 0,
    next_at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    dead_at timestamptz,
    error text,
    constraint reaction_key primary key (event_id, name),
    constraint reaction_one_end check (done_at is null or dead_at is null)
) with (fillfactor = 70);
create index reaction_due on reaction (next_at) where done_at is null and dead_at is null;
create index reaction_dead on reaction (dead_at, event_id, name) where dead_at is not null;
comment on table reaction is 'What follows an event: done once for each event and reaction, or dead after many tries.';

create table relay_mark (
    name text primary key,
    position bigint not null
) with (fillfactor = 50);
comment on table relay_mark is 'Up to which position of the journal every row has been published.';
"""

# The application deletes no event by itself: this runs as the owner, and knows how young none of them may go.
PRUNE = """
create function prune_events(before timestamptz, most integer) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    with old as materialized (
        select id from event where published_at < least(before, clock_timestamp() - interval '30 days')
            and not exists (select from reaction where event_id = event.id and done_at is null)
        limit most for update skip locked
    ), followed as (
        delete from reaction using old where event_id = old.id
    ), gone as (
        delete from event using old where event.id = old.id returning event.id
    )
    select count(*) from gone
$$
"""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, columns in {
        "event": "number, published_at",
        "topic_head": "number",
        "reaction": "attempts, next_at, done_at, dead_at, error",
        "relay_mark": "position",
    }.items():
        op.execute(f"grant select, insert, update ({columns}) on {table} to {role}")
    op.execute(PRUNE)
    op.execute("revoke all on function prune_events from public")
    op.execute(f"grant execute on function prune_events to {role}")


def downgrade() -> None:
    raise NotImplementedError("events are never taken down")
