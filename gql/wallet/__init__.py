"""The wallet in the schema."""
