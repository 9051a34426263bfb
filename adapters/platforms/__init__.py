"""Platforms that streamers are on, spoken to over HTTP."""

from typing import Final

HELIX: Final = "https://api.twitch.tv/helix"
SECRET_LENGTHS: Final = range(10, 101)
"""How many ASCII characters the secret may have that Twitch signs with."""
