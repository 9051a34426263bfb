"""A person's wallets and the money that comes into them."""
