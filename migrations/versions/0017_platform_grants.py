"""Accounts at platforms that say themselves whose they are, and what those platforms granted us for them.

A grant outlives its link: when the link goes, with its streamer or alone, the grant is for nothing and a job gives it
back to the platform before it is forgotten. Its tokens stand here only sealed with the key of the house.
"""

from alembic import context, op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LINKS = """
alter table platform_link
    alter column code_digest drop not null,
    alter column code_expires_at drop not null,
    drop constraint platform_link_platform,
    drop constraint platform_link_state,
    drop constraint platform_link_placed,
    drop constraint platform_link_ended,
    add constraint platform_link_platform check (platform in ('tiktok', 'facebook', 'twitch')),
    add constraint platform_link_state check (
        state in ('offered', 'placed', 'confirmed', 'rejected', 'unlinked', 'withdrawn')),
    add constraint platform_link_code check (
        (code_digest is not null) = (platform in ('tiktok', 'facebook'))
        and (code_expires_at is not null) = (code_digest is not null)),
    add constraint platform_link_placed check (
        code_digest is null or state not in ('placed', 'confirmed', 'rejected') or placed_at is not null),
    add constraint platform_link_vouched check (
        code_digest is not null or state in ('confirmed', 'unlinked', 'withdrawn')),
    add constraint platform_link_ended check ((state in ('unlinked', 'withdrawn')) = (ended_at is not null));
comment on table platform_link is
    'A streamer''s claim to an account: by a code that staff reads, or by the word of the platform itself.';

create table platform_grant (
    id uuid primary key,
    platform text not null,
    link uuid unique references platform_link (id) on delete set null,
    tokens bytea not null,
    granted_at timestamptz not null,
    due_at timestamptz not null,
    leased_until timestamptz,
    constraint platform_grant_platform check (platform in ('twitch'))
) with (fillfactor = 70);
create index platform_grant_due on platform_grant (due_at);
comment on table platform_grant is 'What a platform granted us for an account; for no link any more: to be given back.';
"""

GRANT = "select, insert, delete, update (link, tokens, due_at, leased_until)"


def upgrade() -> None:
    for statement in LINKS.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(f"grant {GRANT} on platform_grant to {app}")


def downgrade() -> None:
    raise NotImplementedError("what platforms granted is never forgotten before it is given back")
