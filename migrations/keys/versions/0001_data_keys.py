"""One wrapped key for each person; of a destroyed one a tombstone stays, and nothing brings the key back.

A key whose person never came to be leaves nothing.
"""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A destroyed key's old row must not lie about for long: any single change calls the vacuum.
TABLE = """
create table data_key (
    person uuid primary key,
    wrapped bytea,
    master text,
    created_at timestamptz not null default now(),
    destroyed_at timestamptz,
    constraint data_key_whole_or_destroyed check (
        (wrapped is null) = (destroyed_at is not null) and (wrapped is null) = (master is null)
    )
) with (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)
"""
BY_MASTER = "create index data_key_by_master on data_key (master, person) where wrapped is not null"

REFUSE_TO_RESTORE = """
create function refuse_to_restore_key() returns trigger language plpgsql as $$
begin
    raise exception 'the data key of person % was destroyed and stays so', old.person using errcode = 'check_violation';
end $$
"""
STAYS_DESTROYED = """
create trigger data_key_stays_destroyed before update or delete on data_key for each row
when (old.destroyed_at is not null) execute function refuse_to_restore_key()
"""


def upgrade() -> None:
    role = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for statement in (TABLE, BY_MASTER, REFUSE_TO_RESTORE, STAYS_DESTROYED):
        op.execute(statement)
    op.execute(
        "grant select, insert (person, wrapped, master, destroyed_at), update (wrapped, master, destroyed_at), delete "
        f"on data_key to {role}"
    )
    op.execute(f"grant select on data_key_version to {role}")


def downgrade() -> None:
    raise NotImplementedError("data keys are never taken down")
