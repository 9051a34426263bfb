"""Keeps personal data readable only with a person's own key, and those keys in a database of their own."""
