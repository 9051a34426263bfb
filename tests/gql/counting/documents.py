"""A document for each way through the schema to a type that has something to look up, made from the schema itself.

What is new in the schema is asked like all the rest, and a list that nobody makes longer fails the test.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from re import search
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from gql.access import Right
from gql.engine.bindings import How, binding_of
from tests.gql.rights.asking import CORE, KINDS, NODE, right_of

LARGEST = 100
GIVEN: Mapping[str, str] = {
    "balanceAt.at": '"2099-01-01T00:00:00Z"',
    "auditLog.filter": '{action: "crowd."}',
    "people.search": "$search",
    "person.id": "$Person",
    "wallet.id": "$Wallet",
    "topUp.id": "$TopUp",
    "streamer.id": "$Streamer",
    "asset.id": "$Asset",
    "campaigns.brandId": "$Brand",
    "campaignCases.state": "ACTIVE",
    "participations.campaignId": "$Campaign",
    "openCampaign.id": "$Campaign",
    "participationMessages.participationId": "$Participation",
}
"""Arguments that must be given, or had better be; a page is as long as it may be."""
APART = {"Query.verifyAuditLog"}
"""Walks along the sealed chain on a connection of its own, and answers no list."""
SHOWN = {"Streamer"}
"""Types that others see a part of."""
TWICE = {"Person"}
"""Types that lead to themselves: people who were found to be somebody else."""


@dataclass(frozen=True)
class Step:
    """A field on the way; `kind` says of what type the object is where any would do."""

    name: str
    declared: GraphQLField
    kind: str | None = None

    @property
    def type(self) -> Any:
        """What it leads to."""
        return CORE.type_map[self.kind] if self.kind else get_named_type(self.declared.type)

    @property
    def is_list(self) -> bool:
        """Whether that is many."""
        return is_list_type(get_nullable_type(self.declared.type)) or "edges" in getattr(self.type, "fields", ())

    def __str__(self) -> str:
        return f"{self.name}({self.kind})" if self.kind else self.name


Steps = list[Step]


def _may_ask(type_: GraphQLObjectType, declared: GraphQLField, root: Step) -> bool:
    """What is shown to others, too, shows them a part: the rest is asked for as the caller's own."""
    return type_.name not in SHOWN or root.name == "viewer" or right_of(declared) is not Right.OWNER


@dataclass(frozen=True)
class Document:
    """A way through the schema, and what is asked at its end."""

    way: str
    query: str


def documents() -> Iterator[Document]:
    """One for each field that leads to a type that has something to look up; through lists if there is such a way."""
    assert CORE.query_type is not None
    roots = [
        [Step(name, declared, kind)]
        for name, declared in CORE.query_type.fields.items()
        if f"Query.{name}" not in APART and not is_leaf_type(get_named_type(declared.type))
        for kind in _kinds(declared)
    ]
    met = set[tuple[str, str]]()
    for through_lists in (True, False):
        yield from _ways([way for way in roots if way[0].is_list is through_lists], met)


def _ways(waiting: list[Steps], met: set[tuple[str, str]]) -> Iterator[Document]:
    """The shortest ways from there on to what was not met before."""
    while waiting:
        way = waiting.pop(0)
        end = way[-1].type
        if len(way) == 1 or _looks_up(end):
            yield _document(way)
        if way[-1].kind is None:
            below = [
                Step(name, each, None)
                for name, each in end.fields.items()
                if (end.name, name) not in met and _may_ask(end, each, way[0])
            ]
            waiting += [[*way, step] for step in below if isinstance(step.type, GraphQLObjectType)]
            met.update((end.name, step.name) for step in below)


def _kinds(declared: GraphQLField) -> list[str] | list[None]:
    """For what answers an object of any kind: each kind. What leads on from there is met elsewhere."""
    return KINDS if get_named_type(declared.type) is NODE else [None]


def _document(way: Steps) -> Document:
    inside, root = _everything(way[-1].type, 2, way[0]), way[0]
    for step in reversed(way):
        within = f"... on {step.kind} {{ {inside} }}" if step.kind else inside
        inside = f"{_call(step)} {{ {within} }}"
    named = search(r"\$(\w+)", _call(root))
    name = named[1] if named else ""
    type_ = "PeopleSearch!" if name == "search" else "[ID!]!" if name.endswith("s") else "ID!"
    declared = f"query (${name}: {type_})" if name else "query"
    return Document(".".join(str(step) for step in way), f"{declared} {{ {inside} }}")


def _everything(type_: GraphQLObjectType, depth: int, root: Step) -> str:
    """All that is to be asked of a type, and of what it leads to within so many steps of looking up."""
    parts = ["__typename"]
    for name, declared in type_.fields.items():
        if not _may_ask(type_, declared, root):
            continue
        below: Any = get_named_type(declared.type)
        left = depth - (_is_looked_up(declared) or below.name in KINDS or below.name in TWICE)
        if is_leaf_type(below):
            parts.append(_call(Step(name, declared)))
        elif left > 0:
            parts.append(f"{_call(Step(name, declared))} {{ {_everything(below, left, root)} }}")
    return " ".join(parts)


def _call(step: Step) -> str:
    """A field with its arguments."""
    given, name, declared, kind = dict[str, str](), step.name, step.declared, step.kind
    for argument, each in declared.args.items():
        if argument == "first":
            given[argument] = str(LARGEST)
        elif f"{name}.{argument}" in GIVEN:
            given[argument] = GIVEN[f"{name}.{argument}"]
        elif kind:
            given[argument] = f"${kind}{'s' if argument == 'ids' else ''}"
        elif isinstance(each.type, GraphQLNonNull) and each.default_value is Undefined:
            raise LookupError(f"{name} wants {argument}: say in `GIVEN` what it is to be")
    return f"{name}({', '.join(f'{key}: {value}' for key, value in given.items())})" if given else name


def _is_looked_up(declared: GraphQLField) -> bool:
    return binding_of(declared).how in {How.AWAIT, How.BATCH}


def _looks_up(type_: GraphQLObjectType) -> bool:
    return any(_is_looked_up(each) for each in type_.fields.values())


def _is_list_of_objects(declared: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(declared.type)) and not is_leaf_type(get_named_type(declared.type))


def lists() -> dict[str, GraphQLField]:
    """Every list of objects that a query may meet, by type and field."""
    assert CORE.query_type is not None
    found, waiting, met = dict[str, GraphQLField](), [CORE.query_type], {"Query"}
    while waiting:
        type_ = waiting.pop()
        for name, declared in type_.fields.items():
            below: Any = get_named_type(declared.type)
            if _is_list_of_objects(declared):
                found[f"{type_.name}.{name}"] = declared
            for each in CORE.get_implementations(below).objects if below is NODE else [below]:
                if isinstance(each, GraphQLObjectType) and each.name not in met:
                    met.add(each.name)
                    waiting.append(each)
    return found
