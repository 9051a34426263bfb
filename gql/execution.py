"""Carries out one GraphQL operation: within limits, behind rights, and with errors that say no more than they should.

Both transports, HTTP and WebSocket, call `answers` and send what it yields. What was worked out about a document is
kept with it; what has no plan is left to graphql-core, behind the same limits and the same rights.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Protocol

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    execute,
    validate,
)
from graphql.execution import Executor, create_source_event_stream, map_source_to_response_event
from graphql.execution.values import VariableValues
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.actor import Actor
from gql.access import guard
from gql.engine import documents
from gql.engine.documents import Document, Library
from gql.engine.running import Done, World
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


class EventExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes what has no plan; forgets after each event of a subscription what it collected for it.

    graphql-core 3.3 gives all events of a subscription one memo of collected fields, keyed by objects that are new for
    every event: it never helps and grows until the subscription ends.
    """

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """The executor of one event, with a memo of its own."""
        executor = super().build_per_event_executor(payload)
        vars(executor)[_MEMO] = {}
        return executor


@dataclass(frozen=True, slots=True)
class Known:
    """A document that was found to be valid, and how large it is."""

    document: Document
    sizes: Sequence[Measured]
    introspection: Sequence[GraphQLError]
    """Where it asks the schema about itself."""


class Schema(strawberry.Schema):
    """A schema whose every field is guarded by the right it declares. One that declares none does not build.

    `planned` is False for one that leaves everything to graphql-core, which the tests hold ours against.
    """

    def __init__(
        self,
        query: type,
        mutation: type,
        subscription: type,
        config: StrawberryConfig,
        limits: Limits,
        manner: Manner,
        *,
        planned: bool = True,
    ) -> None:
        self.limits, self.manner, self.planned = limits, manner, planned
        super().__init__(query, mutation, subscription, execution_context_class=EventExecutor, config=config)
        guard(self._schema)
        self.world, self.library = World.of(self), Library[Known]()

    @property
    def core(self) -> GraphQLSchema:
        """The schema as the engine has it."""
        return self._schema


async def answers(
    schema: Schema, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
) -> AsyncGenerator[Answer, None]:
    """Carry out an operation: one answer for a query or a mutation, any number for a subscription."""
    try:
        found, variables = await _admitted(schema, operation, context, allowed)
    except RefusedError as refused:
        yield Answer(
            None, tell(refused.errors, context.correlation_id, schema.manner), executed=False, allowed=refused.allowed
        )
        return
    if found.definition.operation is not OperationType.SUBSCRIPTION:
        run = found.run(context, variables) if schema.planned else None
        done = await (run.carry_out() if run is not None else _without_plan(schema, found, operation, context))
        yield _answer(done, context.correlation_id, schema.manner)
        return
    try:
        async with aclosing(_events(schema, found, operation, context, variables)) as events:
            async for done in events:
                yield _answer(done, context.correlation_id, schema.manner)
    except RefusedError as refused:
        yield Answer(None, tell(refused.errors, context.correlation_id, schema.manner), executed=False)


async def _admitted(
    schema: Schema, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
) -> tuple[documents.Operation, VariableValues]:
    """The operation that is to be carried out, and its variables. Raises `RefusedError`.

    It is measured and paid for before it is validated: validation takes the longest of all.
    """
    variables = operation.variables or {}
    known = schema.library.find(operation.query)
    document, sizes = (known.document, known.sizes) if known else _read(schema, operation.query)
    if too_large := excesses(sizes, schema.limits, variables):
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
        known = _validated(schema, document, sizes)
        schema.library.keep(operation.query, known)
    if known.introspection and not (schema.limits.introspection or _is_staff(context.actor)):
        raise RefusedError(known.introspection)
    kind = found.definition.operation
    if kind not in allowed:
        raise RefusedError([GraphQLError(f"A {kind.value} does not come this way.")], allowed=False)
    coerced = found.coerced(variables)
    if isinstance(coerced, list):
        raise RefusedError(coerced)
    return found, coerced


def _read(schema: Schema, text: str) -> tuple[Document, Sequence[Measured]]:
    try:
        document = Document.of(schema.world, text, most_tokens=schema.limits.tokens)
    except GraphQLError as error:
        raise RefusedError([error]) from None
    return document, measured(schema.core, document.node)


def _validated(schema: Schema, document: Document, sizes: Sequence[Measured]) -> Known:
    if errors := validate(schema.core, document.node):
        raise RefusedError(errors)
    return Known(document, sizes, validate(schema.core, document.node, [NoSchemaIntrospectionCustomRule]))


def _is_staff(actor: Actor | None) -> bool:
    return actor is not None and bool(actor.permissions)


async def _without_plan(
    schema: Schema, found: documents.Operation, operation: Operation, context: OperationContext
) -> Done:
    """Let graphql-core execute a query or a mutation."""
    result = execute(
        schema.core,
        found.document.node,
        context_value=context,
        variable_values=dict(operation.variables or {}),
        operation_name=operation.name,
        executor_class=schema.execution_context_class,
    )
    awaited = result if isinstance(result, ExecutionResult) else await result
    return Done(awaited.data, list(awaited.errors or ()))


async def _events(
    schema: Schema,
    found: documents.Operation,
    operation: Operation,
    context: OperationContext,
    variables: VariableValues,
) -> AsyncGenerator[Done, None]:
    """What each event of a subscription comes to. Raises `RefusedError` if it cannot begin, or breaks off."""
    executor = schema.execution_context_class.build(
        schema.core,
        found.document.node,
        context_value=context,
        raw_variable_values=dict(operation.variables or {}),
        operation_name=operation.name,
    )
    if isinstance(executor, list):
        raise RefusedError(executor)
    begun = create_source_event_stream(executor)
    stream = await begun if isawaitable(begun) else begun
    if isinstance(stream, ExecutionResult):
        raise RefusedError(stream.errors or ())
    try:
        async with aclosing(_answered(schema, found, context, variables, executor, stream)) as events:
            async for done in events:
                yield done
    except Exception as error:
        raise RefusedError([GraphQLError(str(error), original_error=error)]) from error


async def _answered(
    schema: Schema,
    found: documents.Operation,
    context: OperationContext,
    variables: VariableValues,
    executor: Executor[Any],
    stream: AsyncIterable[Any],
) -> AsyncGenerator[Done, None]:
    if not schema.planned or found.run(context, variables) is None:
        async for result in map_source_to_response_event(executor, stream):
            yield Done(result.data, list(result.errors or ()))
        return
    async for event in stream:
        if run := found.run(context, variables):
            yield await run.carry_on(event)


def _answer(done: Done, correlation_id: str, manner: Manner) -> Answer:
    executed = done.data is not None or is_executed(done.errors)
    return Answer(done.data, tell(done.errors, correlation_id, manner), executed)
