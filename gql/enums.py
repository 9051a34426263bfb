"""The domain's enumerations in the schema. The domain knows no GraphQL, so the words for clients stand here."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import strawberry

Words = TypeVar("Words", bound=type[Enum])


def describe(enumeration: Words, name: str, description: str, values: Mapping[Any, str]) -> Words:
    """Publish an enumeration of the domain. Raises `KeyError` for a member that `values` has no words for."""
    published = strawberry.enum(enumeration, name=name, description=description)
    definition: Any = vars(published)["__strawberry_definition__"]
    for value in definition.values:
        value.description = values[published[value.name]]
    return published
