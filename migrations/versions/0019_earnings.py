"""Earnings: what overlays reported, and what became of each minute of a participation.

Seconds that were seen are the bits of a number, so that hearing of one again changes nothing. What a minute cost and
what that was computed from stand in its row; the money itself lies in the ledger, under ids that are the minute's own.
"""

from alembic import context, op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = """
create table earning (
    participation uuid primary key references participation (id),
    campaign uuid not null references campaign (id),
    take integer not null,
    withholding_tax integer not null,
    value_added_tax integer not null,
    minutes integer not null default 0,
    viewers bigint not null default 0,
    gross bigint not null default 0,
    cost bigint not null default 0,
    seq bigint not null default 0,
    begun_at timestamptz not null,
    constraint earning_rates check (take between 0 and 10000 and withholding_tax between 0 and 10000
        and value_added_tax between 0 and 10000),
    constraint earning_totals check (minutes >= 0 and viewers >= 0 and gross >= 0 and cost >= gross)
) with (fillfactor = 50);
create index earning_of_campaign on earning (campaign);
comment on table earning is 'What a participation was paid for so far, at rates of when it began.';

create table earning_minute (
    participation uuid not null references earning (participation),
    minute timestamptz not null,
    streamer uuid not null,
    state text not null default 'open',
    approved boolean not null default false,
    reason text not null default '',
    person uuid,
    day timestamptz,
    viewers integer,
    before_minutes integer,
    before_viewers bigint,
    before_gross bigint,
    before_cost bigint,
    earned bigint,
    take bigint,
    withheld bigint,
    added bigint,
    kept_gross bigint,
    seq bigint not null default 0,
    closed_at timestamptz,
    released_at timestamptz,
    primary key (participation, minute),
    constraint earning_minute_state check (
        state in ('open', 'review', 'deciding', 'held', 'releasing', 'frozen', 'reducing', 'returning', 'paid',
            'returned', 'unpaid', 'appealed')),
    constraint earning_minute_whole check (minute = date_trunc('minute', minute, 'UTC')),
    constraint earning_minute_priced check (
        num_nulls(person, day, viewers, before_minutes, before_viewers, before_gross, before_cost, earned, take,
            withheld, added) in (0, 10, 11)
        and (state in ('open', 'review', 'unpaid', 'appealed') or earned is not null)),
    constraint earning_minute_kept check (kept_gross between 0 and earned + take + withheld),
    constraint earning_minute_parts check (earned >= 0 and take >= 0 and withheld >= 0 and added >= 0),
    constraint earning_minute_closed check ((state = 'open') = (closed_at is null)),
    constraint earning_minute_released check ((state = 'paid') = (released_at is not null))
) with (fillfactor = 70);
create unique index earning_minute_deciding on earning_minute (participation) where state = 'deciding';
create index earning_minute_open on earning_minute (participation, minute) where state = 'open';
create index earning_minute_asked on earning_minute (state, minute, participation)
    where state in ('deciding', 'releasing', 'reducing', 'returning');
create index earning_minute_held on earning_minute (closed_at) where state = 'held';
create index earning_minute_review on earning_minute (minute, participation) where state = 'review';
create index earning_minute_of_streamer on earning_minute (streamer, minute);
create index earning_minute_seq on earning_minute (participation, seq);
comment on table earning_minute is 'Where a minute of a participation stands, what it cost, and by which figures.';
comment on column earning_minute.person is 'Whose account the money goes to: as named by the ledger, whoever they are.';

create table dispute (
    id uuid primary key,
    participation uuid not null references earning (participation),
    side text not null,
    person uuid not null references person (id),
    reason bytea,
    opened_at timestamptz not null,
    ruling text,
    decided_at timestamptz,
    constraint dispute_side check (side in ('brand', 'streamer')),
    constraint dispute_ruling check (ruling in ('upheld', 'reduced', 'rejected')),
    constraint dispute_decided check ((ruling is null) = (decided_at is null))
) with (fillfactor = 70);
create index dispute_of_participation on dispute (participation, id);
create index dispute_of_person on dispute (person);
create index dispute_to_decide on dispute (id) where ruling is null;
comment on table dispute is 'What one side says against minutes, in words sealed with their own key.';

create table dispute_minute (
    dispute uuid not null references dispute (id),
    participation uuid not null,
    minute timestamptz not null,
    primary key (dispute, minute),
    constraint dispute_minute_is foreign key (participation, minute) references earning_minute (participation, minute)
);
create index dispute_minute_of on dispute_minute (participation, minute);
comment on table dispute_minute is 'A minute that a dispute names, and stops.';

create table evidence (
    participation uuid not null,
    minute timestamptz not null,
    creative uuid not null,
    overlay uuid not null,
    seconds bigint not null,
    since timestamptz not null,
    primary key (participation, minute, creative, overlay),
    constraint evidence_minute foreign key (participation, minute) references earning_minute (participation, minute),
    constraint evidence_seconds check (seconds > 0 and seconds < 1152921504606846976)
) with (fillfactor = 70);
comment on table evidence is 'In which seconds of a minute an overlay showed a creative, since when we know.';

create table earning_share (
    participation uuid not null,
    minute timestamptz not null,
    creative uuid not null,
    seconds smallint not null,
    gross bigint not null,
    primary key (participation, minute, creative),
    constraint earning_share_minute foreign key (participation, minute)
        references earning_minute (participation, minute),
    constraint earning_share_figures check (seconds between 0 and 60 and gross >= 0)
);
comment on table earning_share is 'How long each creative showed in a minute, and its part of the price.';

create table earning_hour (
    participation uuid not null references earning (participation),
    hour timestamptz not null,
    creative uuid not null,
    campaign uuid not null,
    seconds bigint not null default 0,
    impressions bigint not null default 0,
    viewer_minutes bigint not null default 0,
    gross bigint not null default 0,
    cost bigint not null default 0,
    returned bigint not null default 0,
    earned bigint not null default 0,
    forgone bigint not null default 0,
    primary key (participation, hour, creative),
    constraint earning_hour_figures check (
        least(seconds, impressions, viewer_minutes, gross, cost, returned, earned, forgone) >= 0)
) with (fillfactor = 50);
create index earning_hour_of_campaign on earning_hour (campaign, hour);
comment on table earning_hour is 'What an hour''s minutes come to, by creative: hours of the campaign''s own days.';
comment on column earning_hour.returned is 'Of the cost, what disputes gave back to the campaign.';
comment on column earning_hour.forgone is 'Of what was earned, what disputes took from the streamer.';

create table campaign_day (
    campaign uuid not null references campaign (id),
    starts timestamptz not null,
    cost bigint not null default 0,
    primary key (campaign, starts),
    constraint campaign_day_cost check (cost >= 0)
) with (fillfactor = 50);
comment on table campaign_day is 'What a campaign spent on a day of its own zone, by the day''s beginning.';
"""

GRANTS = {
    "earning": "select, insert (participation, campaign, take, withholding_tax, value_added_tax, begun_at),"
    " update (minutes, viewers, gross, cost, seq)",
    "earning_minute": "select, insert (participation, minute, streamer), update (state, approved, reason, person,"
    " day, viewers, before_minutes, before_viewers, before_gross, before_cost, earned, take, withheld, added,"
    " kept_gross, seq, closed_at, released_at)",
    "dispute": "select, insert (id, participation, side, person, reason, opened_at), update (reason, ruling,"
    " decided_at)",
    "dispute_minute": "select, insert",
    "evidence": "select, insert, update (seconds)",
    "earning_share": "select, insert",
    "earning_hour": "select, insert, update (seconds, impressions, viewer_minutes, gross, cost, returned,"
    " earned, forgone)",
    "campaign_day": "select, insert (campaign, starts), update (cost)",
}
"""What the application may do. Nothing of it is deleted, and no share changed."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what was earned is never taken down")
