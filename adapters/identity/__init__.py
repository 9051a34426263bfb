"""Who is calling: tokens of our own now, other ways to sign in beside them."""
