"""Invoices: what a brand spent in a month, numbered without a gap and never changed."""
