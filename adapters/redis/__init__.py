"""Redis or Valkey: hints that something is new, and counts that may be lost. Nothing that counts lives here alone."""
