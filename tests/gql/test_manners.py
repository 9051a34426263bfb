"""The page about the schema tells the truth: its examples are valid, its codes are all there are."""

import re

import pytest
from graphql import parse, validate

from adapters.config import ROOT
from gql import errors
from gql.errors import ApiError
from tests.gql.house import one_schema_for_all

PAGE = (ROOT / "docs" / "graphql.md").read_text()
EXAMPLES = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str) -> None:
    assert validate(one_schema_for_all().core, parse(example)) == []


def test_every_code_is_told_and_no_other() -> None:
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    kinds = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ApiError)
             and "code" in vars(kind)}  # fmt: skip
    assert told == kinds | {"UNAVAILABLE", "INTERNAL"}
    assert len(EXAMPLES) >= 2
