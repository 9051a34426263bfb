"""Plans of what is asked of minutes again and again: by an index, however many minutes there are."""

import secrets
from collections.abc import Iterator

import pytest

from adapters.embedded.database import make_database
from adapters.postgres.earning.minutes import EARLIEST, FREE, RELEASE
from adapters.postgres.earning.reads import ANALYTICS, ASKED, MINUTES, TO_CLOSE, TO_REVIEW
from domain.earning.analytics import Dimension, Whose
from tests.adapters.test_ledger_plans import fill, plan_of, reads
from tests.earning_rows import filling
from tests.servers import PASSWORDS, Addresses, drop_database, run

QUEUES = {"open", "deciding", "asked"}
"""Indexes of those minutes alone that somebody has still to do something about."""


@pytest.fixture(scope="module")
def full(servers: Addresses) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    made = run(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    run(fill(made.superuser_url, filling(50, 1_000)))
    yield made.app_url
    run(drop_database(servers.superuser_url, name))


@pytest.mark.parametrize("by", Dimension)
@pytest.mark.parametrize("whose", Whose)
async def test_figures_are_added_up_from_hours_alone(full: str, by: Dimension, whose: Whose) -> None:
    nodes = await plan_of(full, ANALYTICS[by, whose])
    assert {node["Relation Name"] for node in nodes if "Relation Name" in node} == {"earning_hour"}
    assert reads(nodes, "earning_hour") <= {"earning_hour_of_campaign", "earning_hour_pkey"}


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        (TO_CLOSE, QUEUES), *((asked, QUEUES) for asked in ASKED.values()), (RELEASE, {"held", "pkey"}),
        (MINUTES, {"pkey"}), (TO_REVIEW, {"review"}), (FREE, {*QUEUES, "of_streamer"}), (EARLIEST, {*QUEUES, "pkey"}),
    ],
)  # fmt: skip
async def test_minutes_are_found_by_an_index(full: str, statement: str, indexes: set[str]) -> None:
    found = reads(await plan_of(full, statement), "earning_minute")
    assert found
    assert found <= {f"earning_minute_{index}" for index in indexes}
