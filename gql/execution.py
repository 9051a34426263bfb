"""Carries out one GraphQL operation: within limits, behind rights, and with errors that say no more than they should.

Both transports, HTTP and WebSocket, call `answers` and send what it yields. What was worked out about a document is
kept with it; what has no plan is left to graphql-core, behind the same limits and the same rights.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, NamedTuple, cast

import orjson
import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType, execute
from graphql.execution import Executor, create_source_event_stream, map_source_to_response_event
from graphql.execution.values import VariableValues
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql.access import guard
from gql.admission import Admission, OperationContext, RefusedError
from gql.deadlines import Changes, TimedOutError, stopped_after
from gql.engine import documents
from gql.engine.running import Done, Run, World
from gql.errors import Manner, TooLargeError, is_executed, refused, tell
from gql.limits import Limits
from gql.observed import OTHER, observed_operation
from gql.operations import Answer, Operation
from gql.weighing import weigh

_MEMO = "_relevant_sub_fields"


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
        self.manner, self.limits, self.planned = manner, limits, planned
        self.changes = Changes()
        super().__init__(query, mutation, subscription, execution_context_class=EventExecutor, config=config)
        guard(self._schema)
        weigh(self._schema)
        self.admission = Admission(World.of(self), limits)

    @property
    def core(self) -> GraphQLSchema:
        """The schema as the engine has it."""
        return self._schema


class Admitted(NamedTuple):
    """An operation that is to be carried out."""

    found: documents.Operation
    variables: VariableValues
    operation: Operation

    @property
    def streams(self) -> bool:
        """Whether it is a subscription."""
        return self.found.definition.operation is OperationType.SUBSCRIPTION


async def answers(
    schema: Schema, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
) -> AsyncGenerator[Answer, None]:
    """Carry out an operation: one answer for a query or a mutation, any number for a subscription."""
    admitted = await admit(schema, operation, context, allowed)
    if isinstance(admitted, Answer):
        yield admitted
        return
    async with aclosing(answers_to(schema, admitted, context)) as following:
        async for answer in following:
            yield answer


async def answered(
    schema: Schema, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
) -> Answer:
    """Carry out a query or a mutation; `allowed` has nothing else."""
    admitted = await admit(schema, operation, context, allowed)
    return admitted if isinstance(admitted, Answer) else await _observed_answer(schema, admitted, context)


async def admit(
    schema: Schema, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
) -> Admitted | Answer:
    """Let an operation in, or answer why not."""
    try:
        found, variables = await schema.admission.admit(operation, context, allowed)
    except RefusedError as found_wanting:
        refused(found_wanting.errors)
        errors = tell(found_wanting.errors, context.correlation_id, schema.manner)
        return Answer(None, errors, executed=False, allowed=found_wanting.allowed)
    return Admitted(found, variables, operation)


async def answers_to(schema: Schema, admitted: Admitted, context: OperationContext) -> AsyncGenerator[Answer, None]:
    """Carry out an operation that was admitted."""
    if not admitted.streams:
        yield await _observed_answer(schema, admitted, context)
        return
    try:
        async with aclosing(_events(schema, admitted, context)) as events:
            async for done in events:
                yield answer_of(done, context.correlation_id, schema.manner)
    except RefusedError as broken:
        refused(broken.errors)
        yield Answer(None, tell(broken.errors, context.correlation_id, schema.manner), executed=False)


async def _observed_answer(schema: Schema, admitted: Admitted, context: OperationContext) -> Answer:
    kind, name = admitted.found.definition.operation.value, admitted.found.known_as or OTHER
    return await observed_operation(kind, name, context.correlation_id, _single_answer(schema, admitted, context))


async def _single_answer(schema: Schema, admitted: Admitted, context: OperationContext) -> Answer:
    """Carry out a query or a mutation, within its time, and answer it, within its length."""
    found, operation, limits = admitted.found, admitted.operation, schema.limits
    changes = found.definition.operation is OperationType.MUTATION
    run = found.run(context, admitted.variables) if schema.planned else None
    work = run.carry_out() if run is not None else _without_plan(schema, found, operation, context)
    try:
        done = await (schema.changes.made(limits.change_s, work) if changes else stopped_after(limits.query_s, work))
        data = _written(done.data, limits.answer_bytes)
    except (TimedOutError, TooLargeError, orjson.JSONEncodeError) as error:
        errors = [GraphQLError(str(error), found.definition, original_error=error)]
        refused(errors)
        return Answer(None, tell(errors, context.correlation_id, schema.manner), executed=True)
    return answer_of(Done(data, done.errors), context.correlation_id, schema.manner)


def _written(data: dict[str, Any] | None, most: int) -> Any:
    """The text of an answer's data, as the transports put it into what they send.

    Raises `TooLargeError`, and JSONEncodeError for what no JSON can hold.
    """
    if data is None:
        return None
    text = orjson.dumps(data)
    if len(text) > most:
        raise TooLargeError(
            "answer", f"The answer is longer than {most} bytes: ask for less. What was to be changed is."
        )
    return orjson.Fragment(text)


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


async def begun(
    schema: Schema, admitted: Admitted, context: OperationContext
) -> tuple[Executor[Any], AsyncGenerator[Any, None]]:
    """Begin a subscription: what executes its events, and the events. Raises `RefusedError` if it cannot begin."""
    executor = schema.execution_context_class.build(
        schema.core,
        admitted.found.document.node,
        context_value=context,
        raw_variable_values=dict(admitted.operation.variables or {}),
        operation_name=admitted.operation.name,
    )
    if isinstance(executor, list):
        raise RefusedError(executor)
    beginning = create_source_event_stream(executor)
    stream = await beginning if isawaitable(beginning) else beginning
    if isinstance(stream, ExecutionResult):
        raise RefusedError(stream.errors or ())
    return executor, cast("AsyncGenerator[Any, None]", stream)  # a subscription's are a generator


async def _events(schema: Schema, admitted: Admitted, context: OperationContext) -> AsyncGenerator[Done, None]:
    """What each event of a subscription comes to. Raises `RefusedError` if it cannot begin, or breaks off."""
    executor, stream = await begun(schema, admitted, context)
    try:
        async with aclosing(stream), aclosing(_answered_events(schema, admitted, context, executor, stream)) as events:
            async for done in events:
                yield done
    except Exception as error:
        raise broken_off(error) from error


def broken_off(error: Exception) -> RefusedError:
    """What a subscription ends with whose events came to an error; one of the engine's kind is a mistake of ours."""
    cause = RuntimeError(str(error)) if isinstance(error, GraphQLError) else error
    return RefusedError([GraphQLError(str(error), original_error=cause)])


async def _answered_events(
    schema: Schema,
    admitted: Admitted,
    context: OperationContext,
    executor: Executor[Any],
    stream: AsyncGenerator[Any, None],
) -> AsyncGenerator[Done, None]:
    found, variables = admitted.found, admitted.variables
    if not schema.planned or found.run(context, variables) is None:
        async for result in map_source_to_response_event(executor, stream):
            yield Done(result.data, list(result.errors or ()))
        return
    async for event in stream:
        if run := found.run(context, variables):
            yield await answered_event(schema, admitted, run, event)


async def answered_event(schema: Schema, admitted: Admitted, run: Run, event: object) -> Done:
    """What one event of a subscription comes to, within its time. Raises `TimedOutError`."""
    work = stopped_after(schema.limits.query_s, run.carry_on(event))
    name = admitted.found.known_as or OTHER
    return await observed_operation("subscription", name, run.context.correlation_id, work)


def answer_of(done: Done, correlation_id: str, manner: Manner) -> Answer:
    """What clients are told of what an operation came to."""
    if not done.errors:
        return Answer(done.data, [], executed=done.data is not None)
    executed = done.data is not None or is_executed(done.errors)
    return Answer(done.data, tell(done.errors, correlation_id, manner), executed)
