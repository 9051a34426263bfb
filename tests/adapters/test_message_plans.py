"""Plans of what is asked of messages with every page and each event: by an index, however much was written."""

import secrets
from collections.abc import Iterator

import pytest

from adapters.embedded.database import make_database
from adapters.postgres.message.reads import CHANGED, PAGES, REPORTS, UNREAD
from tests.adapters.test_ledger_plans import fill, plan_of, reads
from tests.earning_rows import filling
from tests.servers import PASSWORDS, Addresses, drop_database, run

WRITTEN = """
insert into conversation (participation, messages, seq) select id, 1000, 1000 from participation;
insert into message (id, participation, number, side, person, text, sent_at, seq)
select gen_random_uuid(), participation.id, n, case when n % 2 = 0 then 'brand' else 'streamer' end, person, '', now(),
    n
from participation, generate_series(1, 1000) as n;
insert into message_mark (participation, person, side, number)
select participation.id, person.id, 'streamer', 900 from participation cross join person;
insert into message_report (id, message, person, reported_at, ruling, decided_at)
select gen_random_uuid(), id, person, now(), case when number > 1 then 'dismissed' end,
    case when number > 1 then now() end
from message where number < 100;
"""


@pytest.fixture(scope="module")
def full(servers: Addresses) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    made = run(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    run(fill(made.superuser_url, filling(50, 1)))
    run(fill(made.superuser_url, WRITTEN))
    yield made.app_url
    run(drop_database(servers.superuser_url, name))


@pytest.mark.parametrize(
    ("statement", "index"), [(PAGES, "number"), (CHANGED, "seq"), (UNREAD, "number")], ids=["page", "news", "unread"]
)
async def test_messages_are_found_by_an_index(full: str, statement: str, index: str) -> None:
    nodes = await plan_of(full, statement)
    assert reads(nodes, "message") == {f"message_{index}"}
    assert reads(nodes, "message_mark") == {"message_mark_pkey"}


async def test_reports_are_found_among_those_that_wait(full: str) -> None:
    assert reads(await plan_of(full, REPORTS), "message_report") == {"message_report_to_decide"}
