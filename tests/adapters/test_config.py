"""Settings: what is missing or wrong is said in sentences, and secrets are never repeated."""

from pathlib import Path

import pytest

from adapters.config import (
    Environment,
    MigrationSettings,
    Settings,
    SettingsError,
    UntrustedDocuments,
    read_settings,
)
from tests.identity_settings import IDENTITY

GIVEN = {
    "ENVIRONMENT": "development",
    "DATABASE_URL": "postgresql://app:secret@localhost/game",
    "REDIS_URL": "redis://localhost",
    "SEAL_KEY": "5e" * 32,
    "TOKEN_KEY_FILE": "key.pem",
    "MIDTRANS_SERVER_KEY": "server-key",
    **IDENTITY,
}


@pytest.fixture(autouse=True)
def nothing_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Settings, MigrationSettings):
        monkeypatch.setitem(kind.model_config, "env_file", None)
    for name in {*Settings.model_fields, *MigrationSettings.model_fields}:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)


def test_what_is_left_out_follows_from_what_is_given() -> None:
    settings = read_settings(Settings)
    assert settings.direct_database_url.get_secret_value() == GIVEN["DATABASE_URL"]
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.seal_key_bytes == b"\x5e" * 32
    assert settings.token_key_file == Path("key.pem")
    assert settings.keys_database_url.get_secret_value() == GIVEN["DATABASE_URL"]
    assert "app:secret" not in repr(settings)


@pytest.mark.parametrize("name", sorted({*GIVEN} - {"ENVIRONMENT"}))
def test_each_missing_setting_is_named_with_its_meaning(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingsError) as refused:
        read_settings(Settings)
    meaning = Settings.model_fields[name.lower()].description
    assert str(refused.value) == f"Set {name}: {meaning}."


def test_an_empty_setting_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    with pytest.raises(SettingsError, match="Set REDIS_URL"):
        read_settings(Settings)


@pytest.mark.parametrize("key", ["5e" * 31, "5e" * 33, "no hex but a secret"])
def test_a_seal_key_of_another_form_is_refused_and_not_repeated(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAL_KEY", key)
    with pytest.raises(SettingsError, match="SEAL_KEY is not right: it takes 32 bytes in hex, 64 digits") as refused:
        read_settings(Settings)
    assert key not in str(refused.value)


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(SettingsError) as refused:
        read_settings(Settings)
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["Set REDIS_URL", "PORT is not right"]


def test_production_is_the_default_and_asks_for_its_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVIRONMENT")
    with pytest.raises(SettingsError, match="PUBLIC_URL must be set in production"):
        read_settings(Settings)
    monkeypatch.setenv("PUBLIC_URL", "https://pay.example/")
    with pytest.raises(SettingsError, match="KEYS_DATABASE_URL must be set in production"):
        read_settings(Settings)
    monkeypatch.setenv("KEYS_DATABASE_URL", "postgresql://app@localhost/keys")
    settings = read_settings(Settings)
    assert settings.environment is Environment.PRODUCTION
    assert settings.public_url == "https://pay.example"


def test_untrusted_documents_are_for_development_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_settings(Settings).untrusted_documents is UntrustedDocuments.ALLOW
    monkeypatch.setenv("PUBLIC_URL", "https://pay.example")
    monkeypatch.setenv("KEYS_DATABASE_URL", "postgresql://app@localhost/keys")
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert read_settings(Settings).untrusted_documents is UntrustedDocuments.REFUSE
    monkeypatch.setenv("UNTRUSTED_DOCUMENTS", "allow")
    assert read_settings(Settings).untrusted_documents is UntrustedDocuments.ALLOW


def test_only_migrating_needs_the_owners_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="Set MIGRATION_DATABASE_URL"):
        read_settings(MigrationSettings)
    monkeypatch.setenv("MIGRATION_DATABASE_URL", "postgresql://owner@localhost/game")
    read_settings(MigrationSettings)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_files_lie_in_a_folder_unless_all_of_a_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(Settings).s3_access is None
    monkeypatch.setenv("S3_BUCKET", "files")
    with pytest.raises(SettingsError, match="S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY go together"):
        read_settings(Settings)
    monkeypatch.setenv("S3_ACCESS_KEY", "ours")
    monkeypatch.setenv("S3_SECRET_KEY", "a secret")
    monkeypatch.setenv("S3_ENDPOINT", "https://store.example/")
    access = read_settings(Settings).s3_access
    assert access is not None
    assert (access.bucket, access.endpoint, access.secret_key) == ("files", "https://store.example", "a secret")
    assert "a secret" not in f"{access!r}{read_settings(Settings)!r}"
