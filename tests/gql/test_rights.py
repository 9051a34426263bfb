"""Rights stand on every field, where everybody sees them; what they come to for whom is in `rights/rights.txt`."""

from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
)
from strawberry.schema.config import StrawberryConfig

from domain.actor import Actor
from domain.money import Currency, Money
from domain.rights import BrandRole, Permission
from domain.wallet import model
from domain.wallet.actions import start_top_up
from domain.wallet.gateway import Method
from gql.access import Requires, Right, UndeclaredRightError, field, permit, requirement
from gql.context import Context
from gql.errors import ForbiddenError, Manner, UnauthenticatedError
from gql.execution import Schema
from gql.limits import Limits
from gql.schema import build_schema
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet
from tests.fakes import FakePorts, somebody
from tests.gql.house import key

SCHEMA = build_schema()
CORE = SCHEMA.core
ROOTS = {CORE.query_type, CORE.mutation_type, CORE.subscription_type}
PUBLIC = {
    "signUp", "confirmSignUp", "signIn", "requestPasswordReset", "resetPassword", "refreshSession",
    "signOut", "offerPasskeySignIn", "signInWithPasskey", "answerSecondFactor", "beginProviderSignIn",
    "finishProviderSignIn", "signInWithTelegram",
}  # fmt: skip
"""What anybody may do."""
SHOWN = {"Streamer"}
"""What is fetched only for whom it is shown to, and shows everybody who has it a part."""
HARMLESS = {"signOut"}
"""What staff may do that looks through somebody's eyes."""


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
        assert f"@requires(right: {right_of(declared).name}" in printed, f"{type_.name}.{name}"
    assert printed.count("@requires(right: ") == sum(1 for _ in fields())


def of_root(root: GraphQLObjectType | None, wanted: Callable[[GraphQLField], bool]) -> set[str]:
    assert root is not None
    return {name for name, declared in root.fields.items() if wanted(declared)}


def test_what_is_public_is_what_one_does_before_one_is_signed_in() -> None:
    def is_public(declared: GraphQLField) -> bool:
        return right_of(declared) is Right.PUBLIC

    assert of_root(CORE.mutation_type, is_public) == PUBLIC
    assert of_root(CORE.query_type, is_public) == of_root(CORE.subscription_type, is_public) == set()
    assert {f"{t.name}.{n}" for t, n, declared in fields() if is_public(declared) and t not in ROOTS} == set()


def test_hardly_anything_is_changed_through_somebody_elses_eyes() -> None:
    def is_harmless(declared: GraphQLField) -> bool:
        return bool(declared.extensions["strawberry-definition"].metadata["harmless"])

    assert of_root(CORE.mutation_type, is_harmless) == HARMLESS


def test_what_is_for_staff_names_the_permission_that_it_takes() -> None:
    for type_, name, declared in fields():
        found = requirement(declared)
        assert found is not None
        assert (found.right is Right.STAFF) is bool(found.permission), f"{type_.name}.{name}"
        assert found.right is Right.OWNER or not found.role, f"{type_.name}.{name}"


@pytest.mark.parametrize(
    "given",
    [
        {"right": Right.STAFF},
        {"right": Right.SIGNED_IN, "permission": Permission.MANAGE_USERS},
        {"right": Right.SIGNED_IN, "role": BrandRole.OWNER},
        {"right": Right.STAFF, "permission": Permission.MANAGE_USERS, "role": BrandRole.OWNER},
    ],
)
def test_a_right_that_says_too_little_or_too_much_does_not_build(given: Any) -> None:
    with pytest.raises(UndeclaredRightError):
        field(description="A door.", **given)


def test_what_leans_on_its_parent_has_a_parent_that_is_guarded() -> None:
    """A type whose fields only lean on the parent is reached through a field that checks, and never from a root."""
    leaning = {t.name for t, _, declared in fields() if right_of(declared) is Right.PARENT}
    for type_, name, declared in fields():
        if type_ in ROOTS and get_named_type(declared.type).name in leaning:
            assert right_of(declared) in {Right.OWNER, Right.SIGNED_IN, Right.STAFF, Right.OVERLAY}, (
                f"{type_.name}.{name}"
            )


def test_every_type_with_a_global_id_belongs_to_somebody() -> None:
    node = CORE.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    for type_ in CORE.get_implementations(node).objects:
        rights = {right_of(declared) for declared in type_.fields.values()}
        shown = {Right.SIGNED_IN} if type_.name in SHOWN else set()
        assert rights <= {Right.OWNER, Right.STAFF} | shown, type_.name


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
