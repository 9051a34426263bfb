"""How much one request may ask for, and what it may learn about the schema."""

from typing import Any

import pytest
from graphql import get_introspection_query, parse
from prometheus_client import REGISTRY

from gql.limits import Limits, excesses, measured
from gql.node import global_id
from gql.schema import build_schema
from tests.fakes import somebody
from tests.gql.house import House

SCHEMA = build_schema()


def complaints(query: str, variables: dict[str, Any] | None = None, **limits: Any) -> list[str]:
    """What is too large, by name."""
    found = excesses(measured(SCHEMA.core, parse(query)), Limits(**limits), variables or {})
    return [error.message.split()[3] for error in found]


DEEP = "{ topUps { edges { node { wallet { statement { edges { node { change { amount } } } } } } } } }"


def test_depth_counts_levels_of_fields_through_fragments() -> None:
    assert complaints(DEEP, depth=9) == []
    assert complaints(DEEP, depth=8) == ["depth"]
    spread = "{ ...A } fragment A on Query { viewer { ...B } } fragment B on Viewer { wallets { ... { id } } }"
    assert complaints(spread, depth=3) == []
    assert complaints(spread, depth=2) == ["depth"]


def test_aliases_and_directives_count_as_often_as_they_are_spread() -> None:
    aliased = "{ ...A x: viewer { ...B ...B } } fragment A on Query { y: viewer { id } } fragment B on Viewer { z: id }"
    assert complaints(aliased, aliases=4) == []
    assert complaints(aliased, aliases=3) == ["aliases"]
    directed = "query @a { viewer @a @b { id ...B @c } ... @d { viewer { id } } } fragment B on Viewer { id @e }"
    assert complaints(directed, directives=6) == []
    assert complaints(directed, directives=5) == ["directives"]


def page(first: str) -> str:
    return f"query ($n: Int! = 5) {{ topUps(first: {first}) {{ edges {{ cursor }} }} }}"


BASIS = 'query ($b: TimeBasis!{}) {{ wallet(id: "x") {{ balanceAt(at: "x", basis: $b) {{ held {{ amount }} }} }} }}'

COSTS = {
    "a literal": (page("10"), None, 12),
    "the usual page": ("{ topUps { edges { cursor } } }", None, 22),
    "a variable": (page("$n"), {"n": 50}, 52),
    "a variable left out counts as its default": (page("$n"), None, 7),
    "and without one as the field's": ("query ($n: Int!) { topUps(first: $n) { edges { cursor } } }", None, 22),
    "an impossible page counts as the largest": (page("101"), None, 102),
    "an endless number too": (page("9" * 6_000), None, 102),
    "a text too": (page("$n"), {"n": "many"}, 102),
    "nothing too": (page("0"), None, 102),
    "null too": (page("$n"), {"n": None}, 102),
    "what is beside the list": ("{ topUps(first: 10) { pageInfo { endCursor } edges { cursor } } }", None, 14),
    "a list by way of fragments": (
        "{ topUps(first: 10) { ...A ... { edges { cursor } } } } fragment A on TopUpConnection { edges { cursor } }",
        None, 23,
    ),
    "ids": ('{ nodes(ids: ["a", "b", "c"]) { id } }', None, 4),
    "ids in a variable": ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 70}, 71),
    "ids without end": ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 9_000}, 9_001),
    "one id, which the engine makes a list of": ('{ nodes(ids: "a") { id } }', None, 2),
    "a list that says how long": ("{ viewer { wallets { purpose currency } } }", None, 42),
    "a list of leaves": ("{ viewer { permissions } }", None, 12),
    "pages in pages": (
        "{ topUps(first: 10) { edges { node { wallet { statement(first: 10) { edges { cursor } } } } } } }", None, 142
    ),
    "unknown fields count one": ("{ nonsense(first: 100) { more } }", None, 2),
    "somebody else is asked": (
        'mutation { cancelTopUp(input: {topUpId: "x"}) { __typename } }', None, 101,
    ),
    "a balance by record": ('{ wallet(id: "x") { balanceAt(at: "x", basis: RECORDED) { held { amount } } } }', None, 4),
    "by effect": ('{ wallet(id: "x") { balanceAt(at: "x", basis: EFFECTIVE) { held { amount } } } }', None, 504),
    "by a variable": (BASIS.format(""), {"b": "EFFECTIVE"}, 504),
    "by a variable that is as usual": (BASIS.format(""), {"b": "RECORDED"}, 4),
    "by a variable left out": (BASIS.format(""), None, 4),
    "by a variable's default": (BASIS.format(" = EFFECTIVE"), None, 504),
}  # fmt: skip


@pytest.mark.parametrize(("query", "variables", "cost"), COSTS.values(), ids=COSTS.keys())
def test_a_page_costs_as_if_it_were_full(query: str, variables: dict[str, Any] | None, cost: int) -> None:
    assert complaints(query, variables, cost=cost) == []
    assert complaints(query, variables, cost=cost - 1) == ["cost"]


def test_fragments_that_double_at_each_step_are_counted_and_not_walked() -> None:
    steps = " ".join(f"fragment F{n} on Viewer {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    query = f"{{ viewer {{ ...F0 }} }} {steps} fragment F60 on Viewer {{ x: id }}"
    assert complaints(query) == ["aliases", "cost"]


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...Missing }",
        "{ ... on Missing { id } }",
        "mutation { nonsense }",
    ],
)
def test_what_validation_will_refuse_is_measured_all_the_same(query: str) -> None:
    assert complaints(query) == []


@pytest.mark.parametrize("levels", [101, 150])
def test_selections_without_end_do_not_end_the_process(levels: int) -> None:
    assert complaints("{a" * levels + "}" * levels) == ["depth"]


TOO_MUCH = {
    "tokens": "{ " + "__typename " * 2_000 + "}",
    "levels": "{" + "a{" * 800 + "a" + "}" * 801,
    "aliases": "{ " + " ".join(f"a{n}: __typename" for n in range(16)) + " }",
    "directives": "{ __typename " + "@skip(if: false) " * 31 + "}",
    "cost": "{ topUps(first: 100) { edges { node { wallet { statement(first: 100) { edges { cursor } } } } } } }",
    "ids": f"{{ nodes(ids: [{'1 ' * 1_900}]) {{ id x: __typename ... on Wallet {{ a: id b: id c: id d: id }} }} }}",
}


@pytest.mark.parametrize("query", TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_too_much_is_refused_before_anything_runs(house: House, query: str) -> None:
    reply = await house.ask(query, somebody())
    assert (reply.status, set(reply.codes)) == (400, {"BAD_INPUT"})
    assert len(reply.text) < 2_000
    assert not house.ports.calls


async def test_many_mutations_in_one_request_are_aliases(house: House) -> None:
    one = "openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename }"
    query = "mutation { " + " ".join(f"a{n}: {one}" for n in range(16)) + " }"
    assert (await house.ask(query, somebody())).status == 400
    assert not house.ports.ledger._numbers


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_a_page_has_a_size(house: House, first: int) -> None:
    reply = await house.ask("query ($n: Int!) { topUps(first: $n) { edges { cursor } } }", somebody(), n=first)
    assert reply.codes == ["BAD_INPUT"]
    assert not house.ports.calls


async def test_so_has_a_list_of_ids(house: House) -> None:
    ids = [global_id("Wallet", n) for n in range(101)]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert (await house.ask(query, somebody(), ids=ids)).codes == ["BAD_INPUT"]
    assert (await house.ask(query, somebody(), ids=ids[:100])).data["nodes"] == [None] * 100


INTROSPECTION = ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }', get_introspection_query()]


@pytest.mark.parametrize("query", INTROSPECTION, ids=["schema", "type", "whole"])
async def test_the_schema_shows_itself_in_development_only(house: House, workshop: House, query: str) -> None:
    before = REGISTRY.get_sample_value("graphql_refusals_total", {"reason": "introspection"}) or 0
    refused = await house.ask(query, somebody())
    assert (refused.status, {*refused.codes}) == (400, {"BAD_INPUT"})
    assert REGISTRY.get_sample_value("graphql_refusals_total", {"reason": "introspection"}) == before + 1
    assert (await workshop.ask(query)).data


async def test_names_are_known_in_production(house: House) -> None:
    assert (await house.ask("{ __typename }")).data == {"__typename": "Query"}


MISSPELT: dict[str, tuple[str, dict[str, Any]]] = {
    "a field": ("{ viewr { id } }", {}),
    "an argument": ('{ wallet(idd: "x") { id } }', {}),
    "a type": ("{ node(id: 1) { ... on Walet { id } } }", {}),
    "a value": ("mutation { openWallet(input: {purpose: HOSTING_CREDI, currency: IDR}) { __typename } }", {}),
    "an input field": ("mutation { openWallet(input: {purpos: HOSTING_CREDIT}) { __typename } }", {}),
    "a value in a variable": (
        "mutation ($i: OpenWalletInput!) { openWallet(input: $i) { __typename } }",
        {"i": {"purpose": "HOSTING_CREDI", "currency": "IDR"}},
    ),
    "an input field in a variable": (
        "mutation ($i: OpenWalletInput!) { openWallet(input: $i) { __typename } }",
        {"i": {"purpos": "HOSTING_CREDIT", "currency": "IDR"}},
    ),
}


@pytest.mark.parametrize(("query", "variables"), MISSPELT.values(), ids=MISSPELT.keys())
async def test_a_misspelt_name_is_not_completed_in_production(
    house: House, workshop: House, query: str, variables: dict[str, Any]
) -> None:
    reply = await house.ask(query, somebody(), **variables)
    assert reply.status == 400
    assert "Did you mean" not in reply.text
    assert "Did you mean" in (await workshop.ask(query, somebody(), **variables)).text


def test_a_thousand_ways_through_the_same_fragments_are_reckoned_in_no_time() -> None:
    """Every level is reached in two ways; going each of them would take for ever."""
    levels = 40
    last = f"fragment F{levels} on WalletEntryConnection {{ pageInfo {{ hasNextPage }} }}"
    fragments = [
        f"fragment F{level} on Wallet {{ a: statement(first: $n) {{ ...G{level} }} ...F{level + 1} ...F{level + 1} }}"
        for level in range(levels)
    ]
    document = parse("query Q($n: Int) { ...F0 } " + " ".join([*fragments, last]))
    sizes = measured(SCHEMA.core, document)
    assert excesses(sizes, Limits(), {"n": 100})
