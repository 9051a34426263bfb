"""Overlays: pages that streamers lay over their picture, and what those show."""
