"""Whether a streamer is live anywhere, and how often that has changed: what those who follow them are told by."""

from alembic import context, op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = """
create table streamer_live (
    streamer uuid primary key references streamer (id) on delete cascade,
    is_live boolean not null default false,
    seq bigint not null default 0
) with (fillfactor = 70);
comment on table streamer_live is 'Whether a streamer is live by the sessions of all their accounts, as was told last.';
"""


def upgrade() -> None:
    for statement in TABLE.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant select, insert, update (is_live, seq) on streamer_live to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was told is never taken down")
