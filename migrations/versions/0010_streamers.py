"""Streamers, and the accounts on other platforms that they proved to be theirs.

What names somebody stands here only sealed with the person's own key; what brands will search by stands plain, and all
of it goes with the person. Of a code there is a keyed digest alone.
"""

from alembic import context, op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
create table streamer (
    id uuid primary key,
    person uuid not null references person (id),
    display_name bytea not null,
    schedule bytea not null,
    categories text[] not null,
    language text not null,
    rating text not null,
    country text not null,
    time_zone text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    version integer not null default 1,
    constraint streamer_once unique (person),
    constraint streamer_categories check (cardinality(categories) between 1 and 5),
    constraint streamer_language check (language ~ '^[a-z]{2}$'),
    constraint streamer_rating check (rating in ('everyone', 'teen', 'mature')),
    constraint streamer_country check (country ~ '^[A-Z]{2}$')
) with (fillfactor = 70);
comment on table streamer is 'Somebody who streams, as brands see them; a person is one streamer.';

create table platform_link (
    id uuid primary key,
    streamer uuid not null references streamer (id) on delete cascade,
    platform text not null,
    account bytea not null,
    account_index bytea not null,
    code_digest bytea not null,
    code_expires_at timestamptz not null,
    state text not null,
    asked_at timestamptz not null,
    placed_at timestamptz,
    decided_at timestamptz,
    ended_at timestamptz,
    reason bytea,
    constraint platform_link_platform check (platform in ('tiktok', 'facebook')),
    constraint platform_link_state check (state in ('offered', 'placed', 'confirmed', 'rejected', 'unlinked')),
    constraint platform_link_placed check (state not in ('placed', 'confirmed', 'rejected') or placed_at is not null),
    constraint platform_link_decided check (state not in ('confirmed', 'rejected') or decided_at is not null),
    constraint platform_link_ended check ((state = 'unlinked') = (ended_at is not null))
) with (fillfactor = 70);
create unique index platform_link_open on platform_link (streamer, platform)
    where state in ('offered', 'placed', 'confirmed');
create unique index platform_link_held on platform_link (platform, account_index) where state = 'confirmed';
create index platform_link_to_check on platform_link (id) where state = 'placed';
create index platform_link_of_streamer on platform_link (streamer, asked_at);
comment on table platform_link is 'A streamer''s claim to an account: offered a code, placed it, confirmed by staff.';
"""

GRANTS = {
    "streamer": "select, insert, delete, update (display_name, schedule, categories, language, rating, country,"
    " time_zone, changed_at, version)",
    "platform_link": "select, insert, update (state, placed_at, decided_at, ended_at, reason)",
}
"""What the application may do. A streamer goes with their person, and links go along, those of that moment, too."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("who streamers are is never taken down")
