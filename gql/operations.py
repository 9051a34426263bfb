"""What clients ask for, and the form of what they are answered, whatever they came by."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import OperationType

from gql.errors import RateLimitedError, Told

QUERIES = (OperationType.QUERY,)
QUERIES_AND_SUBSCRIPTIONS = (OperationType.QUERY, OperationType.SUBSCRIPTION)
QUERIES_AND_MUTATIONS = (OperationType.QUERY, OperationType.MUTATION)
EVERYTHING = tuple(OperationType)


class Operation(NamedTuple):
    """What a client asks for, whatever it came by."""

    query: str
    """Its document; empty where it is named by its id."""
    variables: Mapping[str, Any] | None = None
    name: str | None = None
    document_id: str | None = None
    """Under which a document is trusted, as the draft on persisted documents has it."""


class MalformedError(Exception):
    """Parameters that are not those of a GraphQL request."""


def operation_of(parameters: object) -> Operation:
    """The operation that a request's parameters ask for. Raises `MalformedError`."""
    if isinstance(parameters, list):
        raise MalformedError("One operation at a time: batches are not answered")
    if not isinstance(parameters, dict):
        raise MalformedError("The parameters of a request are an object")
    query, name = parameters.get("query"), parameters.get("operationName")
    id_ = parameters.get("documentId")
    if id_ is not None and not isinstance(id_, str):
        raise MalformedError("`documentId` must be a text or null")
    if id_ is not None and query:
        raise MalformedError("Send `query` or `documentId`, not both")
    if not isinstance(query, str) and (id_ is None or query is not None):
        raise MalformedError("`query` must be a text")
    if name is not None and not isinstance(name, str):
        raise MalformedError("`operationName` must be a text or null")
    for optional in ("variables", "extensions"):
        given = parameters.get(optional)
        if given is not None and not isinstance(given, dict):
            raise MalformedError(f"`{optional}` must be an object or null")
    return Operation(query or "", parameters.get("variables"), name or None, id_)


class Answer(NamedTuple):
    """One result of an operation."""

    data: Mapping[str, Any] | None
    errors: list[Told]
    executed: bool
    """False for a request that was refused as a whole: it has no `data`, not even null."""
    allowed: bool = True
    """False where the operation's type may not come by this way."""

    @property
    def retry_after_s(self) -> int | None:
        """After how many seconds a request may be tried again that was refused as a whole for being too often."""
        if self.executed:
            return None
        told = (error["extensions"] for error in self.errors)
        return next((each["retryAfter"] for each in told if each["code"] == RateLimitedError.code), None)

    @property
    def body(self) -> dict[str, Any]:
        """The result as the specification writes it."""
        shown: dict[str, Any] = {"errors": self.errors} if self.errors else {}
        return {**shown, "data": self.data} if self.executed else shown
