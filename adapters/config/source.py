"""Where settings come from, and what is said of those that are missing or wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]
"""The folder that the application is run from."""
ASSET_FOLDER = ROOT / "var" / "assets"
"""Where files lie that people send, unless somebody says otherwise."""

_FOLLOWS_FROM_ANOTHER = "default_factory_not_called"


class SettingsError(Exception):
    """Settings that are missing or wrong; its text says, a line each, what to set."""


class Source(BaseSettings):
    """Where settings come from: the environment wins over the file."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr = Field(
        description="PostgreSQL address of the application's role: postgresql://role:password@host:5432/database"
    )


Read = TypeVar("Read", bound=Source)


def read_settings(kind: type[Read]) -> Read:
    """Read all settings of one kind. Raises `SettingsError` that says what to set and never repeats a value."""
    try:
        return kind.model_validate({})
    except ValidationError as error:
        found = [wrong for wrong in error.errors() if not _follows_from_another(kind, wrong)]
        raise SettingsError("\n".join(_sentence(kind, wrong["loc"], wrong) for wrong in found)) from None


def _follows_from_another(kind: type[Source], wrong: Mapping[str, Any]) -> bool:
    """Whether a setting is wrong only because the one is missing that it is when it is left out."""
    field = kind.model_fields.get(str(wrong["loc"][0])) if wrong["loc"] else None
    by_default = field is not None and field.default_factory is not None and wrong["input"] is None
    return by_default or wrong["type"] == _FOLLOWS_FROM_ANOTHER


def _sentence(kind: type[Source], place: tuple[int | str, ...], wrong: Mapping[str, Any]) -> str:
    reason = str(wrong["msg"]).removeprefix("Value error, ")
    if not place:
        return f"{reason}."
    field = str(place[0])
    meaning = kind.model_fields[field].description
    if wrong["type"] == "missing":
        return f"Set {field.upper()}: {meaning}."
    return f"{field.upper()} is not right: {reason}. It is: {meaning}."


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list that is separated by commas."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def is_hex_of(text: str, size: int) -> bool:
    """Whether a text is so many bytes in hex."""
    try:
        return len(bytes.fromhex(text)) == size
    except ValueError:
        return False
