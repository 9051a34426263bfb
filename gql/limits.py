"""How large a request may be. Measured before validation, whose own time grows with the square of some documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


class Size(NamedTuple):
    """What a selection amounts to, its fragments spread out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    changes: int = 0
    """Fields of a mutation at its root, each of which is a request of its own."""

    def beside(self, other: "Size") -> "Size":
        """Both of two selections."""
        deeper = max(self.depth, other.depth)
        both = (mine + its for mine, its in zip(self[1:], other[1:], strict=True))
        return Size(deeper, *both)


class Measured(NamedTuple):
    """An operation of a document and its size."""

    operation: OperationDefinitionNode
    size: Size


def measured(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> list[Measured]:
    """Each operation's size. A document need not be valid: what is unknown counts as little as it can do."""
    found = []
    for operation in _operations(document):
        try:
            size = _Measure(schema, document, variables).of_operation(operation)
        except _NestedError:
            size = Size(depth=_DEEPEST)
        found.append(Measured(operation, size))
    return found


def excesses(sizes: Iterable[Measured], limits: Limits) -> list[GraphQLError]:
    """What is too large."""
    errors = []
    for operation, size in sizes:
        for name in ("depth", "aliases", "directives", "cost"):
            found, most = getattr(size, name), getattr(limits, name)
            if found > most:
                errors.append(GraphQLError(f"Too large: its {name} is {found}, the most is {most}.", operation))
    return errors


class _NestedError(Exception):
    """Selections within selections without end."""


def _operations(document: DocumentNode) -> Iterable[OperationDefinitionNode]:
    return (found for found in document.definitions if isinstance(found, OperationDefinitionNode))


class _Measure:
    """Measures one operation. A fragment is measured once for each type it is spread on, however often it is used."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema, self._variables = schema, variables
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
            return Size(1, aliases, 0, 1)
        declared = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        )
        if node.selection_set is None:
            return Size(1, aliases, 0, 1)
        below = self._selection(node.selection_set, get_named_type(declared.type) if declared else None)
        cost = self._once(node, declared) + below.cost * self._times(node, declared)
        changes = int(parent is not None and parent is self._schema.mutation_type)
        return Size(below.depth + 1, below.aliases + aliases, below.directives, cost, changes)

    @staticmethod
    def _once(node: FieldNode, declared: GraphQLField | None) -> int:
        """By the time when things were recorded a balance is found by halving; a variable might ask for the other."""
        if declared is None or "basis" not in declared.args:
            return 1
        given = next((argument.value for argument in node.arguments or () if argument.name.value == "basis"), None)
        cheap = given is None or (isinstance(given, EnumValueNode) and given.value == "RECORDED")
        return 1 if cheap else WHOLE_HISTORY

    def _times(self, node: FieldNode, declared: GraphQLField | None) -> int:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        if declared is not None and "first" in declared.args:
            return self._page(given.get("first"), declared.args["first"].default_value)
        if declared is not None and "ids" in declared.args:
            return self._length(given.get("ids"))
        return 1

    def _page(self, given: ValueNode | None, usual: object) -> int:
        """The size that a page was asked for in; an impossible one counts as the largest and is refused later."""
        asked: object = usual
        if isinstance(given, IntValueNode):
            asked = int(given.value) if len(given.value) <= _LONGEST_NUMBER else None
        elif isinstance(given, VariableNode):
            asked = self._variables.get(given.name.value, usual)
        return asked if isinstance(asked, int) and 0 < asked <= LARGEST_PAGE else LARGEST_PAGE

    def _length(self, given: ValueNode | None) -> int:
        if isinstance(given, ListValueNode):
            return len(given.values)
        asked = self._variables.get(given.name.value) if isinstance(given, VariableNode) else None
        return len(asked) if isinstance(asked, list) else 1
