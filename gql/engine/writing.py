"""Writes a function for each place of a plan: straight code without a single question that the plan has answered.

What is written handles the usual case alone. Whatever is not usual (a missing value, a wrong one, an error, an object
that is somebody else's) raises, and that value is done again by `careful`, which knows what to say. That is sound
because nothing that is read or called here has effects: only what is awaited may, and that is never done twice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import is_iterable

from gql.access import DEFINITION, permit
from gql.engine.bindings import How
from gql.engine.planning import FieldPlan, Items, Leaf, ObjectPlan, Objects, Plan, Shape

Complete = Callable[[Sequence[Any], Sequence[dict[str, Any]], Any], None]
"""Puts each of a field's values, completed, into the object that it belongs to."""

_PLAIN: dict[GraphQLLeafType, str] = {
    GraphQLString: "{0}.__class__ is str",
    GraphQLID: "{0}.__class__ is str",
    GraphQLBoolean: "{0}.__class__ is bool",
    GraphQLInt: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "{0}.__class__ is float and {0} - {0} == 0.0",
}
"""What tells that a value is its own serialisation."""


class UnusualError(Exception):
    """A value that straight code does not handle."""


@dataclass(frozen=True, slots=True)
class Step:
    """The code for values that come together, and which values come after them."""

    key: str
    shape: Shape
    complete: Complete
    below: Sequence[int]
    """The fields, by index, that objects of these values wait for."""


def written(plan: Plan) -> tuple[Step, dict[int, Step]]:
    """The code of the plan's root, and that of each field whose value comes later."""
    root = _Writer(plan.root, "data").step()
    return root, {each.index: _Writer(each.shape, each.key, each).step() for each in plan.fields if each.waits}


class _Writer:
    """Writes one function."""

    def __init__(self, shape: Shape, key: str, field: FieldPlan | None = None) -> None:
        self._shape, self._key, self._field = shape, key, field
        self._lines: list[str] = []
        self._known: dict[str, Any] = {
            "_permit": permit, "_items": _items, "_Unusual": UnusualError, "_Wrong": Exception, "_field": field,
            "_shape": shape,
        }  # fmt: skip
        self._before: list[str] = []
        self._later: list[int] = []
        self._names = 0
        self._is_only_read = field is not None and isinstance(shape, Objects) and _is_only_read(shape)

    def step(self) -> Step:
        """The step. Its code is made of names of ours alone: what a client wrote stands in it as quoted text."""
        value = self._value(self._shape, "value", 3)
        undo = [f"del t{index}[m{index}:]; del s{index}[m{index}:]" for index in self._later]
        source = "\n".join([
            "def complete(values, targets, run):",
            "    context = run.context",
            *(f"    t{index} = run.later[{index}].targets; s{index} = run.later[{index}].sources"
              for index in self._later),
            *(f"    {line}" for line in self._before),
            "    done_before = {}",
            "    for value, target in zip(values, targets):",
            *(f"        {line}" for line in self._again()),
            *(f"        m{index} = len(t{index})" for index in self._later),
            "        try:",
            *self._lines,
            f"            done = {value}",
            *(f"            {line}" for line in self._keep()),
            "        except Exception:",
            *(f"            {line}" for line in undo),
            "            done = run.carefully(_field, _shape, value)",
            f"        target[{self._key!r}] = done",
        ])  # fmt: skip
        exec(compile(source, "<plan>", "exec"), self._known)  # noqa: S102 - the code is ours, see above
        return Step(self._key, self._shape, self._known["complete"], tuple(self._later))

    def _again(self) -> Sequence[str]:
        """Lines that take what an object came to before: many items of a list have one owner."""
        taking = f"target[{self._key!r}] = done_before[id(value)]; continue"
        return (f"if id(value) in done_before: {taking}",) if self._is_only_read else ()

    def _keep(self) -> Sequence[str]:
        return ("done_before[id(value)] = done",) if self._is_only_read else ()

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _name(self, prefix: str = "v") -> str:
        self._names += 1
        return f"{prefix}_{self._names}"

    def _constant(self, value: object) -> str:
        name = self._name("k")
        self._known[name] = value
        return name

    def _value(self, shape: Shape, name: str, depth: int) -> str:
        """Lines that complete the value in `name`; the expression of what they made."""
        match shape:
            case Leaf():
                return self._leaf(shape, name, depth)
            case Items():
                return self._list(shape, name, depth)
            case Objects():
                return self._objects(shape, name, depth)
        raise TypeError(f"{shape} is no shape")

    def _leaf(self, shape: Leaf, name: str, depth: int) -> str:
        plain = _PLAIN.get(shape.type)
        if plain is not None:
            unless = f"not ({plain.format(name)})"
            serialised = f"{self._constant(_serialiser(shape.type))}({name})"
        else:
            unless = ""
            table = _names_of(shape.type)
            serialised = (
                f"{self._constant(table)}[{name}]" if table else f"{self._constant(_serialiser(shape.type))}({name})"
            )
        there = f"{name} is not None" if shape.nullable else ""
        question = " and ".join(filter(None, (there, unless)))
        if question:
            self._line(depth, f"if {question}: {name} = {serialised}")
        else:
            self._line(depth, f"{name} = {serialised}")
        return name

    def _list(self, shape: Items, name: str, depth: int) -> str:
        made, add, item = self._name("list"), self._name("add"), self._name("item")
        if shape.nullable:
            self._line(depth, f"{made} = None")
            self._line(depth, f"if {name} is not None:")
            depth += 1
        self._line(depth, f"if {name}.__class__ is not list: {name} = _items({name})")
        self._line(depth, f"{made} = []; {add} = {made}.append")
        self._line(depth, f"for {item} in {name}:")
        self._line(depth + 1, f"{add}({self._value(shape.of, item, depth + 1)})")
        return made

    def _objects(self, shape: Objects, name: str, depth: int) -> str:
        made = self._name("object")
        if shape.nullable and not shape.always:
            self._line(depth, f"{made} = None")
            self._line(depth, f"if {name} is not None:")
            depth += 1
        if shape.only is not None:
            self._one(shape.only, shape, name, made, depth)
        else:
            self._several(shape, name, made, depth)
        return made

    def _one(self, plan: ObjectPlan, shape: Objects, name: str, made: str, depth: int) -> None:
        if plan.type.is_type_of is not None:
            self._line(depth, f"if {name}.__class__ is not {self._constant(plan.origin)}: raise _Unusual")
        elif not shape.always:
            self._line(depth, f"if {name} is None or isinstance({name}, _Wrong): raise _Unusual")
        self._object(plan, name, made, depth, owned=not shape.always)

    def _several(self, shape: Objects, name: str, made: str, depth: int) -> None:
        """Ask for the class. What two types share, and what is of no class of theirs, is for `careful` to judge."""
        known = [plan for plan in shape.plans.values() if plan.origin is not None]
        origins = [plan.origin for plan in known]
        word = "if"
        for plan in known:
            if origins.count(plan.origin) == 1:
                self._line(depth, f"{word} {name}.__class__ is {self._constant(plan.origin)}:")
                self._object(plan, name, made, depth + 1, owned=True)
                self._line(depth + 1, f"run.made.append(({made}, {self._constant(plan)}))")
                word = "elif"
        self._line(depth, "else: raise _Unusual" if word == "elif" else "raise _Unusual")

    def _object(self, plan: ObjectPlan, name: str, made: str, depth: int, *, owned: bool) -> None:
        for requires in plan.owned if owned else ():
            self._line(depth, f"_permit({self._constant(requires)}, {name}, context)")
        parts = []
        for field in plan.fields:
            if field.binding is None:
                expression = repr(plan.type.name)
            elif field.waits:
                expression = "None"
                self._later.append(field.index)
            else:
                found = self._name()
                self._line(depth, f"{found} = {self._reading(field, name)}")
                expression = self._value(field.shape, found, depth)
            parts.append(f"{field.key!r}: {expression}")
        self._line(depth, f"{made} = {{{', '.join(parts)}}}")
        for field in plan.fields:
            if field.waits:
                self._line(depth, f"t{field.index}.append({made}); s{field.index}.append({name})")

    def _reading(self, field: FieldPlan, name: str) -> str:
        """The expression that gets the value of a field of the object in `name`."""
        binding = field.binding
        if binding is None:
            raise TypeError(f"{field.key} has no value of its own")
        if binding.how is How.READ and binding.attribute.isidentifier():
            return f"{name}.{binding.attribute}"
        given = [name] if binding.takes_self else []
        given += [f"{keyword}={name}" for keyword in binding.source_names]
        if binding.info_name:
            self._before.append(f"i{field.index} = run.about({field.index})")
            given.append(f"{binding.info_name}=i{field.index}")
        if field.declared.args:
            self._before.append(f"a{field.index} = run.arguments({field.index})")
            given.append(f"**a{field.index}")
        return f"{self._constant(binding.function)}({', '.join(given)})"


def _is_only_read(shape: Shape) -> bool:
    """Whether completing a value reads attributes and does nothing else, so that it need not be done twice."""
    match shape:
        case Leaf():
            return True
        case Items():
            return _is_only_read(shape.of)
        case Objects():
            return shape.only is not None and all(
                field.binding is None
                or (field.binding.how is How.READ and not field.waits and _is_only_read(field.shape))
                for field in shape.only.fields
            )
    return False


def _names_of(type_: GraphQLLeafType) -> dict[Any, str]:
    """The names of an enumeration's members, by member."""
    definition = type_.extensions.get(DEFINITION) if isinstance(type_, GraphQLEnumType) else None
    members: Iterable[Any] = getattr(definition, "wrapped_cls", ())
    return {member: type_.coerce_output_value(member) for member in members}


def _serialiser(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    coerce = type_.coerce_output_value

    def serialise(value: Any) -> Any:
        if value is None or value is Undefined or isinstance(value, Exception):
            raise UnusualError
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise UnusualError
        return coerced

    return serialise


def _items(value: Any) -> Any:
    if not is_iterable(value):
        raise UnusualError
    return value
