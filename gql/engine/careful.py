"""Completes a value step by step, as graphql-core's executor does, and leaves a `Failure` where something is amiss."""

from collections.abc import Mapping
from inspect import iscoroutine
from typing import Any, Protocol

from graphql import GraphQLAbstractType, GraphQLError, GraphQLNamedType, GraphQLResolveInfo, Undefined, is_abstract_type
from graphql.pyutils import inspect, is_iterable

from gql.access import Caller, permit
from gql.engine.failures import Failure
from gql.engine.planning import FieldPlan, Items, Leaf, ObjectPlan, Objects, Shape


class Going(Protocol):
    """The run that values belong to."""

    context: Caller

    def fail(self, cause: Exception) -> Failure:
        """Note that something went wrong."""
        ...

    def arguments(self, index: int) -> Mapping[str, Any] | Exception:
        """The arguments of a field, or why there are none."""
        ...

    def about(self, index: int) -> Any:
        """What a field's function is told of the request."""
        ...

    def engine_about(self, index: int) -> GraphQLResolveInfo[Any]:
        """The same as the engine tells it."""
        ...

    def put_off(self, field: FieldPlan, source: object, target: dict[str, Any]) -> None:
        """Note a field whose value comes later."""
        ...

    def note(self, made: dict[str, Any], plan: ObjectPlan) -> None:
        """Note which plan made an object that could have been of several types."""
        ...


def complete(run: Going, field: FieldPlan | None, shape: Shape, value: Any) -> Any:
    """The completed value. `field` is None for the root."""
    try:
        return _complete(run, field, shape, value)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told at this field
        return run.fail(error)


def _complete(run: Going, field: FieldPlan | None, shape: Shape, value: Any) -> Any:
    if field is None:
        if not isinstance(shape, Objects):
            raise TypeError("the root is an object")
        return _object(run, shape, next(iter(shape.plans.values())), value)
    if not _is_there(field, shape, value):
        return None
    match shape:
        case Items():
            if not is_iterable(value):
                raise GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'.")
            return [complete(run, field, shape.of, item) for item in value]
        case Leaf():
            return _leaf(shape, value)
        case Objects():
            return _object(run, shape, _plan_for(run, field, shape, value), value)
    raise TypeError(f"{shape} is no shape")


def _is_there(field: FieldPlan, shape: Shape, value: Any) -> bool:
    """Whether there is a value at all. Raises what stands in its place, or that it may not be missing."""
    if isinstance(value, Exception):
        raise value
    if iscoroutine(value):
        value.close()
        raise TypeError(f"{field.parent}.{field.name} is awaited by nobody: declare it `async`")
    if value is not None and value is not Undefined:
        return True
    if not shape.nullable:
        raise TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")
    return False


def _leaf(shape: Leaf, value: Any) -> Any:
    coerced = shape.type.coerce_output_value(value)
    if coerced is None or coerced is Undefined:
        called = f"{inspect(shape.type)}.coerce_output_value({inspect(value)})"
        raise TypeError(f"Expected `{called}` to return non-nullable value, returned: {inspect(coerced)}")
    return coerced


def _object(run: Going, shape: Objects, plan: ObjectPlan, value: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in plan.fields:
        made[field.key] = _field(run, field, value, made, is_root=shape.always)
    if shape.only is None:
        run.note(made, plan)
    return made


def _field(run: Going, field: FieldPlan, source: Any, made: dict[str, Any], *, is_root: bool) -> Any:
    binding = field.binding
    if binding is None:
        return field.parent.name
    try:
        if field.requires is not None and not field.in_turn:
            permit(field.requires, None if is_root else source, run.context)
        if field.waits:
            run.put_off(field, source, made)
            return None
        info = run.about(field.index) if binding.info_name else None
        value = binding.of_objects(info, _given(run, field))(source)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told at this field
        return run.fail(error)
    return complete(run, field, field.shape, value)


def _given(run: Going, field: FieldPlan) -> Mapping[str, Any]:
    given = run.arguments(field.index) if field.declared.args else {}
    if isinstance(given, Exception):
        raise given
    return given


def _plan_for(run: Going, field: FieldPlan, shape: Objects, value: Any) -> ObjectPlan:
    """The plan for an object by its own type. Raises what the engine raises where it has none that fits."""
    type_, info = shape.type, run.engine_about(field.index)
    name = _resolved(type_, value, info, field) if is_abstract_type(type_) else type_.name
    plan = shape.plans.get(name) if isinstance(name, str) else None
    if plan is None:
        raise GraphQLError(f"Runtime Object type '{name}' is not a possible type for '{type_}'.", field.nodes)
    fits = plan.type.is_type_of
    if fits is not None and not fits(value, info):
        raise GraphQLError(f"Expected value of type '{plan.type}' but got: {inspect(value)}.", field.nodes)
    return plan


def _resolved(type_: GraphQLAbstractType | GraphQLNamedType, value: Any, info: Any, field: FieldPlan) -> Any:
    resolve = getattr(type_, "resolve_type", None)
    name = resolve(value, info, type_) if resolve is not None else None
    if name is None:
        raise GraphQLError(
            f"Abstract type '{type_}' must resolve to an Object type at runtime"
            f" for field '{field.parent}.{field.name}'."
            f" Either the '{type_}' type should provide a 'resolve_type' function or each possible type should provide"
            " an 'is_type_of' function.",
            field.nodes,
        )
    return name
