"""How large a request may be. Measured before validation, whose own time grows with the square of some documents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from gql.paging import LARGEST_PAGE

_DEEPEST = 100
"""Levels, fragments among them, after which measuring gives up; a stack holds more."""

_LONGEST_NUMBER = 4

WHOLE_HISTORY = 500
"""What a field costs that has no index to go by and adds up all that ever happened."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest request that is answered."""

    tokens: int = 2_000
    depth: int = 12
    aliases: int = 15
    directives: int = 30
    cost: int = 10_000
    """Fields to be resolved, a page counted as full."""
    introspection: bool = False


Times = Callable[[Mapping[str, Any]], int]
"""How often something happens, by what a request's variables say."""


@dataclass(frozen=True, eq=False, slots=True)
class _Repeated:
    """What happens as often as the variables say."""

    times: Times
    cost: "Cost"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a selection costs, whatever the variables of a request will be.

    A fragment that is spread a thousand times is one part here, so that neither adding nor reckoning takes longer than
    the document is long.
    """

    fixed: int = 0
    parts: Mapping[_Repeated, int] = field(default_factory=dict)
    """What depends on variables, and how often it is there."""

    def of(self, variables: Mapping[str, Any]) -> int:
        """The cost for these variables."""
        return self._of(variables, {})

    def _of(self, variables: Mapping[str, Any], known: dict[_Repeated, int]) -> int:
        total = self.fixed
        for part, count in self.parts.items():
            if part not in known:
                known[part] = part.times(variables) * part.cost._of(variables, known)  # noqa: SLF001 - its own kind
            total += count * known[part]
        return total

    def beside(self, other: "Cost") -> "Cost":
        """What both cost."""
        parts = dict(self.parts)
        for part, count in other.parts.items():
            parts[part] = parts.get(part, 0) + count
        return Cost(self.fixed + other.fixed, parts)

    def repeated(self, times: int | Times) -> "Cost":
        """What it costs to do it so often."""
        if isinstance(times, int):
            return Cost(self.fixed * times, {part: count * times for part, count in self.parts.items()})
        return Cost(0, {_Repeated(times, self): 1})


class Size(NamedTuple):
    """What a selection amounts to, its fragments spread out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    changes: int = 0
    """Fields of a mutation at its root, each of which is a request of its own."""
    cost: Cost = Cost()

    def beside(self, other: "Size") -> "Size":
        """Both of two selections."""
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.changes + other.changes,
            self.cost.beside(other.cost),
        )


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
        sides = {
            "depth": (size.depth, limits.depth),
            "aliases": (size.aliases, limits.aliases),
            "directives": (size.directives, limits.directives),
            "cost": (size.cost.of(variables), limits.cost),
        }
        for name, (found, most) in sides.items():
            if found > most:
                errors.append(GraphQLError(f"Too large: its {name} is {found}, the most is {most}.", operation))
    return errors


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
        self._level = 0

    def of_operation(self, operation: OperationDefinitionNode) -> Size:
        """The size of a whole operation."""
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
        """A field costs one; below a page, all of it costs as often as the page has items."""
        aliases = int(node.alias is not None)
        if node.name.value.startswith("__"):
            return Size(1, aliases, cost=Cost(1))
        declared = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        )
        if node.selection_set is None:
            return Size(1, aliases, cost=Cost(1))
        below = self._selection(node.selection_set, get_named_type(declared.type) if declared else None)
        cost = below.cost.repeated(self._times(node, declared)).beside(Cost(self._once(node, declared)))
        changes = int(parent is not None and parent is self._schema.mutation_type)
        return Size(below.depth + 1, below.aliases + aliases, below.directives, changes, cost)

    @staticmethod
    def _once(node: FieldNode, declared: GraphQLField | None) -> int:
        """By the time when things were recorded a balance is found by halving; a variable might ask for the other."""
        if declared is None or "basis" not in declared.args:
            return 1
        given = next((argument.value for argument in node.arguments or () if argument.name.value == "basis"), None)
        cheap = given is None or (isinstance(given, EnumValueNode) and given.value == "RECORDED")
        return 1 if cheap else WHOLE_HISTORY

    def _times(self, node: FieldNode, declared: GraphQLField | None) -> int | Times:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        if declared is not None and "first" in declared.args:
            return _page(given.get("first"), declared.args["first"].default_value)
        if declared is not None and "ids" in declared.args:
            return _length(given.get("ids"))
        return 1


def _page(given: ValueNode | None, usual: object) -> int | Times:
    """The size that a page was asked for in; an impossible one counts as the largest and is refused later."""
    if isinstance(given, VariableNode):
        name = given.name.value
        return lambda variables: _possible(variables.get(name, usual))
    if isinstance(given, IntValueNode):
        return _possible(int(given.value) if len(given.value) <= _LONGEST_NUMBER else None)
    return _possible(usual)


def _possible(asked: object) -> int:
    return asked if isinstance(asked, int) and 0 < asked <= LARGEST_PAGE else LARGEST_PAGE


def _length(given: ValueNode | None) -> int | Times:
    if isinstance(given, ListValueNode):
        return len(given.values)
    if isinstance(given, VariableNode):
        name = given.name.value
        return lambda variables: len(asked) if isinstance(asked := variables.get(name), list) else 1
    return 1
