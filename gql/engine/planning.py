"""Plans: which fields an operation asks for on which types, how each gets its value, and what shape it has.

The selections are collected by graphql-core itself, so that fragments, repeated fields and directives mean exactly what
they mean there. A plan holds for one set of answers to the operation's `@skip` and `@include`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLLeafType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeNameMetaFieldDef,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from gql.access import DEFINITION, Requires, Right, is_harmless, requirement
from gql.engine.bindings import Binding, How, UnplannableError, binding_of

LARGEST_PLAN = 2_000
"""Fields; code for more would take longer to write than it ever saves."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value looks like."""

    nullable: bool


@dataclass(frozen=True, slots=True)
class Leaf(Shape):
    """A scalar or a name of an enumeration."""

    type: GraphQLLeafType


@dataclass(frozen=True, slots=True)
class Items(Shape):
    """A list."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Objects(Shape):
    """An object, of one type or of several possible ones."""

    type: GraphQLNamedType
    plans: Mapping[str, "ObjectPlan"]
    """By the name of the object's own type."""
    always: bool = False
    """The root: there is no value that could be missing."""

    @property
    def only(self) -> "ObjectPlan | None":
        """The plan, where there can be but one."""
        return next(iter(self.plans.values())) if is_object_type(self.type) else None


@dataclass(eq=False, slots=True)
class FieldPlan:
    """One field of a selection, and how it gets its value."""

    index: int
    key: str
    name: str
    parent: GraphQLObjectType
    declared: GraphQLField
    details: Sequence[FieldDetails]
    shape: Shape
    binding: Binding | None
    """None for `__typename`."""
    requires: Requires | None
    changes: bool = False
    """It changes something, and may not be used through somebody else's eyes."""
    waits: bool = False
    """Its value comes later than the object that it belongs to."""
    in_turn: bool = False
    """It is carried out after those before it, by whoever the caller is by then: the root of a mutation."""

    @property
    def nodes(self) -> list[FieldNode]:
        """Where it stands in the document."""
        return [detail.node for detail in self.details]


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is asked of objects of one type."""

    type: GraphQLObjectType
    fields: Sequence[FieldPlan]
    origin: Any = None
    """The class that the type was declared by."""

    @property
    def owned(self) -> list[Requires]:
        """What the object's owner must be asked for, once for all fields that demand the same."""
        found = [each.requires for each in self.fields if each.requires and each.requires.right is Right.OWNER]
        return [requires for place, requires in enumerate(found) if requires not in found[:place]]


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation as it will be carried out."""

    operation: OperationDefinitionNode
    root: Objects
    fields: Sequence[FieldPlan]
    """All of them, by index."""
    needs: Sequence[FieldPlan] = field(default_factory=tuple)
    """One field for each right that the whole operation needs, whatever objects it meets."""


class Planner:
    """Makes the plan of one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDetails],
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self._schema, self._fragments, self._operation, self._variables = schema, fragments, operation, variables
        self._fields: list[FieldPlan] = []

    def plan(self) -> Plan:
        """The plan. Raises `UnplannableError` where the engine's own way has to do."""
        kind = self._operation.operation
        root = self._schema.get_root_type(kind)
        if root is None:
            raise UnplannableError(f"there is no {kind.value}")
        collected = collect_fields(self._schema, self._fragments, self._variables, root, self._operation)
        if collected.new_defer_usages:
            raise UnplannableError("parts are to come later")
        plan = self._object(root, collected.grouped_field_set, is_root=True)
        shape = Objects(nullable=True, type=root, plans={root.name: plan}, always=True)
        return Plan(self._operation, shape, self._fields, _needs(self._fields, root))

    def _object(
        self, type_: GraphQLObjectType, grouped: Mapping[str, Sequence[FieldDetails]], *, is_root: bool = False
    ) -> ObjectPlan:
        fields = [
            planned
            for key, details in grouped.items()
            if (planned := self._field(type_, key, details, is_root=is_root)) is not None
        ]
        definition = type_.extensions.get(DEFINITION)
        return ObjectPlan(type_, fields, definition.origin if definition is not None else None)

    def _field(
        self, parent: GraphQLObjectType, key: str, details: Sequence[FieldDetails], *, is_root: bool
    ) -> FieldPlan | None:
        name = details[0].node.name.value
        declared = self._schema.get_field(parent, name)
        if declared is None:
            return None
        if name.startswith("__") and declared is not TypeNameMetaFieldDef:
            raise UnplannableError("the schema tells of itself")
        if len(self._fields) >= LARGEST_PLAN:
            raise UnplannableError("the operation is too large")
        index = len(self._fields)
        binding = None if declared is TypeNameMetaFieldDef else binding_of(declared)
        planned = FieldPlan(
            index, key, name, parent, declared, details, Shape(nullable=True), binding, requirement(declared)
        )
        self._fields.append(planned)
        kind = self._operation.operation
        if binding is not None:
            planned.in_turn = is_root and kind is OperationType.MUTATION
            planned.changes = planned.in_turn and not is_harmless(declared)
            planned.waits = (is_root and kind is not OperationType.QUERY) or binding.how in {How.AWAIT, How.BATCH}
        planned.shape = self._shape(declared.type, details)
        return planned

    def _shape(self, type_: GraphQLOutputType, details: Sequence[FieldDetails]) -> Shape:
        nullable, inner = not is_non_null_type(type_), type_
        if is_non_null_type(type_):
            inner = type_.of_type
        if is_list_type(inner):
            return Items(nullable, self._shape(inner.of_type, details))
        if is_leaf_type(inner):
            return Leaf(nullable, inner)
        if is_abstract_type(inner):
            possible: Sequence[GraphQLObjectType] = self._schema.get_possible_types(inner)
        elif is_object_type(inner):
            possible = (inner,)
        else:
            raise UnplannableError(f"{inner} is no type of an answer")
        return Objects(nullable, inner, {each.name: self._within(each, details) for each in possible})

    def _within(self, type_: GraphQLObjectType, details: Sequence[FieldDetails]) -> ObjectPlan:
        collected = collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, type_, list(details)
        )
        if collected.new_defer_usages:
            raise UnplannableError("parts are to come later")
        return self._object(type_, collected.grouped_field_set)


def _needs(fields: Sequence[FieldPlan], root: GraphQLObjectType) -> list[FieldPlan]:
    """Fields whose right does not depend on the object they are read from, one for each such right."""
    found: dict[Any, FieldPlan] = {}
    for each in fields:
        requires = each.requires
        if requires is None or each.in_turn or (each.parent is not root and requires.right is Right.OWNER):
            continue
        found.setdefault((requires.right, requires.permission, requires.role), each)
    return list(found.values())
