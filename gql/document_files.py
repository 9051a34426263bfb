"""Trusted documents as they lie in files: `.graphql` with operations and fragments, or a manifest of ids and texts.

Each operation of a folder is a document of its own, followed by those fragments of the folder that it needs. What is
wrong is told with file and line.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    DefinitionNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Source,
    Visitor,
    parse,
    validate,
    visit,
)

from gql.limits import Limits, excesses, measured
from gql.trusted import PREFIX, Client, Trust, TrustedDocument, document_id

SHIPPED = Path(__file__).resolve().parent / "documents"
"""A folder for each client, and those that several have in common."""

IN_COMMON: Mapping[str, frozenset[Client]] = {"portals": frozenset({Client.BRAND, Client.STREAMER, Client.PLAYER})}
"""What belongs to whom as if it lay in each one's folder."""


class DocumentsError(Exception):
    """Documents that cannot be trusted; its text says, a line each, where and why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What documents are held to."""

    schema: GraphQLSchema
    limits: Limits


def shipped(rules: Rules, folder: Path = SHIPPED) -> tuple[TrustedDocument, ...]:
    """All documents of the clients' folders. Raises `DocumentsError` with everything that is wrong."""
    found: list[TrustedDocument] = []
    wrong: list[str] = []
    if stray := [each.name for each in sorted(folder.iterdir()) if each.name not in {*Client, *IN_COMMON}]:
        wrong.append(f"{folder.name}: no client is called {', '.join(stray)}")
    for client in Client:
        try:
            found += read(rules, client, _files(folder, client))
        except DocumentsError as error:
            wrong.append(str(error))
    if wrong:
        raise DocumentsError("\n".join(wrong))
    return tuple(found)


def _files(folder: Path, client: Client) -> list[Path]:
    own = [client, *(name for name, clients in IN_COMMON.items() if client in clients)]
    return sorted(file for name in own for file in (folder / name).rglob("*") if file.suffix in {".graphql", ".json"})


def read(rules: Rules, client: Client, files: Iterable[Path]) -> list[TrustedDocument]:
    """The documents of some files that belong together. Raises `DocumentsError` with everything that is wrong."""
    wrong: list[str] = []
    definitions: list[DefinitionNode] = []
    listed: list[DocumentNode] = []
    for file in files:
        try:
            written = file.read_text(encoding="utf-8")
            if file.suffix == ".json":
                listed += [_parsed(text, place) for place, text in _listed(file, written)]
            else:
                definitions += _parsed(written, _shown(file)).definitions
        except OSError as error:
            wrong.append(f"{_shown(file)}: {error.strerror}")
        except UnicodeDecodeError:
            wrong.append(f"{_shown(file)}: not UTF-8")
        except (GraphQLError, DocumentsError) as error:
            wrong.append(_told(error))
    composed = DocumentNode(definitions=tuple(definitions))
    documents = _each(composed)
    for document in ([composed] if definitions else []) + listed:
        wrong += [_told(error) for error in validate(rules.schema, document)]
    for document in [*documents, *listed]:
        wrong += _beyond(rules, document)
    if wrong:
        raise DocumentsError("\n".join(wrong))
    texts = [(each, _text(each)) for each in documents]
    texts += [(each, each.loc.source.body) for each in listed if each.loc is not None]
    return [TrustedDocument(text, frozenset({client}), _place(each), _name(each)) for each, text in texts]


def each_judged(rules: Rules, manifest: Mapping[str, str]) -> str:
    """Hold each document of a manifest to the rules. Raises `DocumentsError` with everything that is wrong."""
    wrong: list[str] = []
    for id_, text in manifest.items():
        try:
            document = _parsed(text, id_)
        except GraphQLError as error:
            wrong.append(_told(error))
            continue
        wrong += [*map(_told, validate(rules.schema, document)), *_beyond(rules, document)]
    if wrong:
        raise DocumentsError("\n".join(wrong))
    return f"{len(manifest)} documents are in order."


def _listed(file: Path, text: str) -> list[tuple[str, str]]:
    """The documents of a manifest, `{id: text}`. Raises `DocumentsError` for an id that is not its text's digest."""
    try:
        manifest = json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentsError(f"{_shown(file)}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(manifest, Mapping) or not all(isinstance(each, str) for each in manifest.values()):
        raise DocumentsError(f"{_shown(file)}: a manifest is an object of ids and texts")
    for id_, document in manifest.items():
        if PREFIX + id_.removeprefix(PREFIX) != document_id(document):
            raise DocumentsError(f"{_shown(file)}: {id_[:80]!r} is not the SHA-256 of its document")
    return [(f"{_shown(file)} {id_.removeprefix(PREFIX)[:12]}", document) for id_, document in manifest.items()]


def _parsed(text: str, place: str) -> DocumentNode:
    return parse(Source(text, place))


def _each(composed: DocumentNode) -> list[DocumentNode]:
    """Each operation with the fragments that it needs, in the order in which it comes to need them."""
    fragments = {each.name.value: each for each in composed.definitions if isinstance(each, FragmentDefinitionNode)}
    operations = [each for each in composed.definitions if isinstance(each, OperationDefinitionNode)]
    return [DocumentNode(definitions=(each, *_needed(each, fragments))) for each in operations]


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names[node.name.value] = None


def _needed(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Sequence[FragmentDefinitionNode]:
    found: dict[str, FragmentDefinitionNode] = {}
    waiting: list[ExecutableDefinitionNode] = [operation]
    while waiting:
        spreads = _Spreads()
        visit(waiting.pop(0), spreads)
        more = {name: fragments[name] for name in spreads.names if name in fragments and name not in found}
        found |= more
        waiting += more.values()
    return tuple(found.values())


def _beyond(rules: Rules, document: DocumentNode) -> list[str]:
    """What is wrong with one document that is no matter of the schema: its names, and how large it is."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    wrong = [f"{_place(each)}: an operation needs a name" for each in operations if each.name is None]
    too_large = excesses(measured(rules.schema, document), rules.limits, {})
    return wrong + [_told(error) for error in too_large]


def _text(document: DocumentNode) -> str:
    """A document's text: its definitions as they were written."""
    places = [each.loc for each in document.definitions if each.loc is not None]
    return "\n\n".join(place.source.body[place.start : place.end] for place in places)


def _name(document: DocumentNode) -> str:
    """Of its operation; of the first, where a manifest's document has several."""
    operations = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return next((each.name.value for each in operations if each.name is not None), "")


def _place(node: DocumentNode | DefinitionNode) -> str:
    first = node.definitions[0] if isinstance(node, DocumentNode) and node.definitions else node
    if first.loc is None:
        return "a document"
    line = first.loc.source.body.count("\n", 0, first.loc.start) + 1
    return f"{first.loc.source.name}:{line}"


def _told(error: GraphQLError | DocumentsError) -> str:
    if isinstance(error, DocumentsError):
        return str(error)
    source = error.nodes[0].loc.source if error.nodes and error.nodes[0].loc else error.source
    line = error.locations[0].line if error.locations else 1
    return f"{source.name if source else 'a document'}:{line}: {error.message}"


def _shown(file: Path) -> str:
    """A file's name as people know it: from the root, where it lies below it."""
    root = SHIPPED.parent.parent
    return str(file.resolve().relative_to(root)) if file.resolve().is_relative_to(root) else str(file)


def trust_of(schema: GraphQLSchema, *, others: bool) -> Trust:
    """The shipped documents, alone or with whatever `others` are sent. Raises `DocumentsError`."""
    return Trust(shipped(Rules(schema, Limits())), others=others)
