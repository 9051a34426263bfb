"""Assets on PostgreSQL: what is known of files; the files themselves lie elsewhere."""
