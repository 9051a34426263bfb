"""How results look as server-sent events (the protocol graphql-sse)."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import Message

from gql.fanout.group import Written
from gql.sites import VARY

EVENT_STREAM = "text/event-stream"

SILENCE = b":\n\n"
"""A comment, which clients pass over."""

COMPLETE = b"event: complete\ndata:\n\n"


def head_of(*more: Mapping[str, str]) -> Message:
    """What tells the client, and all proxies that would rather wait for more, that a stream begins."""
    headers = {
        "Content-Type": f"{EVENT_STREAM}; charset=utf-8",
        "Cache-Control": "no-store",
        "Vary": VARY,
        "X-Accel-Buffering": "no",
    }
    for each in more:
        headers.update(each)
    return {"type": "http.response.start", "status": 200, "headers": Headers(headers).raw}


def event_of(body: Mapping[str, Any], place: str | None = None) -> bytes:
    """The event that brings a result; `place` becomes its id."""
    return with_id(b"", Written(orjson.dumps(body), place))


def with_id(_: bytes, written: Written) -> bytes:
    """The event for who may resume: its id is the cursor."""
    named = b"id: %b\n" % written.place.encode() if written.place else b""
    return b"event: next\n%bdata: %b\n\n" % (named, written.text)


def without_id(prefix: bytes, written: Written) -> bytes:
    """The event for who may not."""
    return with_id(prefix, Written(written.text, None))
