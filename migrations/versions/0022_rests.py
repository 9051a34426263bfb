"""A campaign, or one participation in it, that has spent what it may by now is shown no more for a while."""

from alembic import context, op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    alter table campaign add column rest text, add column rests_until timestamptz, add column rest_version integer,
        add constraint campaign_rest check (rest in ('daily_cap', 'ahead_of_pace')),
        add constraint campaign_rests check (num_nulls(rest, rests_until, rest_version) in (0, 3))
    """,
    "create index campaign_rests_now on campaign (id) where rest is not null",
    "comment on column campaign.rest is 'Which bound keeps it from being shown until `rests_until`.'",
    "comment on column campaign.rest_version is 'By which plan: another may let it spend more.'",
    """
    alter table earning add column rest text,
        add constraint earning_rest check (rest in ('streamer_cap', 'minutes_used'))
    """,
    "create index earning_rests_now on earning (participation) where rest is not null",
    "comment on column earning.rest is 'Which bound of its own keeps the participation from being shown.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant update (rest, rests_until, rest_version) on campaign to {app}")
    op.execute(f"grant update (rest) on earning to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was spent is never taken down")
