"""PostgreSQL: the truth. Tables and queries together, one file for each context."""
