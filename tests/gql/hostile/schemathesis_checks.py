"""What schemathesis needs to know of us, and what it is to look for. It loads this file in a process of its own.

Its own check for mistakes takes every error in an answer for one, also those that say what a client did wrong.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from graphql import build_schema, parse
from hypothesis import strategies
from hypothesis_graphql import nodes

from tests.gql.hostile.fitting import fitted

GIVEN = json.loads(Path(os.environ["SCHEMATHESIS_GIVEN"]).read_text(encoding="utf-8"))
"""The schema's file, the headers of those who ask, ids of things that there are, and where to count."""
SCHEMA = build_schema(Path(GIVEN["schema"]).read_text(encoding="utf-8"))
COUNTED = Counter[str]()
_DECIMALS = ["50000.00", "0", "-1", "99999999999999999999.99", "1e5", "NaN", ""]
_INSTANTS = ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "now"]


def _register() -> None:
    """What texts of our own scalars look like; ids are often of things that there are."""
    some = strategies.text(max_size=30)
    for name, texts in {
        "Decimal": strategies.sampled_from(_DECIMALS) | some,
        "DateTime": strategies.sampled_from(_INSTANTS) | some,
        "UUID": strategies.uuids().map(str) | some,
        "Cursor": some,
        "ID": strategies.sampled_from(GIVEN["ids"]) | some,
    }.items():
        schemathesis.graphql.scalar(name, texts.map(nodes.String))


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Everybody asks in turn: who has signed out, or is gone, is only one of them."""
    headers = GIVEN["headers"]
    case.headers.update(headers[COUNTED.total() % len(headers)])


@schemathesis.check
def nothing_of_ours_is_wrong(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """No answer tells of a mistake of ours, and what there is of data has the shape that was asked for."""
    assert response.status_code < 500, response.text
    body = json.loads(response.text)
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    assert "INTERNAL" not in codes, response.text
    assert codes or response.status_code == 200, response.text
    data = body.get("data")
    COUNTED["answered" if data is not None else "refused"] += 1
    Path(GIVEN["counted"]).write_text(json.dumps(COUNTED), encoding="utf-8")
    if data is not None:
        document = parse(str(case.body))
        assert fitted(SCHEMA, document, data) == data, response.text


_register()
