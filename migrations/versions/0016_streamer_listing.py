"""Streamers as brands find them: what is searched by, in one row for each who may be found, in plain columns.

It repeats what other tables know, and a job makes it right again whatever happened: nothing here is anybody's word.
What there may be several of is a text, sorted and with commas: to count by a text costs a fifth of what an array does.
"""

from alembic import context, op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
create table streamer_listing (
    streamer uuid primary key references streamer (id) on delete cascade,
    country text not null,
    language text not null,
    rating text not null,
    categories text not null,
    platforms text not null,
    average_viewers integer,
    constraint streamer_listing_viewers check (average_viewers >= 0)
) with (fillfactor = 70);
create index streamer_listing_by_viewers on streamer_listing ((coalesce(average_viewers, -1)), streamer);
create index streamer_listing_by_trait on streamer_listing
    using gin ((array[country, language, rating] || string_to_array(categories || ',' || platforms, ',')))
    with (fastupdate = off);
comment on table streamer_listing is 'What brands find a streamer by; null is what nobody knows.';
"""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    changed = "country, language, rating, categories, platforms, average_viewers"
    op.execute(f"grant select, insert, delete, update ({changed}) on streamer_listing to {app}")


def downgrade() -> None:
    raise NotImplementedError("brands find streamers by it")
