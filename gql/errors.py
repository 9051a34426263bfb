"""The kinds of error and how each is told. A refusal is not among them: it is data, a member of a result's union.

Every error carries `extensions.code`: UNAUTHENTICATED, FORBIDDEN, BAD_INPUT, RATE_LIMITED (the same request may be
tried again after `retryAfter` seconds), UNAVAILABLE (it may be tried again: `retryable`) or INTERNAL. The last is a
mistake of ours: its text stays in our log, under a correlation id. Where a limit was passed, `extensions.limit` says
which.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from domain.errors import ConflictError, NotPermittedError, UnavailableError
from gql.telemetry import REFUSED

_MASKED = "Something went wrong on our side. Tell us the correlation id and we find out what."
_UNAVAILABLE = "Something that we need does not answer. Try the same request again in a moment."

_HINT = re.compile(r" ?Did you mean [^?]*\?")

_FOREIGN = re.compile(r", but encountered error '.*'; found", re.DOTALL)
"""How the engine puts the text of any exception of a scalar into a message of its own."""

_MOST_ERRORS = 20
_LONGEST_MESSAGE = 1_000
"""Messages repeat what was asked for."""

_TOO_MANY_TOKENS = "tokens. Parsing aborted"
"""What the engine says of a document that has too many."""

_log = structlog.get_logger("gametriggers.graphql")

Told = dict[str, Any]
"""An error as the client gets it."""


class ApiError(Exception):
    """An error whose text is meant for the client."""

    code: ClassVar[str]
    reason: str | None = None
    """Which limit was passed, where it is one of several that have the same code."""

    @property
    def extensions(self) -> dict[str, Any]:
        """What a program is told beside the text."""
        return {"code": self.code} if self.reason is None else {"code": self.code, "limit": self.reason}


class UnauthenticatedError(ApiError):
    """Nobody is signed in, or the token does not say who."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in: send `Authorization: Bearer <token>`.") -> None:
        super().__init__(message)


class ForbiddenError(ApiError):
    """Somebody is signed in, but it is not theirs."""

    code = "FORBIDDEN"

    def __init__(self, message: str = "This is not yours.") -> None:
        super().__init__(message)


class BadInputError(ApiError):
    """The request can never succeed as it is written."""

    code = "BAD_INPUT"


class TooLargeError(BadInputError):
    """It asks for more than is answered, by whichever measure `reason` names."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class HiddenError(BadInputError):
    """It asks the schema about itself, which is for staff and for development."""

    reason = "introspection"


class RateLimitedError(ApiError):
    """It was done too often for now. Nothing has happened."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too often: try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s

    @property
    def extensions(self) -> dict[str, Any]:
        """With the whole seconds after which it may be tried again."""
        return {**super().extensions, "retryAfter": self.retry_after_s}


@dataclass(frozen=True, slots=True)
class Manner:
    """How errors are told."""

    hints: bool = False
    """Say what a misspelt name may have meant: it shows the schema, piece by piece."""
    unavailable: tuple[type[Exception], ...] = ()
    """What adapters raise, beside the domain's own errors, when something does not answer."""


def tell(errors: Sequence[GraphQLError], correlation_id: str, manner: Manner) -> list[Told]:
    """Errors as the client gets them. Logs those that are ours, with what was masked."""
    shown = [_told(error, correlation_id, manner.unavailable) for error in _worth_telling(errors)]
    return shown if manner.hints else [{**told, "message": _HINT.sub("", told["message"])} for told in shown]


def refused(errors: Sequence[GraphQLError]) -> None:
    """Count an operation that is not carried out, or not to its end, by the first thing that is wrong with it."""
    REFUSED.labels(_reason(errors[0]) if errors else "unknown").inc()


def _reason(error: GraphQLError) -> str:
    cause = _cause(error)
    if isinstance(cause, ApiError):
        return cause.reason or cause.code.lower()
    if isinstance(error, GraphQLSyntaxError):
        return "tokens" if _TOO_MANY_TOKENS in error.message else "syntax"
    return "invalid" if cause is None or isinstance(cause, GraphQLError) else "internal"


def _worth_telling(errors: Sequence[GraphQLError]) -> Sequence[GraphQLError]:
    """All that explain a null; of what is wrong with a document, so much as somebody may want to read."""
    return errors if is_executed(errors) else errors[:_MOST_ERRORS]


def told(message: str, code: str) -> Told:
    """An error that concerns the request as a whole."""
    return {"message": message, "extensions": {"code": code}}


def told_of(error: ApiError) -> Told:
    """An error of the request as a whole that was raised outside of the engine."""
    return {"message": str(error), "extensions": error.extensions}


def told_unavailable(error: UnavailableError, correlation_id: str) -> Told:
    """Something did not answer before the engine began: the same request may be tried again."""
    _log.warning("unavailable", correlation_id=correlation_id, cause=repr(error))
    return {"message": _UNAVAILABLE, "extensions": {"code": "UNAVAILABLE", "retryable": True}}


def mask(error: Exception, correlation_id: str) -> Told:
    """An error of ours outside of any field: logged whole, told without a word about it."""
    _log.error("internal_error", correlation_id=correlation_id, exc_info=error)
    return {"message": _MASKED, "extensions": {"code": "INTERNAL", "correlationId": correlation_id}}


def is_executed(errors: Sequence[GraphQLError]) -> bool:
    """Whether errors come from fields that were executed, rather than from a request that was refused before."""
    return any(error.path is not None for error in errors)


def _told(error: GraphQLError, correlation_id: str, unavailable: tuple[type[Exception], ...]) -> Told:
    cause = _cause(error)
    if isinstance(cause, ApiError):
        return _formatted(error, str(cause), cause.extensions)
    if isinstance(cause, NotPermittedError):
        _log.warning("not_permitted", correlation_id=correlation_id, path=_dotted(error), cause=repr(cause))
        return _formatted(error, str(ForbiddenError()), {"code": ForbiddenError.code})
    if isinstance(cause, (UnavailableError, ConflictError, OSError, TimeoutError, *unavailable)):
        _log.warning("unavailable", correlation_id=correlation_id, path=_dotted(error), cause=repr(cause))
        return _formatted(error, _UNAVAILABLE, {"code": "UNAVAILABLE", "retryable": True})
    if error.path is None and (cause is None or isinstance(cause, GraphQLError)):
        message = _FOREIGN.sub("; found", error.message)
        if message != error.message:
            _log.error("internal_error", correlation_id=correlation_id, cause=error.message)
        return _formatted(error, message, {"code": BadInputError.code})
    _log.error("internal_error", correlation_id=correlation_id, path=_dotted(error), exc_info=cause or error)
    return _formatted(error, _MASKED, {"code": "INTERNAL", "correlationId": correlation_id})


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised in the first place, under however many layers of the engine's own errors."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _formatted(error: GraphQLError, message: str, extensions: Mapping[str, Any]) -> Told:
    shown: Told = {"message": message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"}
    if error.locations:
        places = error.locations[:_MOST_ERRORS]
        shown["locations"] = [{"line": place.line, "column": place.column} for place in places]
    if error.path is not None:
        shown["path"] = list(error.path)
    return {**shown, "extensions": dict(extensions)}


def _dotted(error: GraphQLError) -> str:
    return ".".join(str(step) for step in error.path or ())
