"""Earnings on PostgreSQL."""
