"""Runs the migrations of data keys on the connection, and in the transaction, that adapters/postgres/migrate.py opened.

They count by themselves, for their database may be the application's own.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="data_key_version")
context.run_migrations()
