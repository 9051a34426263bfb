"""The engine: plans against graphql-core itself."""
