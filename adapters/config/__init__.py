"""Settings, read once from the environment and from an optional `.env` file in the root."""

from adapters.config.settings import Environment, LogLevel, MigrationSettings, Settings, UntrustedDocuments
from adapters.config.source import ASSET_FOLDER, ROOT, SettingsError, Source, read_settings

__all__ = [
    "ASSET_FOLDER", "ROOT", "Environment", "LogLevel", "MigrationSettings", "Settings", "SettingsError", "Source",
    "UntrustedDocuments", "read_settings",
]  # fmt: skip
