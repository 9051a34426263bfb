"""How a subscription declares that all who ask the same of it may be told the same."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from graphql import FieldNode, OperationType, VariableNode
from strawberry.types.field import StrawberryField

from gql.access import DEFINITION, Right, field
from gql.engine.planning import Plan

_SHARING = "sharing"
AFTER = "after"
"""The argument by which a subscription that delivers everything is resumed."""


class Flow(Enum):
    """What becomes of messages that a client does not take in time."""

    LATEST = auto()
    """Each message replaces an earlier one of the same key. Who comes later is told the last of each key at once."""
    DROP_OLDEST = auto()
    """The oldest are lost. Who comes later is told what happens from then on."""
    MUST_DELIVER = auto()
    """None is lost: the socket is closed, and the client resumes by cursor."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a subscription declares."""

    flow: Flow
    key: Callable[[Any], object] = lambda _: None
    """With `LATEST`: which events replace each other."""
    place: Callable[[Any], int] | None = None
    """With `MUST_DELIVER`: where an event stands in a stream whose events everybody gets in one order."""


def shared(
    right: Right,
    description: str,
    *,
    flow: Flow,
    key: Callable[[Any], object] = lambda _: None,
    place: Callable[[Any], int] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a subscription that may be shared, as `gql.access.field` declares others.

    Its resolver, and those of what is selected of its events, are run for nobody in particular. Where one of them asks
    who is calling, everybody is served alone, as with any other field. With `MUST_DELIVER` it takes an argument
    `after`, its first event is a snapshot unless that is given, and `place` numbers all events, the snapshot too.
    """
    if (flow is Flow.MUST_DELIVER) is (place is None):
        raise TypeError("a place goes with what must be delivered, and with nothing else")
    sharing = Sharing(flow, key, place)
    declared: Callable[[Callable[..., Any]], Any] = field(
        right, description, is_subscription=True, metadata={_SHARING: sharing}, **options
    )
    return declared


def sharing_of(plan: Plan) -> Sharing | None:
    """What the only field of a subscription declares; None where it is not to be shared."""
    if plan.operation.operation is not OperationType.SUBSCRIPTION:
        return None
    if any(each.requires is not None and each.requires.right is Right.OWNER for each in plan.fields):
        return None
    definition = plan.fields[0].declared.extensions.get(DEFINITION)
    found = definition.metadata.get(_SHARING) if isinstance(definition, StrawberryField) else None
    return found if isinstance(found, Sharing) else None


def resumed_by(plan: Plan) -> str | None:
    """The variable that says after which cursor a stream is to go on."""
    nodes: list[FieldNode] = plan.fields[0].nodes
    given = (argument.value for argument in nodes[0].arguments or () if argument.name.value == AFTER)
    return next((each.name.value for each in given if isinstance(each, VariableNode)), None)
