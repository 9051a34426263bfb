"""Identity in the schema: signing up, in and out, sessions and passwords."""
