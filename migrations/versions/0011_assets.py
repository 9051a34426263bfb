"""Files that people give us: who sent what, what it turned out to be, and what uses it.

The files lie elsewhere, under names made of the asset's id alone. What somebody called a file is sealed with their key;
personal files are, too, and with the key they are gone: the row stays, and says so.
"""

from alembic import context, op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
create table asset (
    id uuid primary key,
    owner text not null,
    purpose text not null,
    uploader uuid not null references person (id),
    is_personal boolean not null,
    file_name bytea,
    token bytea not null unique,
    media_type text not null,
    length bigint not null,
    sha256 bytea not null,
    state text not null default 'awaited',
    flaw text,
    renditions jsonb not null default '[]',
    cleared boolean not null default false,
    created_at timestamptz not null,
    upload_until timestamptz not null,
    decided_at timestamptz,
    constraint asset_owner check (owner ~ '^(brand|person):[0-9a-f-]{36}$'),
    constraint asset_purpose check (purpose in ('brand_document', 'brand_logo', 'streamer_avatar', 'creative')),
    constraint asset_length check (length > 0 and octet_length(sha256) = 32),
    constraint asset_state check (state in ('awaited', 'ready', 'refused', 'expired', 'gone')),
    constraint asset_flaw check ((state = 'refused') = (flaw is not null)),
    constraint asset_decided check ((state = 'awaited') = (decided_at is null)),
    constraint asset_renditions check ((state = 'ready') = (jsonb_array_length(renditions) > 0))
) with (fillfactor = 70);
create index asset_awaited on asset (upload_until) where state = 'awaited';
create index asset_to_clear on asset (upload_until) where not cleared and state <> 'awaited';
create index asset_by_uploader on asset (uploader);
comment on table asset is 'A file that somebody sent or is about to. Sent to with a token; checked before it is ready.';

alter table brand add column logo uuid references asset (id);
alter table brand add column documents uuid[] not null default '{}';
alter table streamer add column avatar uuid references asset (id);
"""

GRANTS = {
    "asset": "select, insert (id, owner, purpose, uploader, is_personal, file_name, token, media_type, length, sha256,"
    " created_at, upload_until), update (file_name, state, flaw, renditions, cleared, decided_at)",
    "brand": "update (logo, documents)",
    "streamer": "update (avatar)",
}
"""What the application may do. What a file was said to be, and whose it is, never changes."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("what people sent is never taken down")
