"""The messages of graphql-transport-ws: what clients may send, what they are told, and the codes of a close."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gql.errors import Told

LARGEST_MESSAGE = 100 * 1024
"""Characters."""

BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, NO_PROTOCOL = 4400, 4401, 4403, 4406
INIT_TIMEOUT, ID_TAKEN, INIT_AGAIN = 4408, 4409, 4429
TOO_BIG, OUR_FAULT, RESTARTING, TRY_AGAIN_LATER = 1009, 1011, 1012, 1013

_LONGEST_ID = 200
_LONGEST_REASON = 120
"""Bytes; the frame of a close has room for 123, and what clients sent may stand in it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a socket is to be closed, and with which code."""

    code: int
    reason: str


class BrokenProtocolError(Exception):
    """A message that the protocol does not allow."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.ending = Ending(code, reason.encode()[:_LONGEST_REASON].decode(errors="ignore"))


def read(text: str | None) -> dict[str, Any]:
    """A message of the protocol, as far as all have the same form. Raises `BrokenProtocolError`, as all here do."""
    if text is None:
        raise BrokenProtocolError(BAD_MESSAGE, "Messages are text")
    if len(text) > LARGEST_MESSAGE:
        raise BrokenProtocolError(TOO_BIG, "Message too big")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BrokenProtocolError(BAD_MESSAGE, "Messages are JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BrokenProtocolError(BAD_MESSAGE, "Messages are objects with a type")
    return message


def mapping(message: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A member that is an object, or not there."""
    found = message.get(name)
    if not isinstance(found, dict | None):
        raise BrokenProtocolError(BAD_MESSAGE, f"`{name}` must be an object or null")
    return found


def id_in(message: Mapping[str, Any]) -> str:
    """Which operation a message is about."""
    found = message.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
        raise BrokenProtocolError(BAD_MESSAGE, f"`id` must be a text of 1 to {_LONGEST_ID} characters")
    return found


def pong_to(message: Mapping[str, Any]) -> bytes:
    """The text that answers a ping. What can be read may be nested too deep to be written again."""
    payload = mapping(message, "payload")
    try:
        return orjson.dumps({"type": "pong", "payload": payload} if "payload" in message else {"type": "pong"})
    except orjson.JSONEncodeError:
        raise BrokenProtocolError(BAD_MESSAGE, "`payload` is nested too deep") from None


def prefix_of(id_: str) -> bytes:
    """The text of an operation's `next` up to its payload; after that comes a brace."""
    return b'{"id":' + orjson.dumps(id_) + b',"type":"next","payload":'


def last_of(id_: str, errors: list[Told] | None) -> dict[str, Any]:
    """An operation's last message."""
    return {"id": id_, "type": "complete"} if errors is None else {"id": id_, "type": "error", "payload": errors}
