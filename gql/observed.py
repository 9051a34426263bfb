"""What operators see of operations and look-ups: how long they take, and spans of OpenTelemetry.

Spans cost next to nothing until an operator installs an SDK and configures it: we use the API alone. An operation is
known by its trusted name, or as one of all others, so that figures do not grow with what callers make up; what was in
it, and who asked, is in neither.
"""

import time
from collections.abc import Awaitable, Callable, Sized
from typing import TypeVar

from opentelemetry import trace

from gql.tallies import Times

OTHER = "other"
"""The name of what has none that is trusted."""

_SECONDS = Times(
    "graphql_operation_seconds", "How long operations took, or single events of theirs, by trusted name.", ["operation"]
)
_TRACER = trace.get_tracer("gametriggers")

Keys = TypeVar("Keys", bound=Sized)
Found = TypeVar("Found")
Done = TypeVar("Done")


async def observed_operation(kind: str, name: str, request_id: str, work: Awaitable[Done]) -> Done:
    """Time some work, and give it a span."""
    began = time.perf_counter()
    span = _TRACER.start_span(kind if name == OTHER else f"{kind} {name}")
    try:
        if not span.is_recording():
            return await work
        told = {"graphql.operation.type": kind, "graphql.operation.name": name, "gametriggers.request_id": request_id}
        span.set_attributes(told)
        with trace.use_span(span, end_on_exit=True):
            return await work
    finally:
        _SECONDS.observe(time.perf_counter() - began, name)


def observed_load(name: str, load: Callable[[Keys], Awaitable[Found]]) -> Callable[[Keys], Awaitable[Found]]:
    """A look-up that has a span each time, which says how many things were looked up together."""
    title = f"look up {name}"

    async def observed(keys: Keys) -> Found:
        span = _TRACER.start_span(title)
        if not span.is_recording():
            return await load(keys)
        span.set_attribute("gametriggers.keys", len(keys))
        with trace.use_span(span, end_on_exit=True):
            return await load(keys)

    return observed
