"""Decides which operations are carried out at all.

They can be read, are small enough, paid for and valid, and may come by this way. Who may use which field is decided
elsewhere: here the caller matters only to the budget.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    validate,
)
from graphql.execution.values import VariableValues

from domain.actor import Actor
from domain.errors import UnavailableError
from domain.identity.model import Portal
from gql.document_files import DocumentsError
from gql.engine import documents
from gql.engine.documents import Document, Library
from gql.engine.running import World
from gql.errors import HiddenError, RateLimitedError, TooLargeError
from gql.limits import Limits, Measured, excesses, measured, refuse_endless_numbers
from gql.observed import OTHER
from gql.operations import Operation
from gql.repeats import repeats
from gql.tallies import Tally
from gql.trusted import Trust, TrustedDocument, UntrustedError, not_trusted

MOST_NAMES = 1_000
"""Of trusted operations that are counted each by its own name; all others are counted together."""

_ADMITTED = Tally("graphql_named_operations_total", "Operations carried out, by trusted name.", ["operation"])


class Spending(Protocol):
    """What an operation may cost."""

    async def take_cost(self, cost: int, changes: int) -> None:
        """Count its cost, and how many changes it makes. Raises `RateLimitedError` if that is too much for now."""
        ...


class OperationContext(Protocol):
    """A context that knows who is calling, under which id errors are logged, and what the operation may cost."""

    @property
    def actor(self) -> Actor | None:
        """Who is calling."""
        ...

    @property
    def portal(self) -> Portal | None:
        """The portal whose session or page it is, if any's."""
        ...

    @property
    def correlation_id(self) -> str:
        """The id that a client can quote."""
        ...

    @property
    def budget(self) -> Spending:
        """What the operation is paid from."""
        ...


class RefusedError(Exception):
    """An operation that is not carried out at all."""

    def __init__(self, errors: Sequence[GraphQLError], *, allowed: bool = True) -> None:
        super().__init__(*errors)
        self.errors, self.allowed = errors, allowed


@dataclass(frozen=True, slots=True)
class Known:
    """A document that was found to be valid, and how large it is."""

    document: Document
    sizes: Sequence[Measured]
    introspection: Sequence[GraphQLError]
    """Where it asks the schema about itself, each as it is refused to all but staff."""


class Admission:
    """Admits operations to one schema, and remembers the documents that it found valid."""

    def __init__(self, world: World, limits: Limits) -> None:
        self._world, self._limits = world, limits
        self._library: Library[Known] = Library()
        self._shipped: dict[str, Known] = {}
        self._names = frozenset[str]()
        self._trust = Trust()

    def rely_on(self, trust: Trust, *, ahead: bool = True) -> None:
        """Carry out what is trusted, as `trust` says.

        What it ships is planned `ahead`, or else when it is first asked for. Raises `DocumentsError`.
        """
        for each in trust.shipped if ahead else ():
            if each.text not in self._shipped:
                self._shipped[each.text] = self._prepared(each)
        self._trust = trust

    async def admit(
        self, operation: Operation, context: OperationContext, allowed: Collection[OperationType]
    ) -> tuple[documents.Operation, VariableValues]:
        """The operation that is to be carried out, and its variables. Raises `RefusedError`.

        It is measured and paid for before it is validated: validation takes the longest of all.
        """
        text, trusted = await self._chosen(operation, context)
        variables = operation.variables or {}
        known = self._shipped.get(text) or self._library.find(text)
        document, sizes = (known.document, known.sizes) if known else self._read(text)
        if not (trusted or self._trust.others or asks_schema_alone(document.node)):
            raise _refusal(not_trusted())
        if too_large := excesses(sizes, self._limits, variables):
            raise RefusedError(too_large)
        try:
            found = document.operation(operation.name)
        except GraphQLError as error:
            raise RefusedError([error]) from None
        (size,) = [each.size for each in sizes if each.operation is found.definition]
        try:
            await context.budget.take_cost(size.cost.of(variables), size.changes)
        except RateLimitedError as error:
            raise _refusal(error) from None
        if known is None:
            known = self._validated(document, sizes)
            self._library.keep(text, known)
        if known.introspection and not (self._limits.introspection or _is_staff(context.actor)):
            raise RefusedError(known.introspection)
        coerced = _coerced(found, variables, allowed)
        self._count(found, trusted=trusted)
        return found, coerced

    @property
    def takes_any(self) -> bool:
        """Whether documents are carried out that nobody of ours wrote."""
        return self._trust.others

    async def spelt_out(self, operation: Operation, context: OperationContext) -> Operation:
        """One named by an id with its document's text; as it is where that is not to be had, and will be refused."""
        try:
            text, _ = await self._chosen(operation, context)
        except RefusedError:
            return operation
        return operation._replace(query=text, document_id=None)

    def is_for_everybody(self, operation: Operation) -> bool:
        """Whether an operation that was carried out, and is spelt out, is answered alike whoever asks."""
        known = self._shipped.get(operation.query) or self._library.find(operation.query)
        try:
            return known is not None and known.document.operation(operation.name).is_for_everybody
        except GraphQLError:
            return False

    async def _chosen(self, operation: Operation, context: OperationContext) -> tuple[str, bool]:
        """The text of an operation's document, and whether it is trusted.

        Staff may look at the schema with documents of their own. Raises `RefusedError`.
        """
        try:
            if operation.document_id is not None:
                return (await self._trust.find(operation.document_id, context.portal)).text, True
            same = self._trust.same(operation.query, context.portal)
        except (UntrustedError, UnavailableError) as error:
            raise _refusal(error) from None
        if same is None and not (self._trust.others or _is_staff(context.actor)):
            raise _refusal(not_trusted())
        return operation.query, same is not None

    def _count(self, found: documents.Operation, *, trusted: bool) -> None:
        name = found.definition.name.value if trusted and found.definition.name else OTHER
        if name not in self._names:
            if len(self._names) >= MOST_NAMES:
                name = OTHER
            self._names |= {name}
        found.known_as = None if name == OTHER else name
        _ADMITTED.count(name)

    def _prepared(self, trusted: TrustedDocument) -> Known:
        """A document that was found valid where it came from, with its plans. Raises `DocumentsError` if it is not."""
        try:
            document, sizes = self._read(trusted.text)
            known = self._validated(document, sizes)
        except RefusedError as refused:
            raise DocumentsError(f"{trusted.origin}: {refused.errors[0].message}") from None
        for operation in document.operations:
            operation.prepare()
        return known

    def _read(self, text: str) -> tuple[Document, Sequence[Measured]]:
        try:
            refuse_endless_numbers(text)
            document = Document.of(self._world, text, most_tokens=self._limits.tokens)
        except TooLargeError as error:
            raise _refusal(error) from None
        except GraphQLError as error:
            raise RefusedError([error]) from None
        return document, measured(self._world.schema, document.node)

    def _validated(self, document: Document, sizes: Sequence[Measured]) -> Known:
        if repeats(document.node, self._limits.repeats) > self._limits.repeats:
            raise _refusal(TooLargeError("repeats", "Too large: it names the same fields in one place too often."))
        if errors := validate(self._world.schema, document.node):
            raise RefusedError(errors)
        found = validate(self._world.schema, document.node, [NoSchemaIntrospectionCustomRule])
        asked = [GraphQLError(each.message, each.nodes, original_error=HiddenError(each.message)) for each in found]
        return Known(document, sizes, asked)


def _coerced(
    found: documents.Operation, variables: Mapping[str, Any], allowed: Collection[OperationType]
) -> VariableValues:
    """The values of an operation's variables, if it may come by this way at all. Raises `RefusedError`."""
    kind = found.definition.operation
    if kind not in allowed:
        raise RefusedError([GraphQLError(f"A {kind.value} does not come this way.")], allowed=False)
    coerced = found.coerced(variables)
    if isinstance(coerced, list):
        raise RefusedError(coerced)
    return coerced


def asks_schema_alone(document: DocumentNode) -> bool:
    """Whether every operation of a document asks for nothing but what the schema says of itself."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    roots = [selection for operation in operations for selection in operation.selection_set.selections]
    return all(isinstance(each, FieldNode) and each.name.value.startswith("__") for each in roots)


def _refusal(error: Exception) -> RefusedError:
    return RefusedError([GraphQLError(str(error), original_error=error)])


def _is_staff(actor: Actor | None) -> bool:
    return actor is not None and bool(actor.permissions)
