"""Typed operations of the clients."""
