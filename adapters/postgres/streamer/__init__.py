"""Streamers on PostgreSQL."""
