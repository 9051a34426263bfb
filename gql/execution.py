"""Carries out one GraphQL operation: within limits, behind rights, and with errors that say no more than they should.

Both transports, HTTP and WebSocket, call `answers` and send what it yields.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, cast

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
)
from graphql.execution import Executor
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.execution import ExecutionContext, ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from gql.access import guard
from gql.errors import Manner, RateLimitedError, Told, is_executed, tell
from gql.limits import Limits, Measured, excesses, measured

QUERIES = frozenset({OperationType.QUERY})
QUERIES_AND_MUTATIONS = frozenset({OperationType.QUERY, OperationType.MUTATION})
EVERYTHING = frozenset(OperationType)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks for, whatever it came by."""

    query: str
    variables: Mapping[str, Any] | None = None
    name: str | None = None


class MalformedError(Exception):
    """Parameters that are not those of a GraphQL request."""


def operation_of(parameters: object) -> Operation:
    """The operation that a request's parameters ask for. Raises `MalformedError`."""
    if isinstance(parameters, list):
        raise MalformedError("One operation at a time: batches are not answered")
    if not isinstance(parameters, dict):
        raise MalformedError("The parameters of a request are an object")
    query, name = parameters.get("query"), parameters.get("operationName")
    if not isinstance(query, str):
        raise MalformedError("`query` must be a text")
    if not isinstance(name, str | None):
        raise MalformedError("`operationName` must be a text or null")
    for optional in ("variables", "extensions"):
        if not isinstance(parameters.get(optional), dict | None):
            raise MalformedError(f"`{optional}` must be an object or null")
    return Operation(query, parameters.get("variables"), name or None)


@dataclass(frozen=True, slots=True)
class Answer:
    """One result of an operation."""

    data: Mapping[str, Any] | None
    errors: list[Told]
    executed: bool
    """False for a request that was refused as a whole: it has no `data`, not even null."""
    allowed: bool = True
    """False where the operation's type may not come by this way."""

    @property
    def retry_after_s(self) -> int | None:
        """After how many seconds a request may be tried again that was refused as a whole for being too often."""
        if self.executed:
            return None
        told = (error["extensions"] for error in self.errors)
        return next((each["retryAfter"] for each in told if each["code"] == RateLimitedError.code), None)

    @property
    def body(self) -> dict[str, Any]:
        """The result as the specification writes it."""
        shown: dict[str, Any] = {"errors": self.errors} if self.errors else {}
        return {**shown, "data": self.data} if self.executed else shown


_MEMO = "_relevant_sub_fields"
_NAME = "_provided_operation_name"
_NO_NAME = NameNode(value="")


class Spending(Protocol):
    """What an operation may cost."""

    async def take_cost(self, cost: int, changes: int) -> None:
        """Count its cost, and how many changes it makes. Raises `RateLimitedError` if that is too much for now."""
        ...


class OperationContext(Protocol):
    """A context that knows under which id its errors are logged, and what its operation may cost."""

    @property
    def correlation_id(self) -> str:
        """The id that a client can quote."""
        ...

    @property
    def budget(self) -> Spending:
        """What the operation is paid from."""
        ...


class EventExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes operations; forgets after each event of a subscription what it collected for it.

    graphql-core 3.3 gives all events of a subscription one memo of collected fields, keyed by objects that are new for
    every event: it never helps and grows until the subscription ends.
    """

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """The executor of one event, with a memo of its own."""
        executor = super().build_per_event_executor(payload)
        vars(executor)[_MEMO] = {}
        return executor


class Schema(strawberry.Schema):
    """A schema whose every field is guarded by the right it declares. One that declares none does not build."""

    def __init__(
        self,
        query: type,
        mutation: type,
        subscription: type,
        config: StrawberryConfig,
        limits: Limits,
        manner: Manner,
    ) -> None:
        self.limits, self.manner = limits, manner
        super().__init__(
            query,
            mutation,
            subscription,
            extensions=[_Limited],
            execution_context_class=EventExecutor,
            config=config,
        )
        guard(self._schema)

    @property
    def core(self) -> GraphQLSchema:
        """The schema as the engine has it."""
        return self._schema

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Errors are logged where they are told, once and with their correlation id."""


class _Limited(SchemaExtension):
    """Holds each operation to the schema's limits."""

    def on_operation(self) -> Iterator[None]:
        context, limits = self.execution_context, _schema_of(self).limits
        context.parse_options["max_tokens"] = limits.tokens
        if not limits.introspection:
            context.validation_rules = (*context.validation_rules, NoSchemaIntrospectionCustomRule)
        yield

    async def on_validate(self) -> AsyncIterator[None]:
        context, schema = self.execution_context, _schema_of(self)
        if context.graphql_document is not None:
            name: str | None = vars(context)[_NAME]
            sizes = measured(schema.core, context.graphql_document, context.variables or {})
            found = excesses(sizes, schema.limits) + _ambiguity(context.graphql_document, name)
            found = found or await _unaffordable(context.context, sizes, name)
            if found:
                context.pre_execution_errors = found  # what is found here already is not validated any more
        yield


async def _unaffordable(context: OperationContext, sizes: Sequence[Measured], name: str | None) -> list[GraphQLError]:
    """Pay for the operation that is to be carried out, whether it will turn out valid or not."""
    meant = [size for operation, size in sizes if name is None or (operation.name or _NO_NAME).value == name]
    cost, changes = (max(each, default=0) for each in ([size.cost for size in meant], [size.changes for size in meant]))
    try:
        await context.budget.take_cost(cost, changes)
    except RateLimitedError as error:
        return [GraphQLError(str(error), original_error=error)]
    return []


def _ambiguity(document: DocumentNode, name: str | None) -> list[GraphQLError]:
    """Strawberry takes the first of several operations where none is named; the specification refuses that."""
    count = sum(isinstance(found, OperationDefinitionNode) for found in document.definitions)
    several = count > 1 and name is None
    return [GraphQLError("The document has several operations: name one by `operationName`.")] if several else []


def _schema_of(extension: SchemaExtension) -> Schema:
    schema = extension.execution_context.schema
    if not isinstance(schema, Schema):
        raise TypeError("limits belong to a schema of ours")
    return schema


async def answers(
    schema: Schema, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
) -> AsyncGenerator[Answer, None]:
    """Carry out an operation: one answer for a query or a mutation, any number for a subscription."""
    results = await schema.stream(
        operation.query,
        variable_values=dict(operation.variables) if operation.variables else None,
        context_value=context,
        operation_name=operation.name,
        allowed_operation_types=allowed,
    )
    async with aclosing(results):
        async for result in results:
            yield _answer(cast("ExecutionResult", result), context.correlation_id, schema.manner)


def _answer(result: ExecutionResult, correlation_id: str, manner: Manner) -> Answer:
    data, errors = result.data, result.errors or []
    executed = not isinstance(result, PreExecutionError) and (data is not None or is_executed(errors))
    allowed = not any(isinstance(error.original_error, InvalidOperationTypeError) for error in errors)
    return Answer(data, tell(errors, correlation_id, manner), executed, allowed)
