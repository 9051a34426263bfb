"""What every command shares: its settings, and saying in a sentence what a person can mend."""

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from adapters.config import SettingsError, Source, read_settings

Read = TypeVar("Read", bound=Source)


def settings_of(kind: type[Read]) -> Read:
    """Read settings; beside a running `make dev` what it uses stands in for what nobody gave."""
    from dotenv import load_dotenv

    from adapters.embedded.household import DEV_SETTINGS

    load_dotenv(DEV_SETTINGS, override=False)
    try:
        return read_settings(kind)
    except SettingsError as error:
        raise refusal(error) from None


def or_say_why(work: Callable[[], None]) -> None:
    """Run, and turn what a person can mend into a sentence and exit status 1."""
    from adapters.embedded.family import ChildEndedError
    from adapters.embedded.folders import FolderInUseError
    from adapters.embedded.server import ServerStartError, UnsuitablePlatformError

    try:
        work()
    except (SettingsError, FolderInUseError, ServerStartError, UnsuitablePlatformError, ChildEndedError) as error:
        raise refusal(error) from None


def refusal(reason: object) -> typer.Exit:
    """Say what is wrong; raise the answer."""
    print(reason, file=sys.stderr)
    return typer.Exit(1)


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)
