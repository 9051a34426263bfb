"""Documents written at random for the whole schema, over HTTP: whatever they ask for, nothing of ours breaks.

FUZZ_DOCUMENTS says how many: a few with every run of the tests, many in `make soak`.
"""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import GraphQLInputObjectType, is_non_null_type

from adapters.embedded.database import DatabaseAddresses
from gql.node import global_id
from gql.schema import build_schema
from tests.gql.engine.writer import Writer
from tests.gql.rights.cast import CALLERS, Cast
from tests.gql.rights.sweep import running
from tests.servers import Valkey

DOCUMENTS = int(os.environ.get("FUZZ_DOCUMENTS", "150"))
SCHEMA = build_schema().core
WHO = {"anon", "play", "bown", "supp", "supr", "eyes"}
ROUND = 50
"""After so many documents new people ask: those before may have signed out, or be gone."""
WORDS = [
    "",
    "a",
    "\x00",
    "%s",
    "'; --",
    "\u202e",
    "a" * 300,
    "ani@mail.example",
    "IDR",
    "-1",
    "0",
    "null",
    "{}",
    "\U0001f600",
]
INSTANTS = ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "now"]
DECIMALS = ["50000.00", "0", "-1", "99999999999999999999.99", "1e5", "NaN"]
TEXTS = {"String": WORDS, "Cursor": WORDS, "UUID": WORDS, "DateTime": INSTANTS, "Decimal": DECIMALS}
NUMBERS = [-(2**31), -1, 0, 1, 5, 100, 101, 2**31 - 1, 2**31, 2**63]


@dataclass
class Clients(Writer):
    """Writes what clients may send who know the schema and mean no good."""

    ids: list[str] = field(default_factory=list)
    """Of things that there are."""

    def _value(self, type_: Any) -> tuple[str, Any]:
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        name = getattr(type_, "name", None)
        if name == "Int":
            number = self.dice.choice(NUMBERS)
            return str(number), number
        if name in {"ID", *TEXTS}:
            text = self._id() if name == "ID" else self.dice.choice(TEXTS[name])
            return '"' + "".join(f"\\u{{{ord(each):x}}}" for each in text) + '"', text
        return super()._value(type_)

    def _object(self, type_: GraphQLInputObjectType) -> tuple[str, Any]:
        """What is required is there nearly always, or nothing would ever come of it."""
        chosen = [
            name
            for name, each in type_.fields.items()
            if self.dice.random() < (0.97 if is_non_null_type(each.type) else 0.5)
        ]
        pairs = {name: self._value(type_.fields[name].type) for name in chosen}
        text = ", ".join(f"{name}: {pair[0]}" for name, pair in pairs.items())
        return f"{{{text}}}", {name: pair[1] for name, pair in pairs.items()}

    def _id(self) -> str:
        kind = self.dice.choice(["Wallet", "TopUp", "Session", "Viewer", "Person", "MergeRequest", "Nothing"])
        key = self.dice.choice([1, 2, "0", "-1", "9" * 40, "x", "01a1ff13-61b6-762c-829e-48be5f9e6e52", "\x00"])
        return self.dice.choice([*self.ids, global_id(kind, key), str(key), ""])


async def test_no_document_finds_a_mistake_of_ours(tmp_path: Path, database: DatabaseAddresses, valkey: Valkey) -> None:
    executed, casts = 0, list[Cast]()
    async with running(tmp_path, database, valkey.url) as house:
        for seed in range(DOCUMENTS):
            dice = random.Random(seed)
            if not seed % ROUND:
                casts = [await house.casting.cast(caller) for caller in CALLERS if caller.mark in WHO]
            cast = dice.choice(casts)
            ids = [*cast.own.ids.values(), *cast.other.ids.values()]
            writer = Clients(SCHEMA, dice, amiss=0, deepest=dice.randint(1, 4), ids=ids)
            query, variables = writer.document(dice.choice(["query", "query", "mutation"]))
            body = {"query": query, "variables": variables}
            async with house.client.post(f"{house.url}/graphql", json=body, headers=cast.headers) as answer:
                text = await answer.text()
            assert answer.status < 500, (seed, query, variables, text)
            assert '"INTERNAL"' not in text, (seed, query, variables, text)
            executed += '"data":{' in text
    assert executed > DOCUMENTS // 15
