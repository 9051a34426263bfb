"""What went wrong, where, and how much of the answer goes with it.

A field that fails leaves a `Failure` in its place. When all is done the answer is gone through once, in the order of
the document: a failure becomes null in the nearest place that may be null (the specification's "Handling Field
Errors"), and an error that says where. An answer without failures is not gone through at all.
"""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError
from graphql.error import located_error

from gql.engine.planning import FieldPlan, Items, ObjectPlan, Objects, Shape

Path = tuple[str | int, ...]


class Failure:
    """Stands where a value should be."""

    __slots__ = ("cause",)

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class LostError(Exception):
    """A place that may not be null has no value: the one around it loses its own."""

    def __init__(self, error: GraphQLError) -> None:
        super().__init__(error)
        self.error = error


class Settling:
    """Goes through an answer. `plans` tells of objects of several possible types which plan made them."""

    def __init__(self, plans: Mapping[int, ObjectPlan]) -> None:
        self._plans = plans
        self.errors: list[GraphQLError] = []

    def object(self, plan: ObjectPlan, made: dict[str, Any], path: Path) -> None:
        """Settle an object's fields. Raises `LostError` if it is lost."""
        for field in plan.fields:
            made[field.key] = self.field(field, made[field.key], (*path, field.key))

    def field(self, field: FieldPlan, value: Any, path: Path) -> Any:
        """Settle a field's value. Raises `LostError` if the object around it is lost."""
        return self._place(field, field.shape, value, path)

    def _place(self, field: FieldPlan, shape: Shape, value: Any, path: Path) -> Any:
        try:
            return self._value(field, shape, value, path)
        except LostError as lost:
            if not shape.nullable:
                raise
            self.errors.append(lost.error)
            return None

    def _value(self, field: FieldPlan, shape: Shape, value: Any, path: Path) -> Any:
        if isinstance(value, Failure):
            raise LostError(located_error(value.cause, field.nodes, list(path)))
        if value is None:
            return None
        if isinstance(shape, Items):
            return [self._place(field, shape.of, item, (*path, place)) for place, item in enumerate(value)]
        if isinstance(shape, Objects):
            self.object(shape.only or self._plans[id(value)], value, path)
        return value
