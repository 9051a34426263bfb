"""The schema's text: written to `schema.graphql`, and held to what clients were promised before."""

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from graphql import (
    REMOVE,
    DirectiveDefinitionNode,
    DocumentNode,
    GraphQLSchema,
    NamedTypeNode,
    Node,
    TypeDefinitionNode,
    Visitor,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    parse,
    visit,
)

from gql import schema

FILE = Path(__file__).resolve().parent.parent / "schema.graphql"
_ROOTS = ("Query", "Mutation", "Subscription")


def printed() -> str:
    """The schema as clients see it in production."""
    return f"{schema.build_schema().as_str()}\n"


def write_schema(file: Path = FILE) -> None:
    """Write the schema's text."""
    file.write_text(printed(), encoding="utf-8")


def check_schema(base: str | None = None, file: Path = FILE) -> list[str]:
    """What is wrong with the schema, in sentences; nothing if all is well.

    The file must be what the code says, and nothing may have gone that the commit `base` had and did not call
    deprecated; left out, that is where a branch left main, however many commits ago. Where the file is the same there,
    it is compared with the version before: so a commit is still held to account after it has been made.
    """
    now = printed()
    problems = []
    if not file.exists() or file.read_text(encoding="utf-8") != now:
        problems.append(f"{file.name} is not what the code says: run `make schema` and commit it.")
    before = _last_other_version(base or _left_main(file), file, now)
    if before is not None:
        problems += [f"Breaks clients, deprecate it first: {change}" for change in breaking_changes(before, now)]
    return problems


def breaking_changes(before: str, now: str) -> list[str]:
    """What clients of one text lose in another, but for what was deprecated already."""
    promised = _without_deprecated(before)
    return [change.description for change in find_breaking_changes(promised, build_schema(now))]


def _left_main(file: Path) -> str:
    """Where this branch left main, which is the newest commit of main itself; that of the branch where none is main."""
    forks = (_git(file, "merge-base", "HEAD", main) for main in ("origin/main", "main"))
    return next((fork.strip() for fork in forks if fork is not None), "HEAD")


def _last_other_version(base: str, file: Path, now: str) -> str | None:
    commits = (_git(file, "log", "--format=%H", "-n", "2", base, "--", file.name) or "").split()
    versions = (_at(commit, file) for commit in commits)
    return next((version for version in versions if version is not None and version != now), None)


def _at(commit: str, file: Path) -> str | None:
    return _git(file, "show", f"{commit}:./{file.name}")


def _git(file: Path, *arguments: str) -> str | None:
    """What git answers; None where there is no git, no repository or no such version."""
    try:
        found = subprocess.run(  # noqa: S603 - the arguments are ours
            ["git", *arguments],  # noqa: S607 - wherever git is
            cwd=file.parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout


class _Deprecated(Visitor):
    """Removes every definition that is called deprecated."""

    def enter(self, node: Node, *_: Any) -> Any:
        """Judge one node."""
        directives = getattr(node, "directives", None) or ()
        return REMOVE if any(directive.name.value == "deprecated" for directive in directives) else None


def _without_deprecated(text: str) -> GraphQLSchema:
    """A schema less what is deprecated, and less the types that nothing leads to any more."""
    document: DocumentNode = visit(parse(text), _Deprecated())
    types = {found.name.value: found for found in document.definitions if isinstance(found, TypeDefinitionNode)}
    directives = (found for found in document.definitions if isinstance(found, DirectiveDefinitionNode))
    reached, waiting = set[str](), [*_ROOTS, *(name for directive in directives for name in _named(directive))]
    while waiting:
        name = waiting.pop()
        if name in types and name not in reached:
            reached.add(name)
            waiting += [*_named(types[name]), *(other for other in types if name in set(_faces(types[other])))]
    kept = [
        found
        for found in document.definitions
        if not isinstance(found, TypeDefinitionNode) or found.name.value in reached
    ]
    return build_ast_schema(DocumentNode(definitions=tuple(kept)), assume_valid_sdl=True)


def _faces(node: TypeDefinitionNode) -> Iterator[str]:
    """The interfaces that a type has."""
    return (face.name.value for face in getattr(node, "interfaces", None) or ())


def _named(node: Node) -> list[str]:
    """The types that a definition names."""
    found: list[str] = []

    class Names(Visitor):
        """Collects them."""

        def enter_named_type(self, named: NamedTypeNode, *_: Any) -> None:
            found.append(named.name.value)

    visit(node, Names())
    return found


def main(arguments: Sequence[str]) -> int:
    """`python -m gql.sdl [--check [--base COMMIT]]`: write the file, or check it; answers the exit status."""
    parser = ArgumentParser(prog="gql.sdl", description="Write schema.graphql, or check it.")
    parser.add_argument("--check", action="store_true", help="check the file instead of writing it")
    parser.add_argument("--base", help="the commit that clients rely on; where this branch left main when left out")
    wanted = parser.parse_args(arguments)
    if not wanted.check:
        write_schema()
        return 0
    problems = check_schema(wanted.base)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
