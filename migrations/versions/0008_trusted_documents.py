"""Documents that clients may send, for deployments that do not ship them with the program.

Rows are never changed nor taken away: a client that somebody still has open asks by the id that it was built with.
Their order is that in which they were committed, so that who read up to a position has missed none before it.
"""

from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
create table trusted_document (
    position bigint generated always as identity primary key,
    client text not null,
    sha256 bytea not null,
    text text not null,
    uploaded_by text not null,
    uploaded_at timestamptz not null default clock_timestamp(),
    constraint trusted_document_once unique (client, sha256),
    constraint trusted_document_digest check (sha256 = sha256(convert_to(text, 'UTF8'))),
    constraint trusted_document_client check (client in ('brand', 'streamer', 'player', 'admin', 'overlay'))
);
comment on table trusted_document is 'Append-only: what clients of ours ask, and who said so.';

create trigger trusted_document_append_only before update on trusted_document for each row
    execute function refuse_change();
create trigger trusted_document_stays before delete or truncate on trusted_document
    for each statement execute function refuse_change();
"""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant select, insert (client, sha256, text, uploaded_by) on trusted_document to {app}")


def downgrade() -> None:
    raise NotImplementedError("what clients were built with is never taken down")
