"""The application, running, for tests of what it says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gql.house import House, running_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The application as in production."""
    async with running_house(tmp_path) as running:
        yield running


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[House]:
    """The application as in development."""
    async with running_house(tmp_path, "development") as running:
        yield running
