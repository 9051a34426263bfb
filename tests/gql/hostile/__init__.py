"""Requests that are meant to hurt, and what becomes of them."""
