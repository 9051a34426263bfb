"""Campaigns: what a brand pays for, whom it asks, what they agree on, and what is shown."""
