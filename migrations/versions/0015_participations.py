"""Who takes part in campaigns, and what was offered and agreed.

What is agreed stands in the participation, with the version of the campaign that it was offered under, and is written
once. A participation outlives its streamer's profile, for money was paid for it: of an erased streamer it names nobody.
"""

from alembic import context, op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = """
create table participation (
    id uuid primary key,
    campaign uuid not null references campaign (id),
    streamer uuid references streamer (id) on delete set null,
    person uuid not null references person (id),
    begun_by text not null,
    state text not null,
    seq bigint not null default 1,
    campaign_version integer,
    pricing text,
    rate bigint,
    currency text,
    minutes integer,
    agreed_at timestamptz,
    disclosed_at timestamptz,
    live_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz not null,
    constraint participation_under foreign key (campaign, campaign_version)
        references campaign_version (campaign, version),
    constraint participation_begun_by check (begun_by in ('brand', 'streamer')),
    constraint participation_state check (
        state in ('applied', 'invited', 'accepted', 'live', 'completed', 'rejected', 'withdrawn')),
    constraint participation_agreed check (
        num_nulls(campaign_version, pricing, rate, currency, minutes, agreed_at) in (0, 6)
        and (state not in ('accepted', 'live', 'completed') or agreed_at is not null)
        and (state not in ('applied', 'invited', 'rejected') or agreed_at is null)),
    constraint participation_terms check (pricing in ('cpm', 'flat') and rate > 0 and minutes > 0),
    constraint participation_live check (
        (state not in ('live', 'completed') or live_at is not null)
        and (live_at is null or (disclosed_at is not null and agreed_at is not null))),
    constraint participation_ended check (
        (state in ('completed', 'rejected', 'withdrawn')) = (ended_at is not null))
) with (fillfactor = 70);
create unique index participation_once on participation (campaign, streamer)
    where state in ('applied', 'invited', 'accepted', 'live');
create index participation_of_campaign on participation (campaign, id);
create index participation_of_person on participation (person, id);
create index participation_of_streamer on participation (streamer) where streamer is not null;
comment on table participation is 'A streamer in a campaign; the terms are what was agreed, and are written once.';

create table offer (
    participation uuid not null references participation (id),
    number integer not null,
    side text not null,
    campaign uuid not null,
    campaign_version integer not null,
    pricing text not null,
    rate bigint not null,
    currency text not null,
    minutes integer not null,
    state text not null default 'open',
    made_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (participation, number),
    constraint offer_under foreign key (campaign, campaign_version) references campaign_version (campaign, version),
    constraint offer_side check (side in ('brand', 'streamer')),
    constraint offer_pricing check (pricing in ('cpm', 'flat')),
    constraint offer_amount check (rate > 0 and minutes > 0),
    constraint offer_state check (state in ('open', 'accepted', 'countered', 'closed'))
) with (fillfactor = 70);
create unique index offer_open on offer (participation) where state = 'open';
create index offer_expires on offer (expires_at) where state = 'open';
comment on table offer is 'Terms that one side offers the other; at most one of a participation is open.';
"""

GRANTS = {
    "participation": "select, insert (id, campaign, streamer, person, begun_by, state, created_at), update (state, seq,"
    " campaign_version, pricing, rate, currency, minutes, agreed_at, disclosed_at, live_at, ended_at)",
    "offer": "select, insert, update (state)",
}
"""What the application may do. Nothing of it is deleted."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("participations are never taken down")
