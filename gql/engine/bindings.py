"""How a field gets its value: read from the object, called for, awaited, or looked up for many objects together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from operator import attrgetter
from typing import Any, cast

from graphql import GraphQLField
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.field import StrawberryField

from gql.access import DEFINITION
from gql.batching import Batch, batch_of


class How(Enum):
    """The way to a field's value."""

    READ = auto()
    """An attribute of the object."""
    CALL = auto()
    """A function that answers at once."""
    AWAIT = auto()
    """A function that is awaited, for one object at a time."""
    BATCH = auto()
    """A function that is awaited once for all objects that stand in the same place."""


class UnplannableError(Exception):
    """Something that plans do not know: the engine's own way has to do."""


@dataclass(frozen=True, slots=True)
class Binding:
    """The way to the value of one field of the schema."""

    how: How
    attribute: str = ""
    function: Callable[..., Any] | None = None
    batch: Batch | None = None
    takes_self: bool = False
    """The object is its first argument."""
    source_names: tuple[str, ...] = ()
    """Keywords by which it wants the object."""
    info_name: str | None = None
    """The keyword by which it wants to know of the request."""
    arguments: tuple[StrawberryArgument, ...] = ()

    def of_objects(self, info: object, given: Mapping[str, Any]) -> Callable[[Any], Any]:
        """What gets the value for an object: what stands there, what is answered, or what is to be awaited."""
        if self.how is How.READ:
            return attrgetter(self.attribute)
        function = self.function
        if function is None:
            raise UnplannableError(f"{self.how} without a function")
        named = {**given, self.info_name: info} if self.info_name else given
        if self.source_names:
            first = self.takes_self
            return lambda source: function(
                *((source,) if first else ()), **named, **dict.fromkeys(self.source_names, source)
            )
        if not self.takes_self:
            return lambda _: function(**named)
        return (lambda source: function(source, **named)) if named else function


def binding_of(declared: GraphQLField) -> Binding:
    """The way to a field's value. Raises `UnplannableError` for one that is not an ordinary field of ours."""
    definition = declared.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryField):
        raise UnplannableError("the field is not of our schema")
    if definition.is_basic_field:
        return Binding(How.READ, attribute=definition.python_name or definition.name)
    resolver = definition.base_resolver
    if definition.extensions or resolver is None:
        raise UnplannableError(f"{definition.name} has extensions around it")
    arguments = tuple(definition.arguments)
    if batch := batch_of(definition):
        return Binding(How.BATCH, function=batch.ask, batch=batch, takes_self=True, arguments=arguments)
    info, root, parent = resolver.info_parameter, resolver.root_parameter, resolver.parent_parameter
    return Binding(
        How.AWAIT if definition.is_async else How.CALL,
        function=cast("Callable[..., Any]", resolver.wrapped_func),
        takes_self=resolver.self_parameter is not None,
        source_names=tuple(found.name for found in (root, parent) if found is not None),
        info_name=info.name if info is not None else None,
        arguments=arguments,
    )


@dataclass(frozen=True, slots=True)
class Conversion:
    """How Strawberry makes Python values of arguments in one schema."""

    config: Any
    scalar_registry: Mapping[object, Any]

    def keywords(self, binding: Binding, given: dict[str, Any], info: Any) -> dict[str, Any]:
        """Arguments by the names that the function has for them."""
        return convert_arguments(given, list(binding.arguments), self.scalar_registry, self.config, info)
