"""A page of a hundred, and what is in it, costs as many statements as a single object: for whatever the schema has."""

from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from graphql import OperationType

from adapters.embedded.database import DatabaseAddresses
from gql.admission import Admission
from gql.context import Context
from gql.engine.running import World
from gql.execution import Schema, answers
from gql.limits import Limits
from gql.operations import Operation
from gql.schema import build_schema
from tests.gql.counting.crowd import Crowd, gathered
from tests.gql.counting.documents import Document, documents, lists
from tests.gql.test_on_real_servers import statements
from tests.servers import Valkey

KEYS = "data_key"
"""Who opens seals reads the keys first, unless somebody beside them has just done so: that is at most once a kind of
text, and sometimes less."""
MOST_KEYS = 4
FACETS = {f"StreamerFacets.{kind}" for kind in ("countries", "languages", "categories", "ratings")}
OURS = {
    "Query.roles",
    "Viewer.consents",
    "Deed.before",
    "Deed.after",
    "CampaignEligibility.findings",
    "MinuteArithmetic.steps",
} | FACETS
"""Lists whose length nobody can change: there is no other role or rule, and a line of the log is one row. What
streamers are counted by comes of one statement for all kinds; those of the crowd are alike."""


def without_limits(*, planned: bool) -> Schema:
    """The product's schema for who may ask for thousands of pages."""
    schema = build_schema(planned=planned)
    schema.limits = Limits(cost=10**9, answer_bytes=2**30, query_s=100)
    schema.admission = Admission(World.of(schema), schema.limits)
    return schema


async def ask(schema: Schema, crowd: Crowd, document: Document) -> Any:
    """What a document is answered."""
    context = Context(crowd.ports, crowd.caller, "counting")
    operation = Operation(document.query, crowd.variables)
    async with aclosing(answers(schema, operation, context, {OperationType.QUERY})) as found:
        answer = await anext(found)
    assert not answer.errors, (document.way, answer.errors)
    return orjson.loads(orjson.dumps(answer.data))


def lengths(type_: str, value: Any) -> Iterator[tuple[str, int]]:
    """How long each list within an object is."""
    if isinstance(value, list):
        for each in value:
            yield from lengths(type_, each)
    elif isinstance(value, dict):
        name = value.get("__typename", type_)
        for key, below in value.items():
            if isinstance(below, list):
                yield f"{name}.{key}", len(below)
            yield from lengths("", below)


@pytest.mark.parametrize(
    ("planned", "pages", "within"),
    [(True, 100, 10), (False, 20, 3)],
    ids=["a thousand objects in a hundred, by plans", "fewer, by the engine"],
)
async def test_a_page_costs_as_many_statements_as_one_object(
    database: DatabaseAddresses, valkey: Valkey, monkeypatch: pytest.MonkeyPatch, planned: bool, pages: int, within: int
) -> None:
    schema = without_limits(planned=planned)
    sent = dict[str, list[Counter[str]]]()
    longest = [Counter[str](), Counter[str]()]
    async with gathered(database, valkey) as crowd:
        for round_, more in enumerate([(1, 1), (pages - 1, within - 1)]):
            await crowd.grow(*more)
            for document in documents():
                if not round_:
                    await ask(schema, crowd, document)  # the driver asks of types that are new to it
                crowd.forget_keys()
                with statements(monkeypatch) as found:
                    data = await ask(schema, crowd, document)
                assert sum(KEYS in each for each in found) <= MOST_KEYS, document.way
                sent.setdefault(document.way, []).append(Counter(each for each in found if KEYS not in each))
                for place, length in lengths("Query", data):
                    longest[round_][place] = max(longest[round_][place], length)
    few, many = longest
    assert {place for place in lists() if few[place] >= many[place]} == OURS
    assert {way: many - few | few - many for way, (few, many) in sent.items() if few != many} == {}
