"""What the admin portal does: people, roles, networks, merges, the audit log."""
