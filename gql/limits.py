"""How large a request may be. Measured before validation, whose own time grows with the square of some documents."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from gql.costs import Arguments, Cost, literal_defaults, summed
from gql.errors import TooLargeError
from gql.weighing import weight_of

_MOST_DIGITS = 1_000
"""Of a number. Python reads none of more than some thousand, for that takes the square of its length."""

_DIGITS = re.compile("[0-9]+")

_DEEPEST = 100
"""Levels, fragments among them, after which measuring gives up; a stack holds more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest request that is answered."""

    tokens: int = 2_000
    depth: int = 12
    aliases: int = 15
    directives: int = 30
    repeats: int = 10_000
    """Pairs of fields that have one name in one place."""
    cost: int = 10_000
    """Fields to be resolved, a page counted as full."""
    query_s: float = 10.0
    """How long a query may take, or to answer an event of a subscription; seconds."""
    change_s: float = 30.0
    """How long somebody waits for a mutation; it takes longer where vendors are asked."""
    answer_bytes: int = 1024 * 1024
    """How long the text of an answer's data may be."""
    introspection: bool = False

    def allow(self, size: "Size", variables: Mapping[str, Any]) -> bool:
        """Whether an operation of a size is answered."""
        return (
            size.depth <= self.depth
            and size.aliases <= self.aliases
            and size.directives <= self.directives
            and size.cost.of(variables) <= self.cost
        )


class Size(NamedTuple):
    """What a selection amounts to, its fragments spread out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    changes: int = 0
    """Fields of a mutation at its root, each of which is a request of its own."""
    cost: Cost = Cost()
    unsized: Mapping[str, Cost] = {}
    """What one item of each list costs, by the list's name, where the field above says how long the lists are."""

    def beside(self, other: "Size") -> "Size":
        """Both of two selections."""
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.changes + other.changes,
            self.cost.beside(other.cost),
            _both(self.unsized, other.unsized),
        )


def _both(ones: Mapping[str, Cost], others: Mapping[str, Cost]) -> Mapping[str, Cost]:
    if not others:
        return ones
    return {name: ones.get(name, Cost()).beside(others.get(name, Cost())) for name in {**ones, **others}}


class Measured(NamedTuple):
    """An operation of a document and its size."""

    operation: OperationDefinitionNode
    size: Size


def measured(schema: GraphQLSchema, document: DocumentNode) -> list[Measured]:
    """Each operation's size. A document need not be valid: what is unknown counts as little as it can do."""
    found = []
    for operation in _operations(document):
        try:
            size = _Measure(schema, document).of_operation(operation)
        except _NestedError:
            size = Size(depth=_DEEPEST)
        found.append(Measured(operation, size))
    return found


def excesses(sizes: Iterable[Measured], limits: Limits, variables: Mapping[str, Any]) -> list[GraphQLError]:
    """What is too large."""
    errors = []
    for operation, size in sizes:
        if limits.allow(size, variables):
            continue
        sides = {
            "depth": (size.depth, limits.depth),
            "aliases": (size.aliases, limits.aliases),
            "directives": (size.directives, limits.directives),
            "cost": (size.cost.of(variables), limits.cost),
        }
        for name, (found, most) in sides.items():
            if found > most:
                cause = TooLargeError(name, f"Too large: its {name} is {found}, the most is {most}.")
                errors.append(GraphQLError(str(cause), operation, original_error=cause))
    return errors


def refuse_endless_numbers(text: str) -> None:
    """No number of a document is longer than can be read. Raises `TooLargeError`."""
    if any(len(found) > _MOST_DIGITS for found in _DIGITS.findall(text)):
        raise TooLargeError("digits", f"Too large: a number has more than {_MOST_DIGITS} digits.")


class _NestedError(Exception):
    """Selections within selections without end."""


def _operations(document: DocumentNode) -> Iterable[OperationDefinitionNode]:
    return (found for found in document.definitions if isinstance(found, OperationDefinitionNode))


class _Measure:
    """Measures one operation. A fragment is measured once for each type it is spread on, however often it is used."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)
        }
        self._measured: dict[str, Size] = {}
        self._defaults: Mapping[str, Any] = {}
        self._level = 0

    def of_operation(self, operation: OperationDefinitionNode) -> Size:
        """The size of a whole operation."""
        declared = operation.variable_definitions or ()
        self._defaults = literal_defaults((each.variable.name.value, each.default_value) for each in declared)
        inside = self._selection(operation.selection_set, self._schema.get_root_type(operation.operation))
        return inside._replace(directives=inside.directives + len(operation.directives or ()))

    def _selection(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Size:
        self._level += 1
        if self._level > _DEEPEST:
            raise _NestedError
        size = Size()
        for node in selections.selections:
            match node:
                case FieldNode():
                    found = self._field(node, parent)
                case InlineFragmentNode():
                    named = node.type_condition.name.value if node.type_condition else None
                    found = self._selection(node.selection_set, self._schema.get_type(named) if named else parent)
                case FragmentSpreadNode():
                    found = self._fragment(node.name.value)
                case _:
                    continue
            size = size.beside(found._replace(directives=found.directives + len(node.directives or ())))
        self._level -= 1
        return size

    def _fragment(self, name: str) -> Size:
        """A fragment that spreads itself counts as nothing within: validation refuses it."""
        fragment = self._fragments.get(name)
        if fragment is None:
            return Size()
        if name not in self._measured:
            self._measured[name] = Size()
            on = self._schema.get_type(fragment.type_condition.name.value)
            self._measured[name] = self._selection(fragment.selection_set, on)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Size:
        """A field costs its weight; of a list, what is selected of an item costs as often as there may be items."""
        aliases = int(node.alias is not None)
        if node.name.value.startswith("__"):
            return Size(1, aliases, cost=Cost(1))
        declared = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        )
        type_, weight = get_named_type(declared.type) if declared else None, weight_of(declared)
        below = self._selection(node.selection_set, type_) if node.selection_set is not None else Size()
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        arguments = Arguments(given, weight, self._defaults)
        cost, unsized = below.cost, dict[str, Cost]()
        if weight.sized:
            items = summed(below.unsized[name] for name in weight.sized if name in below.unsized)
            cost = cost.beside(items.repeated(arguments.times()))
        elif weight.has_size:
            cost = (cost if is_composite_type(type_) else Cost(1)).repeated(arguments.times())
        elif weight.is_list:
            cost, unsized = Cost(), {node.name.value: cost if is_composite_type(type_) else Cost(1)}
        changes = int(parent is not None and parent is self._schema.mutation_type)
        cost = cost.beside(arguments.once())
        return Size(below.depth + 1, below.aliases + aliases, below.directives, changes, cost, unsized)
