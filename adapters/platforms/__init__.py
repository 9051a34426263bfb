"""Platforms that streamers are on, spoken to over HTTP."""

from typing import Final

HELIX: Final = "https://api.twitch.tv/helix"
GOOGLE_SIGN_IN: Final = "https://accounts.google.com/o/oauth2/v2/auth"
GOOGLE_OAUTH: Final = "https://oauth2.googleapis.com"
YOUTUBE: Final = "https://www.googleapis.com/youtube/v3"
SECRET_LENGTHS: Final = range(10, 101)
"""How many ASCII characters the secret may have that Twitch signs with."""
