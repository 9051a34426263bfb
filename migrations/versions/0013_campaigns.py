"""Campaigns: what brands pay for. A plan is a row of its own for each edit, written once and never changed.

So what was agreed under one version stays what it was. The money lies in the ledger, in the escrow account of
`campaign:<id>`, and nowhere here.
"""

from alembic import context, op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
create table campaign (
    id uuid primary key,
    brand uuid not null references brand (id),
    state text not null default 'draft',
    version integer not null default 1,
    seq bigint not null default 1,
    reason text not null default '',
    created_at timestamptz not null,
    launched_at timestamptz,
    ended_at timestamptz,
    constraint campaign_state check (
        state in ('draft', 'in_review', 'approved', 'active', 'paused', 'completed', 'cancelled')),
    constraint campaign_launched check (
        case when state in ('active', 'paused', 'completed') then launched_at is not null
            when state = 'cancelled' then true else launched_at is null end),
    constraint campaign_ended check ((state in ('completed', 'cancelled')) = (ended_at is not null))
) with (fillfactor = 70);
create index campaign_of_brand on campaign (brand, created_at, id);
create index campaign_open on campaign (launched_at, id) where state = 'active';
create index campaign_by_state on campaign (state, created_at, id);
comment on table campaign is 'What a brand pays for; its escrow is the ledger''s account of campaign:<id>.';

create table campaign_version (
    campaign uuid not null references campaign (id),
    version integer not null,
    made_at timestamptz not null,
    title text not null,
    description text not null,
    link text not null,
    currency text not null,
    budget bigint not null,
    pricing text not null,
    rate bigint not null,
    minutes integer not null,
    daily_cap bigint,
    streamer_cap bigint,
    pacing text not null,
    starts_on date not null,
    ends_on date not null,
    time_zone text not null,
    platforms text[] not null,
    countries text[] not null,
    languages text[] not null,
    categories text[] not null,
    highest_rating text not null,
    least_viewers integer not null,
    avoided text[] not null,
    primary key (campaign, version),
    constraint campaign_version_pricing check (pricing in ('cpm', 'flat')),
    constraint campaign_version_pacing check (pacing in ('even', 'front_loaded')),
    constraint campaign_version_rating check (highest_rating in ('everyone', 'teen', 'mature')),
    constraint campaign_version_money check (
        budget > 0 and rate > 0 and minutes > 0 and coalesce(daily_cap, 1) > 0 and coalesce(streamer_cap, 1) > 0),
    constraint campaign_version_days check (starts_on <= ends_on)
);
comment on table campaign_version is 'A plan as it once was or is; the campaign names the one in force.';

alter table campaign add constraint campaign_has_its_version foreign key (id, version)
    references campaign_version (campaign, version) deferrable initially deferred;
"""

GRANTS = {
    "campaign": "select, insert (id, brand, created_at), update (state, version, seq, reason, launched_at, ended_at)",
    "campaign_version": "select, insert",
}
"""What the application may do. Nothing of it is deleted, and no version changed."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("campaigns are never taken down")
