"""The sweep: who gets what from every field of the schema, as a table to read."""
