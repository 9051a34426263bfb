"""What Gametriggers decides. Imports the standard library and itself, and would still be true on paper."""
