"""What a selection costs, worked out once for a document and reckoned for the variables of each request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    IntValueNode,
    ListValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from gql.weighing import Given, Weight

LARGEST_LIST = 100
"""What a page of an impossible size counts as; the field refuses it later."""

_LONGEST_NUMBER = 4

Times = Callable[[Mapping[str, Any]], int]
"""How often something happens, by what a request's variables say."""


@dataclass(frozen=True, eq=False, slots=True)
class _Repeated:
    """What happens as often as the variables say."""

    times: Times
    cost: "Cost"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a selection costs, whatever the variables of a request will be.

    A fragment that is spread a thousand times is one part here, so that neither adding nor reckoning takes longer than
    the document is long.
    """

    fixed: int = 0
    parts: Mapping[_Repeated, int] = field(default_factory=dict)
    """What depends on variables, and how often it is there."""

    def of(self, variables: Mapping[str, Any]) -> int:
        """The cost for these variables."""
        return self.fixed if not self.parts else self._of(variables, {})

    def _of(self, variables: Mapping[str, Any], known: dict[_Repeated, int]) -> int:
        total = self.fixed
        for part, count in self.parts.items():
            if part not in known:
                known[part] = part.times(variables) * part.cost._of(variables, known)  # noqa: SLF001 - its own kind
            total += count * known[part]
        return total

    def beside(self, other: "Cost") -> "Cost":
        """What both cost."""
        parts = dict(self.parts)
        for part, count in other.parts.items():
            parts[part] = parts.get(part, 0) + count
        return Cost(self.fixed + other.fixed, parts)

    def repeated(self, times: int | Times) -> "Cost":
        """What it costs to do it so often."""
        if isinstance(times, int):
            return Cost(self.fixed * times, {part: count * times for part, count in self.parts.items()})
        return Cost(0, {_Repeated(times, self): 1})


def summed(costs: Iterable[Cost]) -> Cost:
    """What all of them cost."""
    total = Cost()
    for cost in costs:
        total = total.beside(cost)
    return total


class Arguments:
    """What a field is given in one operation, as far as it matters to what the field costs."""

    def __init__(self, nodes: Mapping[str, ValueNode], weight: Weight, defaults: Mapping[str, Any]) -> None:
        """`defaults` are those of the operation's variables."""
        self._nodes, self._weight, self._defaults = nodes, weight, defaults

    def once(self) -> Cost:
        """What it costs to use the field at all, and to give it what its arguments are not as a rule."""
        cost = Cost(self._weight.cost)
        for name, argument in self._weight.arguments.items():
            if argument.cost and name in self._nodes:
                cost = cost.beside(Cost(argument.cost).repeated(self._reckoned([name], partial(_is_unusual, argument))))
        return cost

    def times(self) -> int | Times:
        """How long the list may be: as long as the largest of its slicing arguments says, or as it is assumed to be."""
        if not self._weight.slicing:
            return 1 if self._weight.assumed is None else self._weight.assumed
        lists = [self._weight.arguments[name].is_list for name in self._weight.slicing]
        return self._reckoned(self._weight.slicing, partial(_longest, lists))

    def _reckoned(self, names: Sequence[str], reckon: Callable[[Sequence[Any]], int]) -> int | Times:
        """What comes of the values of arguments: at once, unless it takes variables."""
        values = [self._value(name) for name in names]
        if not any(callable(value) for value in values):
            return reckon(values)
        return lambda variables: reckon([value(variables) if callable(value) else value for value in values])

    def _value(self, name: str) -> Any:
        """What an argument is given, or how that is found among the variables of a request."""
        usual = self._weight.arguments[name].usual
        node = self._nodes.get(name)
        if isinstance(node, VariableNode):
            asked = node.name.value
            default = self._defaults.get(asked, usual)
            return lambda variables: variables.get(asked, default)
        return usual if node is None else _literal(node)


def literal_defaults(given: Iterable[tuple[str, ValueNode | None]]) -> dict[str, Any]:
    """The values that variables have by themselves."""
    return {name: _literal(node) for name, node in given if node is not None}


def _literal(node: ValueNode) -> Any:
    """A literal, as far as it can say how long or how much: a list by its length, and no number without end."""
    match node:
        case IntValueNode():
            return int(node.value) if len(node.value) <= _LONGEST_NUMBER else None
        case ListValueNode():
            return [None] * len(node.values)
        case EnumValueNode() | StringValueNode() | BooleanValueNode():
            return node.value
        case _:
            return None


def _is_unusual(argument: Given, values: Sequence[Any]) -> int:
    return int(values[0] != argument.usual)


def _longest(lists: Sequence[bool], values: Sequence[Any]) -> int:
    return max(_length(is_list, value) for is_list, value in zip(lists, values, strict=True))


def _length(is_list: bool, value: object) -> int:
    if is_list:
        return len(value) if isinstance(value, list) else 1
    return value if isinstance(value, int) and 0 < value <= LARGEST_LIST else LARGEST_LIST
