"""Identity on PostgreSQL: people, sessions, single-use tokens; personal texts only sealed or as keyed digests."""
