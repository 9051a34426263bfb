"""What campaigns show. A creative is never edited, but replaced by another, which a moderator looks at anew."""

from alembic import context, op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
create table creative (
    id uuid primary key,
    campaign uuid not null references campaign (id),
    kind text not null,
    body text not null default '',
    asset uuid references asset (id),
    replaces uuid references creative (id),
    state text not null default 'pending',
    reason text not null default '',
    created_at timestamptz not null,
    decided_at timestamptz,
    constraint creative_kind check (kind in ('html', 'image', 'video')),
    constraint creative_content check ((kind = 'html') = (body <> '') and (kind = 'html') = (asset is null)),
    constraint creative_state check (state in ('pending', 'approved', 'rejected', 'retired')),
    constraint creative_decided check (state not in ('approved', 'rejected') or decided_at is not null)
) with (fillfactor = 70);
create index creative_of_campaign on creative (campaign, created_at, id);
create index creative_replaces on creative (replaces) where replaces is not null;
create index creative_to_review on creative (created_at, id) where state = 'pending';
comment on table creative is 'Something to show of a campaign; never edited, but replaced by another.';
"""

GRANTS = {
    "creative": "select, insert (id, campaign, kind, body, asset, replaces, created_at), update (state, reason,"
    " decided_at)",
}
"""What the application may do. Nothing of it is deleted."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was shown is never taken down")
