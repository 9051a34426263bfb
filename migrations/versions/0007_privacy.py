"""Privacy: what people agreed to, exports of what is theirs, and their erasure with what law makes us keep of them.

Personal data stands here only sealed: the place a consent came from and the pieces of an export with the person's own
key; what law makes us keep after an erasure with a key made for that alone, which is destroyed when its time is over.
"""

from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
create table consent (
    position bigint generated always as identity primary key,
    person uuid not null references person (id),
    purpose text not null,
    version text not null,
    given boolean not null,
    at timestamptz not null,
    origin bytea,
    constraint consent_purpose check (purpose in ('terms', 'privacy_notice', 'marketing_mail', 'profiling'))
);
create index consent_of_person on consent (person, purpose, position);
comment on table consent is
    'Append-only: what a person agreed to or took back; an erasure forgets from where, and nothing else changes.';

create table personal_export (
    id uuid primary key,
    person uuid not null references person (id),
    state text not null,
    asked_at timestamptz not null,
    claimed_until timestamptz,
    run integer not null default 0,
    ready_at timestamptz,
    expires_at timestamptz,
    fetched_at timestamptz,
    pieces integer,
    bytes bigint,
    constraint personal_export_state check (state in ('requested', 'ready', 'fetched', 'expired', 'failed')),
    constraint personal_export_ready check (
        state not in ('ready', 'fetched')
        or (ready_at is not null and expires_at is not null and pieces is not null and bytes is not null))
) with (fillfactor = 70);
create unique index personal_export_open on personal_export (person) where state in ('requested', 'ready');
create index personal_export_of_person on personal_export (person, asked_at);
create index personal_export_waiting on personal_export (asked_at) where state = 'requested';
create index personal_export_ending on personal_export (expires_at) where state = 'ready';

create table personal_export_piece (
    export uuid not null references personal_export (id),
    run integer not null,
    number integer not null,
    content bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint personal_export_piece_key primary key (export, run, number)
);
comment on table personal_export_piece is 'Pieces of a zip in their order, each sealed with the person''s key.';

create table erasure (
    id uuid primary key,
    person uuid not null references person (id),
    asked_at timestamptz not null,
    due_at timestamptz not null,
    kept_at timestamptz,
    begun_at timestamptz,
    done_at timestamptz,
    retained_until timestamptz,
    constraint erasure_kept_or_begun check (kept_at is null or begun_at is null),
    constraint erasure_begun_first check (done_at is null or begun_at is not null)
) with (fillfactor = 70);
create unique index erasure_open on erasure (person) where kept_at is null;
create index erasure_due on erasure (due_at) where kept_at is null and done_at is null;
create index erasure_done on erasure (person) where done_at is not null;

create table retained_record (
    person uuid primary key references person (id),
    custodian uuid not null,
    body bytea,
    reasons text[] not null,
    until timestamptz not null,
    released_at timestamptz,
    constraint retained_record_released check ((released_at is null) = (body is not null)),
    constraint retained_record_own_key check (custodian <> person)
);
create index retained_record_due on retained_record (until) where released_at is null;
comment on table retained_record is 'Who an erased person was, as long as law asks; sealed with the custodian''s key.';

create index session_ever_of_person on session (person);
create index membership_ever_of_person on membership (person);

create trigger consent_append_only before update on consent for each row
    when (new.origin is not null or
        (old.position, old.person, old.purpose, old.version, old.given, old.at) is distinct from
        (new.position, new.person, new.purpose, new.version, new.given, new.at))
    execute function refuse_change();
create trigger consent_stays before delete or truncate on consent
    for each statement execute function refuse_change();
"""

GRANTS = {
    "consent": "select, insert (person, purpose, version, given, at, origin), update (origin)",
    "personal_export": "select, insert,"
    " update (state, claimed_until, run, ready_at, expires_at, fetched_at, pieces, bytes)",
    "personal_export_piece": "select, insert, delete",
    "erasure": "select, insert, update (kept_at, begun_at, done_at, retained_until)",
    "retained_record": "select, insert, update (body, released_at)",
    "session": "update (origin)",
    "merge_request": "update (reason)",
}
"""What the application may do. Where a session came from, and why two people are one, it may forget."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what people agreed to is never taken down")
