"""Speaks GraphQL: no SQL, no vendor, no rule about money."""
