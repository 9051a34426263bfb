"""Brands on PostgreSQL: profiles, members, and invitations whose addresses are sealed."""
