"""Messages on PostgreSQL."""
