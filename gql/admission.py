"""Decides which operations are carried out at all.

They can be read, are small enough, paid for and valid, and may come by this way. Who may use which field is decided
elsewhere: here the caller matters only to the budget.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from graphql import GraphQLError, NoSchemaIntrospectionCustomRule, OperationType, validate
from graphql.execution.values import VariableValues

from domain.actor import Actor
from gql.engine import documents
from gql.engine.documents import Document, Library
from gql.engine.running import World
from gql.errors import RateLimitedError
from gql.limits import Limits, Measured, excesses, measured
from gql.operations import Operation


class Spending(Protocol):
    """What an operation may cost."""

    async def take_cost(self, cost: int, changes: int) -> None:
        """Count its cost, and how many changes it makes. Raises `RateLimitedError` if that is too much for now."""
        ...


class OperationContext(Protocol):
    """A context that knows who is calling, under which id errors are logged, and what the operation may cost."""

    @property
    def actor(self) -> Actor | None:
        """Who is calling."""
        ...

    @property
    def correlation_id(self) -> str:
        """The id that a client can quote."""
        ...

    @property
    def budget(self) -> Spending:
        """What the operation is paid from."""
        ...


class RefusedError(Exception):
    """An operation that is not carried out at all."""

    def __init__(self, errors: Sequence[GraphQLError], *, allowed: bool = True) -> None:
        super().__init__(*errors)
        self.errors, self.allowed = errors, allowed


@dataclass(frozen=True, slots=True)
class Known:
    """A document that was found to be valid, and how large it is."""

    document: Document
    sizes: Sequence[Measured]
    introspection: Sequence[GraphQLError]
    """Where it asks the schema about itself."""


class Admission:
    """Admits operations to one schema, and remembers the documents that it found valid."""

    def __init__(self, world: World, limits: Limits) -> None:
        self._world, self._limits = world, limits
        self._library: Library[Known] = Library()

    async def admit(
        self, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
    ) -> tuple[documents.Operation, VariableValues]:
        """The operation that is to be carried out, and its variables. Raises `RefusedError`.

        It is measured and paid for before it is validated: validation takes the longest of all.
        """
        variables = operation.variables or {}
        known = self._library.find(operation.query)
        document, sizes = (known.document, known.sizes) if known else self._read(operation.query)
        if too_large := excesses(sizes, self._limits, variables):
            raise RefusedError(too_large)
        try:
            found = document.operation(operation.name)
        except GraphQLError as error:
            raise RefusedError([error]) from None
        (size,) = (each.size for each in sizes if each.operation is found.definition)
        try:
            await context.budget.take_cost(size.cost.of(variables), size.changes)
        except RateLimitedError as error:
            raise RefusedError([GraphQLError(str(error), original_error=error)]) from None
        if known is None:
            known = self._validated(document, sizes)
            self._library.keep(operation.query, known)
        if known.introspection and not (self._limits.introspection or _is_staff(context.actor)):
            raise RefusedError(known.introspection)
        kind = found.definition.operation
        if kind not in allowed:
            raise RefusedError([GraphQLError(f"A {kind.value} does not come this way.")], allowed=False)
        coerced = found.coerced(variables)
        if isinstance(coerced, list):
            raise RefusedError(coerced)
        return found, coerced

    def _read(self, text: str) -> tuple[Document, Sequence[Measured]]:
        try:
            document = Document.of(self._world, text, most_tokens=self._limits.tokens)
        except GraphQLError as error:
            raise RefusedError([error]) from None
        return document, measured(self._world.schema, document.node)

    def _validated(self, document: Document, sizes: Sequence[Measured]) -> Known:
        if errors := validate(self._world.schema, document.node):
            raise RefusedError(errors)
        introspection = validate(self._world.schema, document.node, [NoSchemaIntrospectionCustomRule])
        return Known(document, sizes, introspection)


def _is_staff(actor: Actor | None) -> bool:
    return actor is not None and bool(actor.permissions)
