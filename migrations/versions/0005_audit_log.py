"""The audit log of what people do: append-only, in the same sealed chain as the ledger, personal data only encrypted.

A deed takes its position from the ledger's sequence, so that one chain and one audit cover both. What is personal is
encrypted before it comes here, and the digest is over what is encrypted: erasing a person breaks no chain.
"""

from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

POSITION = "case when pg_current_xact_id() is not null then nextval('journal_position') end"
"""As for every sealed row: the writer has a transaction number before it takes a position."""

TABLES = f"""
create table deed (
    position bigint primary key default {POSITION},
    id uuid not null,
    recorded_at timestamptz not null default clock_timestamp(),
    actor uuid,
    session uuid,
    impersonator uuid,
    action text not null,
    target text not null,
    about uuid,
    request_id text,
    detail text,
    encrypted_detail bytea,
    encrypted_origin bytea,
    constraint deed_id unique (id),
    constraint deed_detail check (detail is null or (about is null and encrypted_detail is null)),
    constraint deed_encrypted_detail check (encrypted_detail is null or about is not null)
);
create index deed_by_actor on deed (actor, position) where actor is not null;
create index deed_by_impersonator on deed (impersonator, position) where impersonator is not null;
create index deed_by_target on deed (target, position);
create index deed_by_about on deed (about, position) where about is not null;
create index deed_by_action on deed (action, position);
create index deed_by_time on deed (recorded_at);
comment on table deed is
    'Append-only: who did what to what; an empty encrypted_ column had no key left when the deed was done.';
comment on table seal is
    'Append-only: keyed chain over committed rows; marks = (code of the table, 7 bytes of position, 16 bytes) each.';
"""

DEED_DIGEST = """
create function deed_digest(d deed) returns bytea language sql stable parallel safe as $$
    select sha256(record_send(row(
        d.position, d.id, d.recorded_at, d.actor, d.session, d.impersonator, d.action, d.target, d.about,
        d.request_id, d.detail, d.encrypted_detail, d.encrypted_origin)))
$$
"""

GIVEN = (
    "id, actor, session, impersonator, action, target, about, request_id, detail, encrypted_detail, encrypted_origin"
)
"""What the application may give of a new deed. Its position and time are for the database alone to say."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    op.execute(DEED_DIGEST)
    op.execute(
        "create trigger deed_append_only before update or delete or truncate on deed "
        "for each statement execute function refuse_change()"
    )
    role = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant select, insert ({GIVEN}) on deed to {role}")


def downgrade() -> None:
    raise NotImplementedError("what was done is never taken down")
