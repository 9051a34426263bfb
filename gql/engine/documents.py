"""Documents as clients write them, and the plans of their operations, made when they are first wanted and then kept."""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import product
from typing import Any, Generic, TypeVar

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    parse,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values

from gql.access import Right
from gql.engine.bindings import UnplannableError
from gql.engine.planning import FieldPlan, Planner
from gql.engine.running import Prepared, Run, World

MOST_PLANS = 16
"""Of one operation, one for each set of answers to its conditions. Who asks in more ways is answered without a plan."""

MOST_DOCUMENTS = 1_000
MOST_CHARACTERS = 4_000_000
"""Of all documents that are kept; what was worked out about them takes some forty times that."""

MOST_ERRORS = 50
"""About the variables of one request, as graphql-core has it."""

_NONE_DECLARED = VariableValues({}, {})

Known = TypeVar("Known")


class Operation:
    """One operation of a document."""

    def __init__(self, world: World, document: "Document", definition: OperationDefinitionNode) -> None:
        self.document, self.definition = document, definition
        self.known_as: str | None = None
        """Its name, where its document is trusted and operators are to see it."""
        self._world = world
        self._plans: dict[tuple[object, ...], Prepared | None] = {}

    def coerced(self, variables: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values of its variables, or what is wrong with those given."""
        declared = self.definition.variable_definitions or ()
        if not declared:
            return _NONE_DECLARED
        return get_variable_values(self._world.schema, declared, dict(variables), max_errors=MOST_ERRORS)

    @property
    def is_for_everybody(self) -> bool:
        """Whether it is a query that needs nobody signed in, and is answered alike whoever asks; once it has plans."""
        plans = [prepared.plan for prepared in self._plans.values() if prepared is not None]
        fields = [each for plan in plans for each in plan.fields]
        is_query = self.definition.operation is OperationType.QUERY
        return is_query and bool(plans) and len(plans) == len(self._plans) and all(map(_is_public, fields))

    def run(self, context: Any, variables: VariableValues) -> Run | None:
        """A run of its plan for these variables; None if it has none, and the engine's own way has to do."""
        answers = tuple([variables.coerced.get(name) for name in self.document.conditions])
        try:
            prepared = self._plans[answers]
        except KeyError:
            if len(self._plans) >= MOST_PLANS or not all(isinstance(each, bool) for each in answers):
                return None
            prepared = self._plans[answers] = self._prepared(variables)
        return None if prepared is None else Run(self._world, prepared, context, variables)

    def prepare(self) -> None:
        """Make its plans now, if it has no more than are kept."""
        conditions = self.document.conditions
        if 2 ** len(conditions) <= MOST_PLANS:
            for answers in product((True, False), repeat=len(conditions)):
                given = VariableValues({}, dict(zip(conditions, answers, strict=True)))
                self._plans[answers] = self._prepared(given)

    def _prepared(self, variables: VariableValues) -> Prepared | None:
        fragments = self.document.fragments
        details = {name: FragmentDetails(found, None) for name, found in fragments.items()}
        try:
            return Prepared.of(Planner(self._world.schema, details, self.definition, variables).plan(), fragments)
        except UnplannableError:
            return None


def _is_public(field: FieldPlan) -> bool:
    return field.requires is None or field.requires.right in {Right.PUBLIC, Right.PARENT}


class Document:
    """A document that was read, and is taken to be valid."""

    def __init__(self, world: World, node: DocumentNode) -> None:
        self.node = node
        self.fragments = {
            found.name.value: found for found in node.definitions if isinstance(found, FragmentDefinitionNode)
        }
        self.operations = [
            Operation(world, self, found) for found in node.definitions if isinstance(found, OperationDefinitionNode)
        ]
        self.conditions = _conditions(node)
        """The variables that decide which fields there are."""

    @classmethod
    def of(cls, world: World, text: str, *, most_tokens: int | None = None) -> "Document":
        """Read a document. Raises `GraphQLError` for what is none, or has more tokens than it may have."""
        return cls(world, parse(text, max_tokens=most_tokens))

    def operation(self, name: str | None) -> Operation:
        """The operation of that name, or the only one. Raises `GraphQLError` if there is none, or more than one."""
        if name is None:
            if len(self.operations) > 1:
                raise GraphQLError("The document has several operations: name one by `operationName`.")
            if self.operations:
                return self.operations[0]
            raise GraphQLError("Must provide an operation.")
        for operation in self.operations:
            if operation.definition.name is not None and operation.definition.name.value == name:
                return operation
        raise GraphQLError(f"Unknown operation named '{name}'.")


class Library(Generic[Known]):
    """What is known of the documents that were last asked for, by their text."""

    def __init__(self, most: int = MOST_DOCUMENTS, most_characters: int = MOST_CHARACTERS) -> None:
        self._most, self._most_characters = most, most_characters
        self._documents: OrderedDict[str, Known] = OrderedDict()
        self._characters = 0

    def find(self, text: str) -> Known | None:
        """What is known of a document."""
        found = self._documents.get(text)
        if found is not None:
            self._documents.move_to_end(text)
        return found

    def keep(self, text: str, known: Known) -> None:
        """Keep what is known of a document, and let go of those that nobody has asked for the longest."""
        if text not in self._documents:
            self._characters += len(text)
        self._documents[text] = known
        while len(self._documents) > self._most or self._characters > self._most_characters:
            forgotten, _ = self._documents.popitem(last=False)
            self._characters -= len(forgotten)

    def __len__(self) -> int:
        return len(self._documents)


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            given = (argument.value for argument in node.arguments or ())
            self.names |= {each.name.value: None for each in given if isinstance(each, VariableNode)}


def _conditions(node: DocumentNode) -> tuple[str, ...]:
    found = _Conditions()
    visit(node, found)
    return tuple(found.names)
