"""What the two sides of a participation write to each other, how far they have read, and what was reported of it.

Texts are sealed with the keys of who wrote them. Numbers count a participation's messages without a gap; `seq` counts
everything that happens to them, so that whoever follows them hears of each change once.
"""

from alembic import context, op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLES = """
create table conversation (
    participation uuid primary key references participation (id),
    messages bigint not null default 0,
    seq bigint not null default 0,
    constraint conversation_counts check (messages >= 0 and seq >= messages)
) with (fillfactor = 70);
comment on table conversation is 'How many messages a participation has, and how often they changed.';

create table message (
    id uuid primary key,
    participation uuid not null references conversation (participation),
    number bigint not null,
    side text not null,
    person uuid not null references person (id),
    text bytea,
    sent_at timestamptz not null,
    hidden_at timestamptz,
    seq bigint not null,
    constraint message_number unique (participation, number),
    constraint message_side check (side in ('brand', 'streamer')),
    constraint message_counts check (number > 0 and seq >= number)
) with (fillfactor = 90);
create unique index message_seq on message (participation, seq);
create index message_of_person on message (person);
comment on table message is 'What one side of a participation wrote to the other, sealed with the writer''s own key.';
comment on column message.text is 'Null once who wrote it was erased.';
comment on column message.seq is 'The conversation''s when it was sent or, later, hidden.';

create table message_mark (
    participation uuid not null references conversation (participation),
    person uuid not null references person (id),
    side text not null,
    number bigint not null,
    primary key (participation, person),
    constraint message_mark_side check (side in ('brand', 'streamer')),
    constraint message_mark_is foreign key (participation, number) references message (participation, number)
) with (fillfactor = 50);
create index message_mark_of_person on message_mark (person);
comment on table message_mark is 'Up to which message somebody has read. It never goes back.';

create table message_report (
    id uuid primary key,
    message uuid not null references message (id),
    person uuid not null references person (id),
    reason bytea,
    reported_at timestamptz not null,
    ruling text,
    decided_at timestamptz,
    constraint message_report_once unique (message),
    constraint message_report_ruling check (ruling in ('hidden', 'dismissed')),
    constraint message_report_decided check ((ruling is null) = (decided_at is null))
) with (fillfactor = 70);
create index message_report_of_person on message_report (person);
create index message_report_to_decide on message_report (id) where ruling is null;
comment on table message_report is 'What somebody says against a message, in words sealed with their own key.';
"""

GRANTS = {
    "conversation": "select, insert (participation), update (messages, seq)",
    "message": "select, insert (id, participation, number, side, person, text, sent_at, seq),"
    " update (text, hidden_at, seq)",
    "message_mark": "select, insert, update (number), delete",
    "message_report": "select, insert (id, message, person, reason, reported_at), update (reason, ruling, decided_at)",
}
"""What the application may do. An erasure empties texts and deletes marks; nobody writes a message anew."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what people wrote is never taken down")
