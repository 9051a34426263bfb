"""Whether an answer has the shape that was asked for: told by graphql-core, which takes it for the truth."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    execute_sync,
    is_abstract_type,
)


def fitted(schema: GraphQLSchema, document: DocumentNode, data: Mapping[str, Any]) -> Any:
    """What graphql-core makes of the data of an answer to a document without named fragments: the same, if it fits."""
    found = execute_sync(schema, document, root_value=data, field_resolver=_told, type_resolver=_type_of)
    assert not found.errors, found.errors
    return found.data


def _told(source: Mapping[str, Any], info: GraphQLResolveInfo[Any], **_: object) -> Any:
    """The value that an answer has for a field."""
    return source[str(info.path.key)]


def _type_of(value: Mapping[str, Any], info: GraphQLResolveInfo[Any], abstract: Any) -> str:
    """A type of which just those fields were asked for that are there."""
    selected = [node.selection_set for node in info.field_nodes if node.selection_set is not None]
    for type_ in info.schema.get_possible_types(abstract):
        keys = {key for each in selected for key in _keys(info.schema, each, type_)}
        if keys == value.keys() and value.get("__typename", type_.name) == type_.name:
            return type_.name
    raise LookupError(f"{value} is no {abstract}")


def _keys(schema: GraphQLSchema, selections: SelectionSetNode, type_: GraphQLObjectType) -> Iterator[str]:
    """The names in an answer of what is asked of objects of a type."""
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node.alias.value if node.alias else node.name.value
        elif isinstance(node, InlineFragmentNode):
            on: Any = schema.get_type(node.type_condition.name.value) if node.type_condition else type_
            if on is type_ or (is_abstract_type(on) and schema.is_sub_type(on, type_)):
                yield from _keys(schema, node.selection_set, type_)
