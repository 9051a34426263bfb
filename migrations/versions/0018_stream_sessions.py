"""When streamers are live at platforms, and before how many; and what platforms told us of it, as it came.

A platform's own id of an account stands here only sealed with the person's key, and everything goes with the link.
"""

from alembic import context, op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = """
create table platform_watch (
    link uuid primary key references platform_link (id) on delete cascade,
    subject bytea not null,
    watched_since timestamptz not null,
    offline_at timestamptz,
    asked_at timestamptz,
    subscribe_at timestamptz,
    followers bigint,
    followers_at timestamptz,
    constraint platform_watch_followers check (followers >= 0)
) with (fillfactor = 70);
comment on table platform_watch is 'An account at a platform that we look at: what is known of it beside its streams.';

create table stream_session (
    id uuid primary key,
    link uuid not null references platform_link (id) on delete cascade,
    stream text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,
    ended_at timestamptz,
    end_told boolean not null default false,
    samples integer not null default 0,
    viewers_in_all bigint not null default 0,
    constraint stream_session_once unique (link, stream),
    constraint stream_session_times check (ended_at >= started_at and seen_at >= started_at),
    constraint stream_session_end check (ended_at is not null or not end_told)
) with (fillfactor = 70);
create index stream_session_of_link on stream_session (link, started_at);
create index stream_session_open on stream_session (link) where ended_at is null;
comment on table stream_session is 'From when until when somebody was live: as the platform said, or as it was seen.';
comment on column stream_session.viewers_in_all is 'The sum of its samples: averages of many streams read none.';

create table viewer_sample (
    session uuid not null references stream_session (id) on delete cascade,
    at timestamptz not null,
    viewers integer not null,
    primary key (session, at),
    constraint viewer_sample_viewers check (viewers >= 0)
);
comment on table viewer_sample is 'Before how many somebody was live in a minute, as the platform said in it.';

create table platform_message (
    id text primary key,
    body bytea not null,
    received_at timestamptz not null
);
create index platform_message_received on platform_message (received_at);
comment on table platform_message is 'What platforms told us, as it came, for as long as it might come again.';
"""

GRANTS = {
    "platform_watch": "select, insert, update (offline_at, asked_at, subscribe_at, followers, followers_at)",
    "stream_session": "select, insert, update (seen_at, ended_at, end_told, samples, viewers_in_all)",
    "viewer_sample": "select, insert",
    "platform_message": "select, insert, delete",
}
"""What the application may do. What is kept of an account goes with its link."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was seen of streams is evidence")
