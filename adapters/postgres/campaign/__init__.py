"""Campaigns on PostgreSQL: where each stands, and every plan that it ever had."""
