"""Settings of identity for tests that start the product, and read no mail."""

IDENTITY = {
    "VAULT_MASTER_KEYS": f"first:{'7a' * 32}",
    "IDENTITY_KEY": "1d" * 32,
    "SMTP_URL": "smtp+plain://127.0.0.1:9",
}
IN_SMALL = {name.lower(): value for name, value in IDENTITY.items()}
"""The same for `Settings.model_validate`."""
