"""Invoices on PostgreSQL."""
