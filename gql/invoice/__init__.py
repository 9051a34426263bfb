"""Invoices, as brands and staff see them."""
