"""Objects with a global id (Relay): opaque text that names a type and a key within it."""

from typing import ClassVar

import strawberry

from gql.access import Right, field
from gql.errors import BadInputError
from gql.scalars import opaque, plain

LONGEST_ID = 200
"""Characters; an id that we gave out is far shorter."""


@strawberry.interface(description="An object that can be fetched again by its global id.")
class Node:
    """What every type with a global id shares."""

    kind: ClassVar[str]
    """The name of the type, as it stands in the schema and in the id."""

    @field(Right.OWNER, "The global id: opaque, stable, unique among all objects of all types.")
    def id(self) -> strawberry.ID:
        """The global id of the object."""
        return global_id(self.kind, self.key)

    @property
    def key(self) -> object:
        """What names the object within its type."""
        raise NotImplementedError


def global_id(kind: str, key: object) -> strawberry.ID:
    """The global id of an object."""
    return strawberry.ID(opaque(f"{kind}:{key}"))


def parsed(id_: str) -> tuple[str, str]:
    """The type and the key that a global id names. Raises `BadInputError` for text that we never gave out."""
    try:
        kind, colon, key = plain(id_).partition(":") if len(id_) <= LONGEST_ID else ("", "", "")
    except BadInputError:
        kind = colon = key = ""
    if not (kind and colon and key):
        raise BadInputError(f"{id_[:40]!r} is not an id of ours: give one back as you got it.")
    return kind, key


def key_of(kind: str, id_: str) -> str:
    """The key of an object of a known type. Raises `BadInputError` for the id of another."""
    found, key = parsed(id_)
    if found != kind:
        raise BadInputError(f"{id_!r} is the id of a {found}, not of a {kind}.")
    return key
