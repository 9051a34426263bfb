"""Campaigns as their brands see them, and as staff does who looks after them."""
