"""Documents that ask for every field of the schema, with arguments that make sense, made from the schema itself.

A field that is new is asked like all others. What its arguments are to be is guessed from their names and types; where
that is not good enough, `VALUES` says it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_leaf_type,
)

from gql.access import Requires, Right, requirement
from gql.schema import build_schema

CORE = build_schema().core
REFUSAL, NODE = (cast("GraphQLInterfaceType", CORE.type_map[name]) for name in ("Refusal", "Node"))
KINDS = sorted(type_.name for type_ in CORE.get_implementations(NODE).objects)
ROOTS = [root for root in (CORE.query_type, CORE.mutation_type, CORE.subscription_type) if root is not None]

PLATFORM_CODE = "GT-0000-0000"
HELD, FROZEN, DOUBTED = (f"2026-01-01T00:0{minute}:00Z" for minute in range(3))
"""Minutes of everybody's participations: one that may be disputed, one that is, and one that waits for staff."""
PASSWORD = "correct horse battery"
VALUES: Mapping[str, Any] = {
    "purpose": "HOSTING_CREDIT", "currency": "IDR", "portal": "PLAYER", "method": "QRIS", "amount": "50000",
    "password": PASSWORD, "oldPassword": PASSWORD, "newPassword": "other horses, other batteries",
    "mail": "somebody.new@mail.example", "network": "198.51.100.0/24", "reason": "They asked us to.", "version": "1",
    "GiveConsentInput.purpose": "MARKETING", "WithdrawConsentInput.purpose": "MARKETING",
    "locale": "ENGLISH", "first": 1, "provider": "GOOGLE", "miniApp": "hash=text",
    "SetRolePermissionsInput.role": "SUPPORT", "SetStaffRoleInput.role": "ADMIN", "permissions": "MANAGE_USERS",
    "language": "id", "country": "ID", "timeZone": "Asia/Jakarta", "platform": "FACEBOOK", "account": "an.account",
    "ConfirmPlatformLinkInput.code": PLATFORM_CODE, "sha256": "5e" * 32,
    "PlanInput.link": "https://baterai.example/play", "DecideCampaignInput.version": 1,
    "OpenDisputeInput.minutes": HELD, "ReviewMinuteInput.minute": DOUBTED,
}  # fmt: skip
"""What arguments are to be, by name, or by type and name."""

ASKED = {"first", "miniApp", "role", "html"}
"""Arguments that are given though none is needed."""

LEFT_OUT = {"AddCreativeInput.assetId"}
"""Names of objects that are not given where none is needed: another argument stands in their place."""

ID_NAMES: Mapping[str, str] = {
    "identityId": "SignInIdentity", "requestId": "MergeRequest", "survivorId": "Person", "mergedId": "AnotherPerson",
    "PeopleSearch.id": "Person", "linkId": "PlatformLink", "memberId": "BrandMember", "contactId": "BrandMember",
    "invitationId": "BrandInvitation", "logoId": "Asset", "documentIds": "AnotherAsset",
    "upTo": "Message", "OpenCampaign.id": "AnotherCampaign", "replacesId": "Creative",
    "AcceptOfferInput.participationId": "AnotherParticipation",
    "CounterOfferInput.participationId": "AnotherParticipation",
    "RejectParticipationInput.participationId": "AnotherParticipation",
}  # fmt: skip
"""Of which kind ids are that do not say it by their name."""

SCALARS: Mapping[str, Any] = {
    "String": "text", "Boolean": True, "Int": 1, "Decimal": "1", "DateTime": "2099-01-01T00:00:00Z", "Cursor": "none",
    "Float": 1.0, "Date": "2027-01-01",
}  # fmt: skip
"""What they are to be otherwise, by type."""


@dataclass(frozen=True)
class Root:
    """A field of a root as it is asked for; `kind` says of what type the object is where any would do."""

    type_: GraphQLObjectType
    name: str
    declared: GraphQLField
    kind: str | None = None

    @property
    def row(self) -> str:
        """Its line in the table."""
        return f"{self.type_.name}.{self.name}" + (f"({self.kind})" if self.kind else "")

    @property
    def right(self) -> Right:
        """Who may use it."""
        return right_of(self.declared)

    @property
    def takes_ids(self) -> bool:
        """Whether it names an object."""
        return any(_names_something(each.type) for _, each in _needed(self.declared))

    def document(self, ids: Mapping[str, str], without: frozenset[str]) -> str:
        """A document that asks for all that is below it, but for fields `without` which it is to be asked."""
        ask = _Asking(ids, self.kind, without)
        return f"{self.type_.name.lower()} {{ {ask.field(self.type_, self.name, self.declared)} }}"


def requires(declared: GraphQLField) -> Requires:
    """What a field declares."""
    found = requirement(declared)
    assert found is not None
    return found


def right_of(declared: GraphQLField) -> Right:
    """Who may use a field."""
    return Right(requires(declared).right)


def roots() -> list[Root]:
    """Every field of every root; one that takes an id of any kind once for each kind."""
    found = []
    for type_ in ROOTS:
        for name, declared in type_.fields.items():
            any_kind = get_named_type(declared.type) is NODE
            found += [Root(type_, name, declared, kind) for kind in (KINDS if any_kind else [None])]
    return found


def places() -> Iterator[tuple[str, GraphQLField]]:
    """Every field of a type that is neither a root nor a refusal."""
    for type_ in CORE.type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_ not in ROOTS and REFUSAL not in type_.interfaces:
            yield from ((f"{type_.name}.{name}", found) for name, found in type_.fields.items() if type_.name[0] != "_")


class _Asking:
    """Writes one document. Each type is unfolded once in it, and only one with a global id: others have their own."""

    def __init__(self, ids: Mapping[str, str], kind: str | None, without: frozenset[str]) -> None:
        self._ids, self._kind, self._without = ids, kind, without
        self._met = set[str]()
        self._object: str | None = None

    def field(self, type_: GraphQLObjectType, name: str, declared: GraphQLField, alias: str = "") -> str:
        """A field with what it needs and all below."""
        given = {arg: self._argument(arg, each, get_named_type(declared.type).name) for arg, each in _needed(declared)}
        spelled = ", ".join(f"{arg}: {written}" for arg, written in given.items())
        below = get_named_type(declared.type)
        unfolded = "__typename" if below is NODE and "ids" in given else self._selection(below)
        inner = "" if is_leaf_type(below) else f" {{ {unfolded} }}"
        return f"{alias}{name}{f'({spelled})' if spelled else ''}{inner}"

    def _selection(self, type_: Any) -> str:
        if is_leaf_type(type_):
            return ""
        if isinstance(type_, GraphQLUnionType):
            made = [each for each in type_.types if REFUSAL not in each.interfaces]
            return self._members(made, refused=len(made) < len(type_.types))
        if isinstance(type_, GraphQLInterfaceType):
            made = [each for each in CORE.get_implementations(type_).objects if self._kind in {None, each.name}]
            return self._members(made, refused=False)
        return f"__typename {self._fields(type_)}"

    def _members(self, types: list[GraphQLObjectType], *, refused: bool) -> str:
        shapes: dict[str, str] = {}
        parts = [f"... on {each.name} {{ {self._fields(each, shapes)} }}" for each in types]
        return " ".join(["__typename", *(["... on Refusal { code }"] if refused else []), *parts])

    def _fields(self, type_: GraphQLObjectType, shapes: dict[str, str] | None = None) -> str:
        """All fields of a type; those that another member of a union has in another shape under another name."""
        if type_.name in self._met or (type_.name in KINDS and self._object is not None):
            return "__typename"
        self._met.add(type_.name)
        self._object = type_.name if type_.name in KINDS else self._object
        parts = ["__typename"]
        for name, declared in type_.fields.items():
            if f"{type_.name}.{name}" not in self._without:
                same = shapes is None or shapes.setdefault(name, str(declared.type)) == str(declared.type)
                parts.append(self.field(type_, name, declared, "" if same else f"{type_.name}_{name}: "))
        return " ".join(parts)

    def _argument(self, name: str, declared: GraphQLArgument, answer: str) -> str:
        return _literal(self._value(name, declared.type, answer))

    def _value(self, name: str, type_: Any, within: str) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._value(name, type_.of_type, within)
        if isinstance(type_, GraphQLList):
            return [self._value(name, type_.of_type, within)]
        if isinstance(type_, GraphQLInputObjectType):
            return {key: self._value(key, each.type, type_.name) for key, each in _needed(type_)}
        if type_.name in _IDS:
            kind = ID_NAMES.get(f"{within}.{name}", ID_NAMES.get(name, _kind_named(name, self._kind or within)))
            return self._ids[kind if type_.name == "ID" else _uuid_named(name)]
        found = VALUES.get(f"{within}.{name}", VALUES.get(name))
        if isinstance(type_, GraphQLEnumType):
            return _Word(found if found in type_.values else next(iter(type_.values)))
        return SCALARS[type_.name] if found is None else found


_IDS = {"ID", "UUID"}


class _Word(str):
    """Written without quotes."""

    __slots__ = ()


def _needed(of: Any) -> Iterator[tuple[str, Any]]:
    """What must be given; what names an object, for that is what a right is about; and that a page is short."""
    each: GraphQLArgument | GraphQLInputField
    for name, each in (of.args if isinstance(of, GraphQLField) else of.fields).items():
        required = isinstance(each.type, GraphQLNonNull) and each.default_value is Undefined
        is_left_out = not isinstance(of, GraphQLField) and f"{of.name}.{name}" in LEFT_OUT
        names = get_named_type(each.type).name in _IDS and not is_left_out
        if required or name in ASKED or names:
            yield name, each


def _names_something(type_: Any) -> bool:
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        return any(_names_something(each.type) for _, each in _needed(named))
    return named.name in _IDS


def _kind_named(name: str, otherwise: str) -> str:
    """Of which kind an id is: `walletId` is a wallet's, `id` that of what the field answers."""
    stem = name.removesuffix("s").removesuffix("Id")
    return stem[0].upper() + stem[1:] if stem and stem != name.removesuffix("s") else otherwise


def _uuid_named(name: str) -> str:
    """Whose UUID it is: a brand's where the name says so, or else a person's."""
    return "brand" if "brand" in name.lower() else "person"


def _literal(value: Any) -> str:
    if isinstance(value, _Word):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value)
