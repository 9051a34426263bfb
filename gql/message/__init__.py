"""What the two sides of a participation write to each other, and what staff makes of it."""
