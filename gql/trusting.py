"""`python -m gql.trusting`: judges trusted documents for who deploys them. `gametriggers documents` calls it.

`check` judges the shipped ones; `list` shows them, a line each; `ids` tells code generators by which id each client
names each operation; `compose CLIENT FILE…` judges files and prints their
documents as a manifest, `{id: text}`; `judge` reads a manifest and says which of its documents the schema takes no
more. Exit status 1 where anything is wrong, with a line for each on standard error.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gql.document_files import DocumentsError, Rules, each_judged, read, shipped
from gql.limits import Limits
from gql.schema import build_schema
from gql.trusted import Client, TrustedDocument, document_id


def rules() -> Rules:
    """What documents are held to in production."""
    return Rules(build_schema().core, Limits())


def manifest(documents: Sequence[TrustedDocument]) -> str:
    """Documents by their ids, as code generators write them."""
    return json.dumps({document_id(each.text): each.text for each in documents}, ensure_ascii=False, indent=2)


def listed(documents: Sequence[TrustedDocument]) -> str:
    """A line for each document: whose, its id, and where it lies."""
    rows = [(client, document_id(each.text), each.origin) for each in documents for client in sorted(each.clients)]
    return "\n".join("  ".join(row) for row in sorted(rows, key=lambda row: (row[0], row[2])))


def ids(documents: Sequence[TrustedDocument]) -> dict[str, dict[str, str]]:
    """The id of each operation of each client."""
    found: dict[str, dict[str, str]] = {client: {} for client in Client}
    for each in documents:
        for client in each.clients:
            found[client][each.name] = document_id(each.text)
    return found


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; answers the exit status."""
    parser = ArgumentParser(prog="gql.trusting", description="Judge trusted documents.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("check", "list", "ids", "judge"):
        verbs.add_parser(verb)
    compose = verbs.add_parser("compose")
    compose.add_argument("client", choices=[str(client) for client in Client])
    compose.add_argument("files", nargs="+", type=Path)
    given = parser.parse_args(arguments)
    work: Mapping[str, Callable[[], str]] = {
        "check": lambda: f"{len(shipped(rules()))} documents are in order.",
        "list": lambda: listed(shipped(rules())),
        "ids": lambda: json.dumps(ids(shipped(rules()))),
        "judge": lambda: each_judged(rules(), json.load(sys.stdin)),
        "compose": lambda: manifest(read(rules(), Client(given.client), given.files)),
    }
    try:
        sys.stdout.write(f"{work[given.verb]()}\n")
    except DocumentsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
