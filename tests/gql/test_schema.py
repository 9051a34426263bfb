"""The schema as a text that clients rely on: described throughout, complete in its refusals, compared with its file."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    is_specified_directive,
    is_specified_scalar_type,
)
from strawberry.utils.str_converters import to_camel_case

from domain import refusal
from gql import refusals, sdl
from gql.refusals import REFUSALS, show
from gql.schema import build_schema

CORE = build_schema().core


def described() -> Iterator[tuple[str, str | None]]:
    """Everything in the schema that can have a description, and the one that it has."""
    for name, type_ in CORE.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        yield name, type_.description
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field, declared in type_.fields.items():
                yield f"{name}.{field}", declared.description
                yield from ((f"{name}.{field}({arg}:)", found.description) for arg, found in declared.args.items())
        if isinstance(type_, GraphQLInputObjectType):
            yield from ((f"{name}.{field}", found.description) for field, found in type_.fields.items())
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{name}.{value}", found.description) for value, found in type_.values.items())
    for directive in CORE.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            yield from ((f"@{directive.name}({arg}:)", found.description) for arg, found in directive.args.items())


def test_everything_is_described_in_a_sentence() -> None:
    bare = [place for place, text in described() if not text or len(text) < 4 or not text.rstrip().endswith((".", "?"))]
    assert bare == []


def codes(name: str) -> set[str]:
    type_ = CORE.type_map[name]
    assert isinstance(type_, GraphQLEnumType)
    return set(type_.values)


def every_refusal(root: type[refusal.Refusal] = refusal.Refusal) -> Iterator[type[refusal.Refusal]]:
    for kind in root.__subclasses__():
        yield kind
        yield from every_refusal(kind)


def test_the_codes_of_the_schema_are_those_of_the_domain() -> None:
    named = {kind.__name__: kind.code for kind in every_refusal() if kind.__module__.startswith("domain.")}
    assert codes("RefusalCode") == set(named.values())
    assert {code for code, times in Counter(named.values()).items() if times > 1} == {"RATE_LIMITED"}


def test_every_refusal_is_a_type_of_the_same_fields() -> None:
    for kind in REFUSALS:
        type_ = CORE.type_map[kind.__name__]
        assert isinstance(type_, GraphQLObjectType)
        assert [face.name for face in type_.interfaces] == ["Refusal"]
        assert set(type_.fields) == {"code", *map(to_camel_case, kind.__dataclass_fields__)}


def test_every_refusal_is_an_answer_of_some_mutation() -> None:
    answered: set[str] = set()
    assert CORE.mutation_type is not None
    for name, declared in CORE.mutation_type.fields.items():
        union = declared.type.of_type
        assert isinstance(union, GraphQLUnionType), name
        assert union.name == f"{name[0].upper()}{name[1:]}Result"
        answered |= {member.name for member in union.types}
    assert {kind.__name__ for kind in REFUSALS} <= answered


def test_every_mutation_takes_one_input() -> None:
    assert CORE.mutation_type is not None
    for name, declared in CORE.mutation_type.fields.items():
        assert list(declared.args) == ["input"]
        assert str(declared.args["input"].type) == f"{name[0].upper()}{name[1:]}Input!"


def test_a_refusal_that_nobody_published_is_a_mistake() -> None:
    class Unpublished(refusal.Refusal):
        """Nobody knows it."""

    @dataclass(frozen=True, slots=True)
    class Odd(refusal.Refusal):
        """It has a field that nobody has described."""

        oddity: int

    with pytest.raises(KeyError):
        show(Unpublished("no"))
    with pytest.raises(KeyError):
        refusals._type_of(Odd)


def test_connections_are_those_of_relay() -> None:
    for name, type_ in CORE.type_map.items():
        if name.endswith("Connection"):
            assert isinstance(type_, GraphQLObjectType)
            assert str(type_.fields["pageInfo"].type) == "PageInfo!"
            edge = CORE.type_map[f"{name.removesuffix('Connection')}Edge"]
            assert isinstance(edge, GraphQLObjectType)
            assert str(type_.fields["edges"].type) == f"[{edge.name}!]!"
            assert {"cursor", "node"} <= set(edge.fields)


def test_the_file_is_what_the_code_says() -> None:
    assert sdl.FILE.read_text(encoding="utf-8") == sdl.printed()


BEFORE = """
type Query { room(id: ID!): Room old: Attic @deprecated(reason: "gone") keep: [Thing] }
type Room { window: Int door: Int @deprecated(reason: "walled up") size(unit: Unit, precise: Boolean @deprecated): Int }
type Attic { dust: Int }
interface Thing { name: String }
type Chair implements Thing { name: String legs: Int }
enum Unit { FOOT METRE INCH @deprecated }
input Move { from: Int to: Int @deprecated }
type Mutation { move(input: Move): Int }
directive @requires(right: Right!) on FIELD_DEFINITION
enum Right { OWNER }
"""  # fmt: skip
CHANGES: dict[str, tuple[str, str, bool]] = {
    "a field goes": ("window: Int ", "", True),
    "a deprecated field goes": ('door: Int @deprecated(reason: "walled up") ', "", False),
    "a field becomes nullable no more": ("window: Int", "window: Int!", False),
    "a field changes its type": ("window: Int", "window: String", True),
    "an argument becomes required": ("room(id: ID!)", "room(id: ID!, floor: Int!)", True),
    "an argument goes": ("unit: Unit, ", "", True),
    "a deprecated argument goes": (", precise: Boolean @deprecated", "", False),
    "a value goes": ("METRE ", "", True),
    "a deprecated value goes": (" INCH @deprecated", "", False),
    "a deprecated field of an input goes": (" to: Int @deprecated", "", False),
    "an input asks for more": ("from: Int", "from: Int!", True),
    "a type goes that only something deprecated led to": ('old: Attic @deprecated(reason: "gone") ', "", False),
    "a type goes that an interface led to": ("type Chair implements Thing { name: String legs: Int }\n", "", True),
    "something new comes": ("window: Int", "window: Int roof: Int", False),
}


@pytest.mark.parametrize(("what", "instead", "breaks"), CHANGES.values(), ids=CHANGES.keys())
def test_what_breaks_clients_is_found_unless_it_was_deprecated(what: str, instead: str, breaks: bool) -> None:
    assert what in BEFORE
    now = BEFORE.replace(what, instead)
    if "Attic @" in what:
        now = now.replace("type Attic { dust: Int }\n", "")
    assert bool(sdl.breaking_changes(BEFORE, now)) is breaks


@dataclass(frozen=True)
class Repository:
    """A repository whose schema is whatever its file says."""

    file: Path

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=self.file.parent, check=True, capture_output=True)

    def commit(self, text: str) -> Path:
        """Make another version of the schema."""
        self.file.write_text(text)
        self.git("add", ".")
        self.git("commit", "-m", "x", "--allow-empty")
        return self.file


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository(tmp_path / "schema.graphql")
    made.git("init", "--initial-branch", "main")
    monkeypatch.setattr(sdl, "printed", made.file.read_text)
    return made


def test_the_file_is_compared_with_the_last_commit_and_after_a_commit_with_the_version_before(
    repository: Repository,
) -> None:
    file = repository.commit(BEFORE)
    assert sdl.check_schema(file=file) == []
    broken = BEFORE.replace("window: Int ", "")
    file.write_text(broken)
    (problem,) = sdl.check_schema(file=file)
    assert "Room.window" in problem
    repository.commit(broken)
    assert sdl.check_schema(file=file) == [problem]
    repository.commit(broken)
    assert sdl.check_schema("HEAD", file=file) == [problem]


def test_a_branch_is_held_to_what_main_had_when_it_left(repository: Repository) -> None:
    repository.commit(BEFORE)
    repository.git("switch", "-c", "branch")
    broken = BEFORE.replace("window: Int ", "")
    repository.commit(broken)
    file = repository.commit(broken.replace("keep: [Thing]", "keep: [Thing] more: Int"))
    (problem,) = sdl.check_schema(file=file)
    assert "Room.window" in problem
    assert sdl.check_schema("HEAD", file=file) == []
    repository.git("branch", "-D", "main")
    assert sdl.check_schema(file=file) == []


def test_a_file_that_is_not_written_anew_is_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    file = repository.commit(BEFORE)
    monkeypatch.setattr(sdl, "printed", lambda: BEFORE.replace("window: Int", "window: Int roof: Int"))
    assert sdl.check_schema(file=file) == ["schema.graphql is not what the code says: run `make schema` and commit it."]


def test_without_git_there_is_nothing_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "schema.graphql"
    sdl.write_schema(file)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert sdl.check_schema(file=file) == []


def test_the_command_writes_and_checks(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    file = repository.commit(BEFORE)
    monkeypatch.setattr(sdl.write_schema, "__defaults__", (file,))
    monkeypatch.setattr(sdl.check_schema, "__defaults__", (None, file))
    assert sdl.main(["--check"]) == 0
    file.write_text(BEFORE.replace("window: Int ", ""))
    assert sdl.main(["--check", "--base", "HEAD"]) == 1
    assert sdl.main([]) == 0
