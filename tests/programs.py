"""Programs that some tests use and a machine may lack: without them a test stays at home, and says so."""

import os
from collections.abc import Mapping

import pytest


def must_be_there(environment: Mapping[str, str], user: int) -> bool:
    """Continuous integration installs them where it may: a test that silently stays at home there proves nothing."""
    return environment.get("CI", "").lower() in {"1", "true"} and user == 0


def stay_home(missing: str) -> None:
    """Skip the test for what is missing, or fail it where that must be there."""
    if must_be_there(os.environ, os.geteuid()):
        pytest.fail(missing)
    pytest.skip(missing)
