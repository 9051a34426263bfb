"""How many statements the product's schema sends: as many for a whole page as for a single object."""
