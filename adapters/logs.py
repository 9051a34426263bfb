"""Logs: one line an event, JSON for machines or columns for people, and no secret in either."""

import asyncio
import atexit
import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from threading import Lock
from typing import Any, TextIO

import orjson
import structlog
from structlog.contextvars import get_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from adapters.config import Settings

HIDDEN = "[hidden]"

SOON_S = 0.05
"""So long a line may wait that is no warning."""

_SECRET_NAMES = (
    "authorization", "cookie", "password", "passwd", "secret", "token", "apikey", "api_key", "server_key", "signature",
)  # fmt: skip
_SECRETS_IN_TEXT = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\bgto_[\w-]+"), HIDDEN),
    (re.compile(r"\bSB-Mid-[\w-]+|\bMid-server-[\w-]+"), HIDDEN),
)
_SIGNS = ("eyj", "bearer", "basic", "://", "mid-", "gto_")
"""One of these stands in whatever those patterns find, in small letters."""
_NAMES_AND_SIGNS = (*_SECRET_NAMES, *_SIGNS)
_DEEPEST = 6
_REMEMBERED = 1_024


def configure_logging(settings: Settings) -> None:
    """Send all logs to standard error in one form: ours straight there, the libraries' by way of `logging`."""
    endings: list[Processor] = [structlog.processors.format_exc_info]
    endings += [line_of] if settings.log_json else [redact, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    lines = _Lines(sys.stderr)
    atexit.register(lines.now)
    structlog.configure(
        processors=[_signed, *endings],
        logger_factory=partial(_Named, lines),
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_signed],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *endings],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)


def _signed(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """What every line has: whose request it belongs to, how grave it is, who says it and when."""
    record = event.get("_record")
    event = {**get_contextvars(), **event}
    event["level"], event["logger"] = method, record.name if record else logger.name
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return event


class _Lines:
    """Writes lines to a stream: graver ones at once, others with all that come in a moment, for each writing costs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._waiting = stream, list[str]()
        self._lock = Lock()
        self._looked_after_by: asyncio.AbstractEventLoop | None = None

    def soon(self, line: str) -> None:
        """Write a line, in a moment where there is a loop that will think of it."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.now(line)
            return
        with self._lock:
            self._waiting.append(line)
        if self._looked_after_by is not loop:
            self._looked_after_by = loop
            loop.call_later(SOON_S, self.now)

    def now(self, *more: str) -> None:
        """Write all that waits, and more."""
        with self._lock:
            lines, self._waiting, self._looked_after_by = [*self._waiting, *more], [], None
            if lines:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()


class _Named:
    """Where the lines of one logger go, a method for each level."""

    def __init__(self, lines: _Lines, name: str = "gametriggers") -> None:
        self.name = name
        self.debug = self.info = lines.soon
        self.warning = self.error = self.critical = lines.now


def line_of(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """A line of JSON without secrets. Most have none, which one look at all of it tells."""
    try:
        line = orjson.dumps(event).decode()
    except orjson.JSONEncodeError:
        line = ""
    if line and not _may_have_secrets(line, _NAMES_AND_SIGNS):
        return line
    event = redact(logger, method, event)
    try:
        return orjson.dumps(event).decode()
    except orjson.JSONEncodeError:  # a number or a letter that orjson does not write
        return json.dumps(event)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide what is named like a secret, and what looks like one within any text."""
    return {name: HIDDEN if _names_secret(name) else _hidden(value, 0) for name, value in event.items()}


def _may_have_secrets(text: str, signs: tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(map(lowered.__contains__, signs))


@lru_cache(_REMEMBERED)
def _names_secret(name: str) -> bool:
    return _may_have_secrets(name, _SECRET_NAMES)


def _hidden(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _hidden_in(value)
    if isinstance(value, int | float | None):
        return value
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _names_secret(str(name)) else _hidden(inner, depth + 1) for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hidden(inner, depth + 1) for inner in value]
    return _hidden_in(repr(value))


def _hidden_in(text: str) -> str:
    if not _may_have_secrets(text, _SIGNS):
        return text
    for pattern, instead in _SECRETS_IN_TEXT:
        text = pattern.sub(instead, text)
    return text
