"""Who may read what. Every field declares a right, the SDL shows it, and a field without one does not build."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from domain.actor import Actor
from gql.errors import ForbiddenError, UnauthenticatedError

_DEFINITION = "strawberry-definition"


@strawberry.enum(description="Who may use a field.")
class Right(Enum):
    """Who may use a field. What is not granted is denied."""

    PUBLIC = strawberry.enum_value("public", description="Anybody, signed in or not.")
    SIGNED_IN = strawberry.enum_value("signed_in", description="Anybody who is signed in.")
    OWNER = strawberry.enum_value(
        "owner",
        description="The owner of the object. At the root: a person who is signed in, and only for what is their own;"
        " what is somebody else's answers as if it did not exist.",
    )
    PARENT = strawberry.enum_value("parent", description="Whoever may read the object that the field belongs to.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="requires", description="The right that a caller needs for a field."
)
class Requires:
    """The declaration as it stands in the SDL."""

    right: Right = strawberry.field(name="right", description="Who may use the field.")


class Caller(Protocol):
    """What a right is judged by: the context of a request."""

    @property
    def actor(self) -> Actor | None:
        """Who is calling; None for a caller who is not signed in."""
        ...


class UndeclaredRightError(Exception):
    """A field that says nothing about who may use it, or what it says cannot be held."""


def field(right: Right, description: str, **options: Any) -> Any:
    """A field that `right` guards: use it instead of `strawberry.field`, as a decorator or as a default."""
    return strawberry.field(description=description, directives=(Requires(right=right),), **options)


def permit(right: Right, source: object, caller: Caller) -> None:
    """Let the caller pass, or raise `UnauthenticatedError` or `ForbiddenError`.

    An object is the caller's own when its `owner` is the caller's name in the ledger.
    """
    if right in {Right.PUBLIC, Right.PARENT}:
        return
    if caller.actor is None:
        raise UnauthenticatedError
    if right is Right.OWNER and source is not None and getattr(source, "owner", None) != caller.actor.owner:
        raise ForbiddenError


def guard(schema: GraphQLSchema) -> None:
    """Put the declared right before every resolver. Raises `UndeclaredRightError` naming the first field at fault."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or type_.name.startswith("__"):
            continue
        for name, declared in type_.fields.items():
            right = _right_of(declared)
            if right is None:
                raise UndeclaredRightError(f"{type_.name}.{name} declares no right")
            if type_ in roots:
                _guard_root(declared, right, f"{type_.name}.{name}", streams=type_ is schema.subscription_type)
            elif isinstance(type_, GraphQLObjectType):
                declared.resolve = _guarded(right, declared.resolve)
    _describe_arguments(schema)


def _describe_arguments(schema: GraphQLSchema) -> None:
    """Strawberry forgets what the arguments of a schema directive mean."""
    for directive in schema.directives:
        definition = directive.extensions.get(_DEFINITION)
        for found in getattr(definition, "fields", ()):
            directive.args[found.graphql_name or found.python_name].description = found.description


def _guard_root(declared: GraphQLField, right: Right, place: str, *, streams: bool) -> None:
    """A root field has no parent to lean on. A subscription is judged when it begins: its events have passed then."""
    if right is Right.PARENT:
        raise UndeclaredRightError(f"{place} is a root: it has no parent whose right would hold")
    if streams:
        declared.subscribe = _guarded(right, declared.subscribe)
    else:
        declared.resolve = _guarded(right, declared.resolve)


def _right_of(declared: GraphQLField) -> Right | None:
    definition = declared.extensions.get(_DEFINITION)
    if not isinstance(definition, StrawberryField):
        return None
    return next((found.right for found in definition.directives if isinstance(found, Requires)), None)


def _guarded(right: Right, resolve: Callable[..., Any] | None) -> Callable[..., Any]:
    if resolve is None:
        raise UndeclaredRightError("a field without a resolver cannot be guarded")

    def resolve_if_permitted(source: object, info: Any, **arguments: Any) -> Any:
        permit(right, source, info.context)
        return resolve(source, info, **arguments)

    return resolve_if_permitted
