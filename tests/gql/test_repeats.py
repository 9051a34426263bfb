"""Documents whose fields meet so often that to compare them all would hold everybody up."""

import time

import pytest
from graphql import parse

from gql.repeats import repeats
from tests.fakes import somebody
from tests.gql.house import House

COUNTED = {
    "none": ("{ a b c { a b } }", 0),
    "twice": ("{ a a }", 1),
    "under an alias": ("{ a x: a b: a b }", 1),
    "four times": ("{ a a a a }", 6),
    "below each other": ("{ a { b } a { b } }", 2),
    "in inline fragments": ("{ a ... { a } ... on Query { a } }", 3),
    "in a fragment": ("{ a ...F } fragment F on Query { a b }", 1),
    "in a fragment that is spread twice": ("{ ...F ...F } fragment F on Query { a }", 0),
    "in fragments below each other": ("{ x { ...F } x { a } } fragment F on X { a }", 2),
    "in a fragment of nobody's": ("{ a ...Nothing }", 0),
    "in a circle, met again": ("{ a ...F } fragment F on Query { a ...F }", 2),
    "in a circle of fields": ("{ x { ...F } } fragment F on X { x { ...F } x { ...F } }", 10_001),
}


@pytest.mark.parametrize(("text", "found"), COUNTED.values(), ids=COUNTED.keys())
def test_fields_that_meet_are_counted_in_pairs(text: str, found: int) -> None:
    assert min(repeats(parse(text), 10_000), 10_001) == found


def test_counting_ends_soon_whatever_there_is_to_count() -> None:
    levels = 60
    doubled = "".join(f"fragment F{n} on X {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}\n" for n in range(levels))
    began = time.process_time()
    assert repeats(parse(f"{{ ...F0 }}\n{doubled}fragment F{levels} on X {{ c }}"), 10_000) > 10_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize("times", [150, 390])
async def test_who_repeats_a_field_too_often_is_refused_before_it_is_validated(house: House, times: int) -> None:
    text = "{" + " viewer { id }" * times + "}"
    refused = await house.ask(text, somebody())
    assert (refused.status, refused.body["errors"][0]["extensions"]) == (400, {"code": "BAD_INPUT", "limit": "repeats"})


async def test_a_field_may_be_repeated_as_often_as_programs_do(house: House) -> None:
    assert (await house.ask("{" + " viewer { id }" * 50 + "}", somebody())).data
