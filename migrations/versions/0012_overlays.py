"""Overlays: pages that streamers lay over their picture, what is raised on them, and who switched them off.

A streamer's own words stand here only sealed with the person's key, and of a token there is a keyed digest alone.
"""

from alembic import context, op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
create table overlay (
    id uuid primary key,
    streamer uuid not null references streamer (id) on delete cascade,
    digest bytea not null,
    words bytea not null,
    goal_reached bigint,
    goal_target bigint,
    width integer not null,
    height integer not null,
    place text not null,
    theme text not null,
    safe_area integer not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    renewed_at timestamptz not null,
    revoked_at timestamptz,
    version integer not null default 1,
    sequence bigint not null default 0,
    constraint overlay_digest unique (digest),
    constraint overlay_size check (width between 120 and 7680 and height between 120 and 7680),
    constraint overlay_place check (place in ('top_left', 'top', 'top_right', 'center', 'bottom_left', 'bottom',
        'bottom_right')),
    constraint overlay_theme check (theme in ('midnight', 'daylight', 'neon')),
    constraint overlay_safe_area check (safe_area between 0 and 20),
    constraint overlay_goal check ((goal_reached is null) = (goal_target is null) and goal_reached >= 0
        and goal_target >= 1)
) with (fillfactor = 70);
create index overlay_of_streamer on overlay (streamer) where revoked_at is null;
comment on table overlay is 'A page that a streamer lays over their picture; whoever has its token sees what it shows.';

create table overlay_alert (
    overlay uuid not null references overlay (id) on delete cascade,
    sequence bigint not null,
    body bytea not null,
    is_test boolean not null,
    raised_at timestamptz not null,
    constraint overlay_alert_once primary key (overlay, sequence)
);
comment on table overlay_alert is 'Something that an overlay shows once; gone when it is too old to be told.';

create table overlay_stop (
    streamer uuid not null references streamer (id) on delete cascade,
    side text not null,
    since timestamptz not null,
    reason bytea,
    constraint overlay_stop_once primary key (streamer, side),
    constraint overlay_stop_side check (side in ('streamer', 'staff')),
    constraint overlay_stop_reason check ((side = 'staff') = (reason is not null))
);
comment on table overlay_stop is 'All overlays of a streamer are off while there is one of these, of either side.';
"""

# Whoever holds pages open hears of it as of a change of what their streamer may do, and looks.
TELLS = """
create function tell_overlay() returns trigger language plpgsql as $$
declare
    concerned uuid;
begin
    if tg_op = 'DELETE' then
        concerned := old.streamer;
    else
        concerned := new.streamer;
    end if;
    perform pg_notify('standing', person::text) from streamer where id = concerned;
    return null;
end $$
"""
TRIGGERS = (
    (
        "create trigger overlay_tells after update of digest, revoked_at or delete on overlay"
        " for each row execute function tell_overlay()"
    ),
    (
        "create trigger overlay_stop_tells after insert or delete on overlay_stop"
        " for each row execute function tell_overlay()"
    ),
)

GRANTS = {
    "overlay": "select, insert, update (digest, words, goal_reached, goal_target, width, height, place, theme,"
    " safe_area, changed_at, renewed_at, revoked_at, version, sequence)",
    "overlay_alert": "select, insert, delete",
    "overlay_stop": "select, insert, delete",
}
"""What the application may do. Overlays go with their streamer."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    for statement in (TELLS, *TRIGGERS):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what streamers show is never taken down")
