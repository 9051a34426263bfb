"""Real PostgreSQL and Valkey servers from wheels, for a laptop, for tests and for benchmarks."""
