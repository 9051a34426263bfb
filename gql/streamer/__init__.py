"""What the API says of streamers."""
