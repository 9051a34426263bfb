"""Streams that go on where they broke off: which place an event leaves, and what an operation is that begins after one.

A subscription can be resumed if its field takes `after`. The id of an event is the `cursor` of its message, where the
client selects it; who comes again with the last id that it saw gets what followed. That id stands for whatever the
operation itself says of `after`: it is newer. It becomes the value of the variable that is given there. A document
without one is written anew, or, where only trusted ones are carried out, has events without ids.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_operation_ast,
    parse,
    parse_type,
    print_ast,
)

from gql.limits import Limits
from gql.operations import Operation

_ARGUMENT, _FIELD = "after", "cursor"
_VARIABLE = "lastEventId"
_ID = re.compile(r"[\x21-\x7e]{1,500}")
"""What stands on one line of an event and in one header of a request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for, as far as its stream must know."""

    operation: Operation
    kind: OperationType | None = None
    """None for a document that cannot be read, or has no such operation: whoever carries it out says so."""
    resumable: bool = False


def asked(schema: GraphQLSchema, operation: Operation, last_id: str | None, *, rewriting: bool = True) -> Asked:
    """What is asked for by an operation, after the event of an id if there is one.

    `rewriting` says whether a document may be written anew.
    """
    try:
        document = parse(operation.query, max_tokens=Limits().tokens)
    except GraphQLError:
        return Asked(operation)
    definition = get_operation_ast(document, operation.name)
    if definition is None:
        return Asked(operation)
    field = _resumable(schema, definition)
    if field is None or not (rewriting or isinstance(_given(field), VariableNode)):
        return Asked(operation, definition.operation)
    if last_id:
        operation = _after(schema, document, definition, field, operation, last_id)
    return Asked(operation, definition.operation, resumable=True)


def place_in(message: Mapping[str, Any] | None) -> str | None:
    """The id of an event: the cursor in the message of a subscription, if the client has selected it."""
    for value in (message or {}).values():
        found = value.get(_FIELD) if isinstance(value, Mapping) else None
        return found if isinstance(found, str) and _ID.fullmatch(found) else None
    return None


def _resumable(schema: GraphQLSchema, definition: OperationDefinitionNode) -> FieldNode | None:
    """The field of a subscription, if it can begin after a place."""
    root = schema.subscription_type
    if root is None or definition.operation is not OperationType.SUBSCRIPTION:
        return None
    (field, *others) = definition.selection_set.selections
    if others or not isinstance(field, FieldNode):
        return None
    declared = root.fields.get(field.name.value)
    return field if declared is not None and _ARGUMENT in declared.args else None


def _given(field: FieldNode) -> ValueNode | None:
    return next((found.value for found in field.arguments or () if found.name.value == _ARGUMENT), None)


def _after(
    schema: GraphQLSchema,
    document: DocumentNode,
    definition: OperationDefinitionNode,
    field: FieldNode,
    operation: Operation,
    place: str,
) -> Operation:
    """The operation as if the client had asked for what follows a place."""
    given = _given(field)
    if isinstance(given, VariableNode):
        return operation._replace(variables={**(operation.variables or {}), given.name.value: place})
    name = _VARIABLE
    while name in {found.variable.name.value for found in definition.variable_definitions or ()}:
        name += "_"
    query = print_ast(_asking(schema, document, definition, field, name))
    return operation._replace(query=query, variables={**(operation.variables or {}), name: place})


def _asking(
    schema: GraphQLSchema, document: DocumentNode, definition: OperationDefinitionNode, field: FieldNode, name: str
) -> DocumentNode:
    """The document with a variable for the place: the same for all places, so that it is read and planned once."""
    root = schema.subscription_type
    type_ = str(root.fields[field.name.value].args[_ARGUMENT].type) if root is not None else ""
    variable = VariableNode(name=NameNode(value=name))
    argument = ArgumentNode(name=NameNode(value=_ARGUMENT), value=variable)
    others = (found for found in field.arguments or () if found.name.value != _ARGUMENT)
    resumed = replace(field, arguments=(*others, argument))
    declared = VariableDefinitionNode(variable=variable, type=parse_type(type_), directives=())
    begun = replace(
        definition,
        selection_set=replace(definition.selection_set, selections=(resumed,)),
        variable_definitions=(*(definition.variable_definitions or ()), declared),
    )
    return replace(
        document, definitions=tuple(begun if found is definition else found for found in document.definitions)
    )
