"""YouTube among the platforms, the units that it lets us ask by in a day, and samples that are forgotten in time.

Where giving one grant back ends all that an account granted us, one must know which account granted it.
"""

from alembic import context, op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = """
alter table platform_link
    drop constraint platform_link_platform,
    add constraint platform_link_platform check (platform in ('tiktok', 'facebook', 'twitch', 'youtube'));
alter table platform_grant
    add column account_index bytea,
    drop constraint platform_grant_platform,
    add constraint platform_grant_platform check (platform in ('twitch', 'youtube'));
create index platform_grant_account on platform_grant (platform, account_index);
comment on column platform_grant.account_index is 'Which account granted it, by the digest that its link has.';

create table platform_units (
    platform text not null,
    day date not null,
    spent integer not null,
    primary key (platform, day),
    constraint platform_units_spent check (spent >= 0)
) with (fillfactor = 70);
comment on table platform_units is 'How much of what a platform allows in a day we have asked.';

create index viewer_sample_by_time on viewer_sample using brin (at);
"""

GRANTS = {
    "platform_units": "select, insert, update (spent)",
    "viewer_sample": "delete",
}
"""What the application may do besides."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("links to accounts at YouTube are not forgotten")
