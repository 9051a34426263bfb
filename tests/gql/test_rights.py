"""Every field of the schema, asked by nobody, by its owner and by somebody else."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any, NamedTuple

import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from strawberry.schema.config import StrawberryConfig

from domain.actor import Actor
from domain.money import Currency, Money
from domain.wallet import model
from domain.wallet.actions import start_top_up
from domain.wallet.gateway import Method
from gql.access import Requires, Right, UndeclaredRightError, field, permit
from gql.context import Context
from gql.errors import ForbiddenError, Manner, UnauthenticatedError
from gql.execution import Schema
from gql.limits import Limits
from gql.node import global_id
from gql.schema import build_schema
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet
from tests.fakes import FakePorts, somebody
from tests.gql.house import House, Reply, key

SCHEMA = build_schema()
CORE = SCHEMA.core
ROOTS = {CORE.query_type, CORE.mutation_type, CORE.subscription_type}


def fields() -> Iterator[tuple[GraphQLObjectType | GraphQLInterfaceType, str, GraphQLField]]:
    for type_ in CORE.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
            for name, declared in type_.fields.items():
                yield type_, name, declared


def right_of(declared: GraphQLField) -> Right:
    directives = declared.extensions["strawberry-definition"].directives
    (found,) = (directive.right for directive in directives if isinstance(directive, Requires))
    return Right(found)


def needs(right: Right) -> Requires:
    return Requires(right=right)


def test_every_field_shows_its_right_in_the_sdl() -> None:
    printed = SCHEMA.as_str()
    for type_, name, declared in fields():
        assert f"@requires(right: {right_of(declared).name})" in printed, f"{type_.name}.{name}"
    assert printed.count("@requires(right: ") == sum(1 for _ in fields())


def test_nothing_is_public_yet() -> None:
    assert [f"{t.name}.{n}" for t, n, declared in fields() if right_of(declared) is Right.PUBLIC] == []


def test_what_leans_on_its_parent_has_a_parent_that_is_guarded() -> None:
    """A type whose fields only lean on the parent is reached through a field that checks, and never from a root."""
    leaning = {t.name for t, _, declared in fields() if right_of(declared) is Right.PARENT}
    for type_, name, declared in fields():
        if type_ in ROOTS and get_named_type(declared.type).name in leaning:
            assert right_of(declared) in {Right.OWNER, Right.SIGNED_IN}, f"{type_.name}.{name}"


def test_every_type_with_a_global_id_belongs_to_somebody() -> None:
    node = CORE.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    for type_ in CORE.get_implementations(node).objects:
        rights = {right_of(declared) for declared in type_.fields.values()}
        assert rights == {Right.OWNER}, type_.name


async def produce() -> AsyncGenerator[int, None]:
    yield 0


def build(query: type) -> Schema:
    @strawberry.type
    class Mutation:
        nothing: int = field(Right.PUBLIC, "Nothing.")

    @strawberry.type
    class Subscription:
        nothing = field(Right.PUBLIC, "Nothing.", resolver=produce, is_subscription=True)

    return Schema(query, Mutation, Subscription, StrawberryConfig(), Limits(), Manner())


def test_a_field_without_a_right_does_not_build() -> None:
    @strawberry.type
    class Query:
        open_door: int

    with pytest.raises(UndeclaredRightError, match=r"Query\.openDoor"):
        build(Query)


def test_a_field_of_a_type_without_a_right_does_not_build() -> None:
    @strawberry.type
    class Room:
        window: int

    @strawberry.type
    class Query:
        room: Room = field(Right.PUBLIC, "A room.")

    with pytest.raises(UndeclaredRightError, match=r"Room\.window"):
        build(Query)


def test_a_root_has_no_parent_to_lean_on() -> None:
    @strawberry.type
    class Query:
        room: int = field(Right.PARENT, "A room.")

    with pytest.raises(UndeclaredRightError, match=r"Query\.room"):
        build(Query)


def test_what_declares_its_rights_builds() -> None:
    @strawberry.type
    class Query:
        room: int = field(Right.PUBLIC, "A room.")

    assert "room: Int! @requires(right: PUBLIC)" in build(Query).as_str()


def test_an_object_without_an_owner_is_nobodys() -> None:
    caller = Context(FakePorts(), somebody(), "id")
    with pytest.raises(ForbiddenError):
        permit(needs(Right.OWNER), object(), caller)
    with pytest.raises(UnauthenticatedError):
        permit(needs(Right.OWNER), None, Context(FakePorts(), None, "id"))
    permit(needs(Right.OWNER), None, caller)
    permit(needs(Right.PUBLIC), object(), Context(FakePorts(), None, "id"))


@pytest.mark.parametrize("kind", ["Wallet", "TopUp"])
async def test_an_object_that_leaks_tells_somebody_else_nothing(kind: str) -> None:
    """Every field of an object that reached the wrong person by a mistake of ours refuses, one by one."""
    ports, me = FakePorts(), somebody()
    wallet = Wallet(view=(await ports.books.accounts_by_id([await ports.wallet(me)]))[await ports.wallet(me)])
    leaked = {"Wallet": wallet, "TopUp": TopUp(top_up=(await a_top_up(ports, me, key())))}[kind]
    type_ = CORE.type_map[kind]
    assert isinstance(type_, GraphQLObjectType)
    for name in type_.fields:
        with pytest.raises(ForbiddenError):
            permit(needs(right_of(type_.fields[name])), leaked, Context(ports, somebody(), "id"))
        with pytest.raises(UnauthenticatedError):
            permit(needs(right_of(type_.fields[name])), leaked, Context(ports, None, "id"))
        permit(needs(right_of(type_.fields[name])), leaked, Context(ports, me, "id"))


async def a_top_up(ports: FakePorts, me: Actor, idempotency_key: str) -> model.TopUp:
    amount = Money.whole(50_000, Currency.IDR)
    made = await start_top_up(ports, me, await ports.wallet(me), amount, Method.QRIS, idempotency_key)
    assert isinstance(made, model.TopUp)
    return made


CALLS = {
    "Query.wallet": "wallet(id: $wallet)",
    "Query.topUp": "topUp(id: $topUp)",
    "Query.node": "node(id: $wallet)",
    "Query.nodes": "nodes(ids: [$wallet, $topUp])",
    "Wallet.balanceAt": 'balanceAt(at: "2026-12-01T00:00:00Z")',
    "Mutation.openWallet": "openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR})",
    "Mutation.cancelTopUp": "cancelTopUp(input: {topUpId: $topUp})",
    "Mutation.startTopUp": 'startTopUp(input: {walletId: $wallet, method: QRIS, idempotencyKey: "first",'
    ' amount: {amount: "50000", currency: IDR}})',
}
"""How fields are asked that need arguments."""


def documents() -> Iterator[tuple[str, str]]:
    """For every leaf field that is reached from a root: where it is, and a document that asks for it alone."""
    for operation, root in (("query", CORE.query_type), ("mutation", CORE.mutation_type)):
        assert root is not None
        seen: set[str] = {root.name}
        queue: list[tuple[Any, str]] = [(root, f"{operation} {{ %s }}")]
        while queue:
            type_, document = queue.pop(0)
            for name, declared in type_.fields.items():
                below, call = get_named_type(declared.type), CALLS.get(f"{type_.name}.{name}", name)
                if is_leaf_type(below):
                    yield f"{type_.name}.{name}", document % call
                for inner in members(below):
                    if inner.name not in seen or type_ in ROOTS:
                        seen.add(inner.name)
                        on = f"... on {inner.name} {{ %s }}" if isinstance(below, GraphQLUnionType) else "%s"
                        queue.append((inner, document % f"{call} {{ {on} }}"))


def members(type_: Any) -> list[GraphQLObjectType | GraphQLInterfaceType]:
    """The types whose fields can be asked below a field; refusals are not given here."""
    if isinstance(type_, GraphQLUnionType):
        return [found for found in type_.types if "Refusal" not in {face.name for face in found.interfaces}]
    return [type_] if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else []


DOCUMENTS = sorted(set(documents()))


def test_the_sweep_reaches_every_type_that_is_not_a_refusal_or_an_event() -> None:
    reached = {place.split(".")[0] for place, _ in DOCUMENTS}
    refusals = CORE.get_implementations(CORE.type_map["Refusal"]).objects  # type: ignore[arg-type]  # an interface
    left = {type_.name for type_, _, declared in fields() if is_leaf_type(get_named_type(declared.type))} - reached
    assert left == {"Refusal", "WalletSnapshot", "WalletEntry", *(type_.name for type_ in refusals)}
    assert len(DOCUMENTS) >= len(left) + len(reached)


async def sweep(house: House, actor: Actor | None, wallet: str, top_up: str) -> dict[tuple[str, str], Reply]:
    answers = {}
    for place, document in DOCUMENTS:
        query = document.replace("$wallet", f'"{wallet}"').replace("$topUp", f'"{top_up}"')
        answers[place, document] = await house.ask(query, actor)
    return answers


class Owned(NamedTuple):
    """What one person has, in the house that everybody asks."""

    me: Actor
    wallet: str
    top_up: str


@pytest.fixture
async def owned(house: House) -> Owned:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, 777)
    top_up = await a_top_up(house.ports, me, "first")
    return Owned(me, global_id("Wallet", wallet), global_id("TopUp", top_up.id))


async def test_nobody_gets_anything(house: House, owned: Owned) -> None:
    before = house.ports.marks
    house.ports.calls.clear()
    for place, reply in (await sweep(house, None, owned.wallet, owned.top_up)).items():
        assert set(reply.codes) == {"UNAUTHENTICATED"}, f"{place}: {reply.text}"
        assert not any((reply.body["data"] or {}).values()), place
    assert house.ports.marks == before
    assert not house.ports.calls


async def test_the_owner_gets_all_of_it(house: House, owned: Owned) -> None:
    for (place, _), reply in (await sweep(house, owned.me, owned.wallet, owned.top_up)).items():
        assert (reply.status, reply.codes) == (200, []), f"{place}: {reply.text}"
        assert f'"{place.split(".")[1]}":' in reply.text, f"{place}: {reply.text}"


async def test_somebody_else_gets_what_they_would_get_if_none_of_it_existed(house: House, owned: Owned) -> None:
    other = somebody()
    await house.ports.wallet(other)
    theirs = await sweep(house, other, owned.wallet, owned.top_up)
    nothing = await sweep(house, other, global_id("Wallet", 10**6), global_id("TopUp", somebody().person))
    for place, reply in theirs.items():
        assert reply.text == nothing[place].text, place
        assert "777" not in reply.text
        assert owned.top_up not in reply.text
