"""Carries out a plan: straight code first, then whatever has to be awaited, level by level, each level's keys at once.

The fields of a query that wait do so beside each other; the root fields of a mutation one after the other, and none
after one whose loss loses the whole answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, cast

import strawberry
from graphql import FragmentDefinitionNode, GraphQLError, GraphQLResolveInfo, GraphQLSchema, OperationType
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Path, is_awaitable

from gql.access import DEFINITION, Caller, hold
from gql.engine import careful
from gql.engine.bindings import Conversion
from gql.engine.failures import Failure, LostError, Settling
from gql.engine.planning import FieldPlan, ObjectPlan, Plan, Shape
from gql.engine.writing import Step, written
from gql.errors import ApiError


@dataclass(frozen=True, slots=True)
class World:
    """What stays the same for all operations of a schema."""

    schema: GraphQLSchema
    conversion: Conversion

    @classmethod
    def of(cls, schema: strawberry.Schema) -> "World":
        """What stays the same for a schema of Strawberry's."""
        return cls(schema._schema, Conversion(schema.config, schema.schema_converter.scalar_registry))  # noqa: SLF001 - there is no other way to the engine's schema


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with its code."""

    plan: Plan
    root: Step
    later: Mapping[int, Step]
    fragments: Mapping[str, FragmentDefinitionNode]

    @classmethod
    def of(cls, plan: Plan, fragments: Mapping[str, FragmentDefinitionNode]) -> "Prepared":
        """Write the plan's code."""
        root, later = written(plan)
        return cls(plan, root, later, fragments)


@dataclass(slots=True)
class Done:
    """What an operation, or one event of it, came to."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]


class _Later:
    """The objects whose value for one field is still to come."""

    __slots__ = ("sources", "targets")

    def __init__(self) -> None:
        self.sources: list[Any] = []
        self.targets: list[dict[str, Any]] = []


class Run:
    """One carrying out of a plan."""

    def __init__(self, world: World, prepared: Prepared, context: Any, variables: VariableValues) -> None:
        self._world, self._prepared, self._variables = world, prepared, variables
        self.context = context
        self.later = {index: _Later() for index in prepared.later}
        self.made: list[tuple[dict[str, Any], ObjectPlan]] = []
        self._failed = False
        self._arguments: dict[int, Any] = {}
        self._about: dict[int, Any] = {}
        self._engine_about: dict[int, GraphQLResolveInfo[Any]] = {}
        self._is_permitted = _is_permitted(prepared.plan, context)

    @property
    def plan(self) -> Plan:
        """What is carried out."""
        return self._prepared.plan

    @property
    def is_permitted(self) -> bool:
        """Whether the caller has every right that does not depend on objects."""
        return self._is_permitted

    def go_carefully(self) -> None:
        """Do without the plan's code: the same, step by step."""
        self._is_permitted = False

    async def carry_out(self) -> Done:
        """Carry out a query or a mutation."""
        answer: dict[str, Any] = {}
        self._complete(self._prepared.root, None, [None], [answer])
        if self._prepared.plan.operation.operation is OperationType.MUTATION:
            return await self._one_after_the_other(answer["data"])
        if self._prepared.root.below:
            await self._fill(self._prepared.root.below)
        return self._settled(answer["data"])

    async def carry_on(self, event: object) -> Done:
        """Answer one event of a subscription, whose root field's value it is."""
        (field,) = self._root.fields
        answer: dict[str, Any] = {}
        step = self._prepared.later[field.index]
        self._complete(step, field, [event], [answer])
        await self._fill(step.below)
        return self._settled(answer)

    @property
    def _root(self) -> ObjectPlan:
        (plan,) = self._prepared.plan.root.plans.values()
        return plan

    async def _one_after_the_other(self, answer: dict[str, Any]) -> Done:
        errors: list[GraphQLError] = []
        for field in self._root.fields:
            if field.in_turn:
                await self._take_turn(field)
            if self._failed:
                settling = Settling({id(made): plan for made, plan in self.made})
                try:
                    answer[field.key] = settling.field(field, answer[field.key], (field.key,))
                except LostError as lost:
                    return Done(None, [*errors, *settling.errors, lost.error])
                errors += settling.errors
        return Done(answer, errors)

    async def _take_turn(self, field: FieldPlan) -> None:
        """Carry out one change, if the caller still may, after what the changes before it have done."""
        (target,) = self.later[field.index].targets
        try:
            await self.context.before_change()
            self._is_permitted = self._is_permitted and _is_permitted(self._prepared.plan, self.context)
            hold(field.requires, self.context, changes=field.changes)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the field
            target[field.key] = self.fail(error)
        else:
            await self._fill_one(field.index)

    def _settled(self, answer: dict[str, Any]) -> Done:
        if not self._failed:
            return Done(answer, [])
        settling = Settling({id(made): plan for made, plan in self.made})
        try:
            settling.object(self._root, answer, ())
        except LostError as lost:
            return Done(None, [*settling.errors, lost.error])
        return Done(answer, settling.errors)

    def _complete(
        self, step: Step, field: FieldPlan | None, values: Sequence[Any], targets: Sequence[dict[str, Any]]
    ) -> None:
        if self._is_permitted:
            step.complete(values, targets, self)
            return
        for value, target in zip(values, targets, strict=True):
            target[step.key] = careful.complete(self, field, step.shape, value)

    async def _fill(self, places: Sequence[int]) -> None:
        """Get what is still to come in these places, and then what comes below it."""
        waiting = [place for place in places if self.later[place].targets]
        if len(waiting) == 1:
            await self._fill_one(waiting[0])
        elif waiting:
            async with asyncio.TaskGroup() as group:
                for place in waiting:
                    group.create_task(self._fill_one(place))

    async def _fill_one(self, place: int) -> None:
        field, later, step = self._prepared.plan.fields[place], self.later[place], self._prepared.later[place]
        values = await self._values(field, later.sources)
        self._complete(step, field, values, later.targets)
        if step.below:
            await self._fill(step.below)

    async def _values(self, field: FieldPlan, sources: Sequence[Any]) -> Sequence[Any]:
        """The values of a field for many objects; an exception stands for one that has none."""
        binding = field.binding
        given = self.arguments(field.index) if field.declared.args else {}
        if binding is None or isinstance(given, Exception):
            return [given] * len(sources)
        info = self.about(field.index) if binding.info_name else None
        values = _gotten(binding.of_objects(info, given), sources)
        if binding.batch is not None:
            try:
                return await binding.batch.values(self.context.ports, values)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the field
                return [error] * len(sources)
        waiting = [place for place, value in enumerate(values) if isawaitable(value)]
        for place, value in zip(waiting, await _all([values[place] for place in waiting]), strict=True):
            values[place] = value
        return values

    def carefully(self, field: FieldPlan | None, shape: Shape, value: Any) -> Any:
        """Complete a value that straight code did not handle."""
        return careful.complete(self, field, shape, value)

    def fail(self, cause: Exception) -> Failure:
        """Note that something went wrong."""
        self._failed = True
        return Failure(cause)

    def put_off(self, field: FieldPlan, source: object, target: dict[str, Any]) -> None:
        """Note a field whose value comes later."""
        later = self.later[field.index]
        later.sources.append(source)
        later.targets.append(target)

    def note(self, made: dict[str, Any], plan: ObjectPlan) -> None:
        """Note which plan made an object that could have been of several types."""
        self.made.append((made, plan))

    def arguments(self, index: int) -> Any:
        """The arguments of a field by name, or the exception that says why there are none."""
        if index not in self._arguments:
            try:
                self._arguments[index] = self._given(self._prepared.plan.fields[index])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the field
                self._arguments[index] = error
        return self._arguments[index]

    def _given(self, field: FieldPlan) -> dict[str, Any]:
        if field.binding is None:
            return {}
        first = field.details[0]
        given = get_argument_values(field.declared, first.node, self._variables, first.fragment_variable_values)
        return self._world.conversion.keywords(field.binding, given, self.about(field.index))

    def about(self, index: int) -> Any:
        """What a field's function is told of the request."""
        if index not in self._about:
            definition = self._prepared.plan.fields[index].declared.extensions[DEFINITION]
            self._about[index] = strawberry.Info(_raw_info=self.engine_about(index), _field=definition)
        return self._about[index]

    def engine_about(self, index: int) -> GraphQLResolveInfo[Any]:
        """The same as the engine tells it. Its path names the field alone: it is the same in all places of a list."""
        if index not in self._engine_about:
            field, plan = self._prepared.plan.fields[index], self._prepared.plan
            self._engine_about[index] = GraphQLResolveInfo(
                field.name, field.nodes, field.declared.type, field.parent, Path(None, field.key, field.parent.name),
                self._world.schema, dict(self._prepared.fragments), None, plan.operation, self._variables,
                self.context, is_awaitable, None, cast("Any", None),
            )  # fmt: skip
        return self._engine_about[index]


def _is_permitted(plan: Plan, caller: Caller) -> bool:
    """Whether the caller has every right that does not depend on objects; if not, each field is asked for its own."""
    try:
        for field in plan.needs:
            hold(field.requires, caller, changes=False)
    except ApiError:
        return False
    return True


def _gotten(value_of: Callable[[Any], Any], sources: Sequence[Any]) -> list[Any]:
    """What each object has; an exception stands for one that has nothing."""
    values = []
    for source in sources:
        try:
            values.append(value_of(source))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at this object's field
            values.append(error)
    return values


async def _all(waiting: Sequence[Awaitable[Any]]) -> list[Any]:
    """What awaitables come to beside each other; an exception stands for one that failed."""
    if len(waiting) == 1:
        try:
            return [await waiting[0]]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the field
            return [error]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, Exception):
            raise each
    return found
