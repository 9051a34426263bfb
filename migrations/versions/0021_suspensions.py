"""Staff stops a campaign, whatever its brand wants, and only staff lets it go on."""

from alembic import context, op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table campaign add column suspended_at timestamptz, add column was_paused boolean",
    "alter table campaign drop constraint campaign_state",
    """
    alter table campaign add constraint campaign_state check (
        state in ('draft', 'in_review', 'approved', 'active', 'paused', 'suspended', 'completed', 'cancelled'))
    """,
    "alter table campaign drop constraint campaign_launched",
    """
    alter table campaign add constraint campaign_launched check (
        case when state in ('active', 'paused', 'suspended', 'completed') then launched_at is not null
            when state = 'cancelled' then true else launched_at is null end)
    """,
    """
    alter table campaign add constraint campaign_suspended check (
        (state = 'suspended') = (suspended_at is not null) and (suspended_at is null) = (was_paused is null))
    """,
    "comment on column campaign.suspended_at is 'Since when staff has stopped it; its reason says why.'",
    "comment on column campaign.was_paused is 'Whether its brand had paused it when staff stopped it.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant update (suspended_at, was_paused) on campaign to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was stopped is never taken down")
