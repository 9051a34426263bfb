"""What nobody asked for is not fetched, and no seal is opened for it."""

import re

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.identity.ports import PERSON_TEXTS
from tests.gql.counting.crowd import gathered
from tests.gql.counting.documents import Document
from tests.gql.counting.test_statements import ask, without_limits
from tests.gql.test_on_real_servers import statements
from tests.servers import Valkey

PEOPLE = "query ($search: PeopleSearch!) {{ people(search: $search) {{ {} }} }}"
VIEWER = "{{ viewer {{ {} }} }}"


@pytest.mark.parametrize(
    ("asking", "fields", "texts"),
    [
        (PEOPLE, "id status locale createdAt mailVerifiedAt survivor { id }", set()),
        (PEOPLE, "status name", {"name"}),
        (PEOPLE, "mail mailVerifiedAt", {"mail"}),
        (PEOPLE, "name banReason survivor { id }", {"name", "reason"}),
        (VIEWER, "id mailVerified", set()),
        (VIEWER, "id mail name", {"mail", "name"}),
    ],
)
async def test_texts_that_nobody_asks_for_stay_where_they_are(
    database: DatabaseAddresses,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
    asking: str,
    fields: str,
    texts: set[str],
) -> None:
    schema = without_limits(planned=True)
    async with gathered(database, valkey) as crowd:
        await crowd.grow(2, 1)
        with statements(monkeypatch) as sent:
            await ask(schema, crowd, Document(fields, asking.format(fields)))
    read = [each.partition(" from ")[0] for each in sent if " from person where id" in each]
    assert {text for each in read for text in re.findall(r"\w+", each)} & PERSON_TEXTS == texts
    assert len(read) == 1 + (bool(texts) and asking is PEOPLE), "who there is, and then what they are called"
