"""Invoices on paper: how they are written as PDF, and the door that they are fetched by."""
