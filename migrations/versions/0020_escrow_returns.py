"""A campaign that has ended is not done before its escrow is empty, which may take until the last ruling."""

from alembic import context, op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table campaign add column emptied_at timestamptz",
    """
    alter table campaign add constraint campaign_emptied check (
        emptied_at is null or (launched_at is not null and ended_at is not null))
    """,
    """
    create index campaign_to_empty on campaign (ended_at, id)
        where launched_at is not null and emptied_at is null and ended_at is not null
    """,
    "comment on column campaign.emptied_at is 'When nothing was left in its escrow after it had ended.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant update (emptied_at) on campaign to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was returned is never taken down")
