"""Overlays on PostgreSQL."""
