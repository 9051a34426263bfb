"""Logs: one line an event, JSON for machines or columns for people, and no secret in either."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from adapters.config import Settings

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(
    r"authorization|cookie|password|passwd|secret|token|api_?key|server_key|signature", re.IGNORECASE
)
_SECRETS_IN_TEXT = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\bSB-Mid-[\w-]+|\bMid-server-[\w-]+"), HIDDEN),
)
_DEEPEST = 6


def configure_logging(settings: Settings) -> None:
    """Send all logs, the libraries' too, to standard error in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    endings: list[Processor] = (
        [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer()]
        if settings.log_json
        else [structlog.processors.format_exc_info, redact, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *endings],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide what is named like a secret, and what looks like one within any text."""
    return {name: HIDDEN if _SECRET_NAME.search(name) else _hidden(value, 0) for name, value in event.items()}


def _hidden(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        for pattern, instead in _SECRETS_IN_TEXT:
            value = pattern.sub(instead, value)
        return value
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _SECRET_NAME.search(str(name)) else _hidden(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hidden(inner, depth + 1) for inner in value]
    return value if isinstance(value, int | float | bool | None) else _hidden(repr(value), depth)
