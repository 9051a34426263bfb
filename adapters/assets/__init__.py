"""Files that people give us: where they lie, the doors that they come and go by, and who understands pictures."""
