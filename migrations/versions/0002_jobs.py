"""The job queue: PgQueuer's own tables, as its own release declares them, and what the application may do with them."""

from alembic import context, op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    queue = QueryBuilderEnvironment()
    script = queue.build_install_query(create_schema=False)
    # Many statements in one text: the driver runs it whole, inside the transaction that is already open.
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(script))

    tables = queue.qualified
    app_role = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table in (tables.queue_table, tables.schedules_table):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {app_role}")
    for table in (tables.queue_table_log, tables.statistics_table):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {app_role}")
    for table in (tables.queue_table, tables.queue_table_log, tables.statistics_table, tables.schedules_table):
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {app_role}")
