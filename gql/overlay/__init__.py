"""What the API says of overlays."""
