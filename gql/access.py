"""Who may read what. Every field declares a right, the SDL shows it, and a field without one does not build."""

from collections.abc import Callable, Mapping
from enum import Enum
from inspect import isawaitable
from typing import Any, Protocol

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry import UNSET
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from domain.actor import Actor
from domain.overlay.model import Screen
from domain.rights import BrandRole, Permission
from gql.enums import describe
from gql.errors import ForbiddenError, UnauthenticatedError
from gql.weights import Costs, ListSize

DEFINITION = "strawberry-definition"
"""Where the engine's types and fields keep what Strawberry knows of them."""


@strawberry.enum(description="Who may use a field.")
class Right(Enum):
    """Who may use a field. What is not granted is denied."""

    PUBLIC = strawberry.enum_value("public", description="Anybody, signed in or not.")
    SIGNED_IN = strawberry.enum_value("signed_in", description="Anybody who is signed in.")
    OWNER = strawberry.enum_value(
        "owner",
        description="The owner of the object, or who has a role in the brand that owns it. At the root: a person who is"
        " signed in, and only for what is theirs; what is somebody else's answers as if it did not exist.",
    )
    STAFF = strawberry.enum_value(
        "staff", description="Staff with the permission that is named, behind their second factor."
    )
    OVERLAY = strawberry.enum_value(
        "overlay", description="An overlay's page, by the overlay's own token, and nobody else."
    )
    PARENT = strawberry.enum_value("parent", description="Whoever may read the object that the field belongs to.")


describe(
    Permission, "Permission", "One thing that staff may be allowed to do.",
    {
        Permission.MANAGE_USERS: "Look after people: find, ban, merge, impersonate, give roles.",
        Permission.VERIFY_BRANDS: "Verify brands.",
        Permission.VERIFY_STREAMERS: "Verify streamers.",
        Permission.MANAGE_CAMPAIGNS: "Look after campaigns.",
        Permission.VIEW_FINANCIALS: "See money: wallets, top-ups, reviews, reports.",
        Permission.APPROVE_PAYOUTS: "Approve what leaves.",
        Permission.MODERATE_CONTENT: "Review creatives and messages.",
        Permission.ACCESS_AUDIT: "Read and verify the audit log.",
        Permission.MANAGE_DISPUTES: "Decide disputes.",
        Permission.CONFIGURE_SYSTEM: "Change settings, networks and what roles may do.",
    },
)  # fmt: skip
describe(
    BrandRole, "BrandRole", "A role within a brand. Each may do what those after it may.",
    {
        BrandRole.OWNER: "Everything, members included.",
        BrandRole.MANAGER: "Campaigns, money, and what the brand says of itself.",
        BrandRole.VIEWER: "Look on.",
    },
)  # fmt: skip


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="requires", description="The right that a caller needs for a field."
)
class Requires:
    """The declaration as it stands in the SDL."""

    right: Right = strawberry.field(name="right", description="Who may use the field.")
    permission: Permission | None = strawberry.field(
        name="permission", default=UNSET, description="The permission that staff needs."
    )
    role: BrandRole | None = strawberry.field(
        name="role", default=UNSET, description="The least role in the brand that the object belongs to."
    )


class Caller(Protocol):
    """What a right is judged by: the context of a request."""

    @property
    def actor(self) -> Actor | None:
        """Who is calling; None for a caller who is not signed in."""
        ...

    @property
    def screen(self) -> Screen | None:
        """The overlay that is calling, if one is: that is nobody, and may do what overlays do."""
        ...


class Judged:
    """Mixed into a context that stands for many callers, each of whom has the rights that depend on no object."""

    __slots__ = ()


class UndeclaredRightError(Exception):
    """A field that says nothing about who may use it, or what it says cannot be held."""


_HARMLESS = "harmless"


def field(
    right: Right,
    description: str,
    *,
    permission: Permission | None = None,
    role: BrandRole | None = None,
    cost: int = 1,
    list_size: ListSize | None = None,
    harmless: bool = False,
    metadata: Mapping[str, object] | None = None,
    **options: Any,
) -> Any:
    """A field that `right` guards: use it instead of `strawberry.field`, as a decorator or as a default.

    `permission` goes with `Right.STAFF`, `role` (a viewer where none is named) with `Right.OWNER`. Staff that looks
    through somebody's eyes may use a mutation only if it is `harmless`. `cost` is what it costs beside what is selected
    of it, in plain fields, and a list declares its `list_size`.
    """
    if (right is Right.STAFF) is (permission is None) or (role is not None and right is not Right.OWNER):
        raise UndeclaredRightError(f"{right} does not go with {permission} and {role}")
    requires = Requires(right=right, permission=permission or UNSET, role=role or UNSET)
    directives: list[object] = [requires]
    if cost != 1:
        directives.append(Costs(weight=str(cost)))
    if list_size is not None:
        directives.append(list_size)
    known = {_HARMLESS: harmless, **(metadata or {})}
    return strawberry.field(description=description, directives=directives, metadata=known, **options)


def permit(requires: Requires, source: object, caller: Caller) -> None:
    """Let the caller pass, or raise `UnauthenticatedError` or `ForbiddenError`.

    An object is the caller's when its `owner` is a name in the ledger that the caller stands for. An overlay has no
    right of anybody's, not even what is for everybody.
    """
    right = requires.right
    if right is Right.PARENT or (isinstance(caller, Judged) and right is not Right.OWNER):
        return
    if (caller.screen is not None) is not (right is Right.OVERLAY):
        _refuse_screen(right, caller)
    if right in {Right.PUBLIC, Right.OVERLAY}:
        return
    actor = caller.actor
    if actor is None:
        raise UnauthenticatedError
    if right is Right.STAFF and (not requires.permission or not actor.may(requires.permission)):
        raise ForbiddenError("It takes a permission of staff that you do not have.")
    if right is Right.OWNER and source is not None:
        owner = getattr(source, "owner", None)
        if not isinstance(owner, str) or not actor.stands_for(owner, requires.role or BrandRole.VIEWER):
            raise ForbiddenError


def _refuse_screen(right: Right, caller: Caller) -> None:
    """An overlay where people are asked for, or the other way round. Raises as `permit` does."""
    if right is Right.OVERLAY and caller.actor is None:
        raise UnauthenticatedError
    raise ForbiddenError("Overlays do what overlays do, and nobody else does.")


def hold(requires: Requires | None, caller: Caller, *, changes: bool) -> None:
    """Let the caller use a field of the root, as `permit` has it; one that `changes` something, only as oneself."""
    if changes:
        as_oneself(caller)
    if requires is not None:
        permit(requires, None, caller)


def as_oneself(caller: Caller) -> None:
    """Refuse a change to who only looks through somebody's eyes. Raises `ForbiddenError`."""
    if caller.actor is not None and caller.actor.impersonator is not None:
        raise ForbiddenError("Nothing is changed while you look through somebody else's eyes.")


def guard(schema: GraphQLSchema) -> None:
    """Put the declared right before every resolver. Raises `UndeclaredRightError` naming the first field at fault."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    mutations = schema.mutation_type.fields if schema.mutation_type else {}
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or type_.name.startswith("__"):
            continue
        for name, declared in type_.fields.items():
            requires = requirement(declared)
            if requires is None:
                raise UndeclaredRightError(f"{type_.name}.{name} declares no right")
            if type_ in roots:
                _guard_root(declared, requires, f"{type_.name}.{name}", streams=type_ is schema.subscription_type)
            elif isinstance(type_, GraphQLObjectType):
                declared.resolve = _guarded(requires, declared.resolve)
    for declared in mutations.values():
        if not is_harmless(declared):
            declared.resolve = _not_through_others_eyes(declared.resolve)
        declared.resolve = _judged_anew(declared.resolve)
    _describe_arguments(schema)


def _describe_arguments(schema: GraphQLSchema) -> None:
    """Strawberry forgets what the arguments of a schema directive mean."""
    for directive in schema.directives:
        definition = directive.extensions.get(DEFINITION)
        for found in getattr(definition, "fields", ()):
            directive.args[found.graphql_name or found.python_name].description = found.description


def _guard_root(declared: GraphQLField, requires: Requires, place: str, *, streams: bool) -> None:
    """A root field has no parent to lean on. A subscription is judged when it begins: its events have passed then."""
    if requires.right is Right.PARENT:
        raise UndeclaredRightError(f"{place} is a root: it has no parent whose right would hold")
    if streams:
        declared.subscribe = _guarded(requires, declared.subscribe)
    else:
        declared.resolve = _guarded(requires, declared.resolve)


def requirement(declared: GraphQLField) -> Requires | None:
    """What a field of the schema declares; None for one that declares nothing."""
    definition = declared.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryField):
        return None
    return next((found for found in definition.directives if isinstance(found, Requires)), None)


def is_harmless(declared: GraphQLField) -> bool:
    """Whether a mutation may be used through somebody else's eyes."""
    return bool(declared.extensions[DEFINITION].metadata[_HARMLESS])


def _not_through_others_eyes(resolve: Callable[..., Any] | None) -> Callable[..., Any]:
    def resolve_as_oneself(source: object, info: Any, **arguments: Any) -> Any:
        as_oneself(info.context)
        return resolve(source, info, **arguments) if resolve else None

    return resolve_as_oneself


def _judged_anew(resolve: Callable[..., Any] | None) -> Callable[..., Any]:
    """The changes of one request follow one another: what one takes from the caller the next does not find any more."""

    async def resolve_after_others(source: object, info: Any, **arguments: Any) -> Any:
        await info.context.before_change()
        found = resolve(source, info, **arguments) if resolve else None
        return await found if isawaitable(found) else found

    return resolve_after_others


def _guarded(requires: Requires, resolve: Callable[..., Any] | None) -> Callable[..., Any]:
    if resolve is None:
        raise UndeclaredRightError("a field without a resolver cannot be guarded")

    def resolve_if_permitted(source: object, info: Any, **arguments: Any) -> Any:
        permit(requires, source, info.context)
        return resolve(source, info, **arguments)

    return resolve_if_permitted
