"""What platforms answer, read: what cannot be read is no answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus

from adapters.identity.oidc_wire import Answer
from domain.identity.provider import ProviderUnavailableError

_LONGEST_NAME, _LONGEST_TOKEN = 100, 4096


@contextmanager
def reading(call: str) -> Iterator[None]:
    """Read an answer; raises `ProviderUnavailableError` where it is not what we know how to read."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise ProviderUnavailableError(f"{call}: an answer that cannot be read") from None


def read(answer: Answer, call: str) -> Mapping[str, object]:
    """The JSON object of an answer that says yes. Raises `ProviderUnavailableError`."""
    if answer.status != HTTPStatus.OK:
        raise ProviderUnavailableError(f"{call}: HTTP {answer.status}")
    return answer.told


def moment(text: object) -> datetime:
    """An instant as platforms write it, to the microsecond. Raises ValueError for what is none, or has no zone."""
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found


def is_token(told: object) -> bool:
    """Whether this can be a token."""
    return isinstance(told, str) and 0 < len(told) <= _LONGEST_TOKEN and told.isascii() and told.isprintable()


def is_name(told: object) -> bool:
    """Whether an account can be called so."""
    return isinstance(told, str) and 0 < len(told) <= _LONGEST_NAME and told.isprintable()
