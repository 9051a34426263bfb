"""What the house asks of its code beyond what the linters ask."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gql
from adapters.config import ROOT

ROOMS = ("gql", "domain", "adapters")
MODULES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
EVERY_FILE = sorted([*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")])

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
BANNED = {"manager", "helper", "helpers", "util", "utils", "service", "services", "data", "info"}
CONTEXT_FILES = {
    "gql": {"__init__", "types", "queries", "mutations", "subscriptions"},
    "domain": {"__init__", "model", "actions", "ports"},
}
MORE_CONTEXT_FILES = {
    "domain/identity": {
        *("accounts", "addresses", "archive", "arrivals", "consents", "desk", "erasure", "export_rows", "exports"),
        *("factor_changes", "factor_proofs", "factor_stores", "founding", "letters", "links", "mail"),
        *("mail_requests", "mail_stores", "merging"),
        *("networks", "one_time_codes", "pages", "passkeys", "passwords", "privacy", "privacy_refusals"),
        *("privacy_stores", "provider", "providers", "pruning", "refusals", "resets", "second_factors"),
        *("secrets", "sessions", "retained", "shredding", "sign_in", "staff", "staff_stores", "step_up"),
        *("stores", "watching"),
    },
    "domain/asset": {
        *("addresses", "events", "finishing", "keeping", "receiving", "refusals", "sending", "signatures", "sweeping"),
    },
    "gql/asset": {"answers", "enums", "inputs", "lookups"},
    "domain/earning": {
        *("analytics", "arithmetic", "asking", "bounds", "closing", "dispute", "disputing", "events", "intake"),
        *("postings", "rates", "refusals", "releasing", "resting", "review", "sharing"),
    },
    "domain/invoice": {"addresses", "issuing"},
    "domain/message": {"events", "moderating", "refusals", "writing"},
    "gql/message": {"answers", "inputs", "staff"},
    "gql/invoice": {"lookups"},
    "domain/brand": {"events", "invitations", "profiles", "refusals", "teams", "wallets"},
    "domain/campaign": {
        *(
            "agreeing",
            "beginning",
            "creatives",
            "editing",
            "escrow",
            "events",
            "participation",
            "postings",
            "refusals",
            "running",
            "showing",
        ),
        *("spending", "suspending", "targeting"),
    },
    "gql/campaign": {
        *(
            "analytics",
            "answers",
            "creatives",
            "enums",
            "inputs",
            "lookups",
            "messages",
            "minute_enums",
            "minutes",
            "open",
            "outline",
            "participation_answers",
        ),
        *("participation_inputs", "participation_mutations", "participations", "plans", "staff"),
    },
    "gql/brand": {"answers", "enums", "inputs", "lookups", "parts", "staff"},
    "gql/identity": {
        "answers",
        "enums",
        "factor_answers",
        "factor_inputs",
        "factor_mutations",
        "factors",
        "inputs",
        "passkey_mutations",
        "privacy",
        "privacy_mutations",
        "provider_mutations",
        "providers",
    },
    "domain/streamer": {
        *("checking", "discovery", "events", "grants", "journeys", "linking", "listing", "live", "places"),
        *("platforms", "profile", "refusals", "site", "units", "watching"),
    },
    "gql/streamer": {"answers", "discovery", "enums", "inputs", "lookups"},
    "domain/overlay": {"alerts", "events", "media", "refusals", "sessions", "switches"},
    "gql/overlay": {"answers", "creatives", "enums", "inputs", "lookups", "page"},
    "gql/earning": {"answers", "enums", "inputs"},
    "gql/staff": {"answers", "audit", "audit_queries", "enums", "inputs"},
    "gql/wallet": {"lookups", "enums", "top_up"},
    "domain/wallet": {
        *("clearing", "confirm", "effects", "events", "gateway", "pages", "policy", "postings", "start", "sweeps"),
    },
}
"""Where a kind of file would be too long for one: its parts, named here so that a new name is a decision."""
NOT_CONTEXTS = {"ledger", "engine", "fanout"}
FOREIGN_NAMES = {"PageInfo", "data_received"}
"""Names that a specification or a library gives."""
UNFINISHED = re.compile(r"#.*\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
BARE_EXCUSE = re.compile(r"#\s*(noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)*( -|  #) \S)|type: ignore(?!\[[a-z-]+\] +# \S))")


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


each_module = pytest.mark.parametrize("file", MODULES, ids=relative)
each_file = pytest.mark.parametrize("file", EVERY_FILE, ids=relative)


def definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def words(name: str) -> set[str]:
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def test_our_gql_is_the_one_that_is_imported() -> None:
    assert Path(gql.__file__).parent == ROOT / "gql"


@each_module
def test_a_module_is_short_and_says_what_it_is(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert ast.get_docstring(ast.parse(text))


@each_module
def test_functions_are_short(file: Path) -> None:
    long = {
        node.name: length
        for node in definitions(ast.parse(file.read_text()))
        if not isinstance(node, ast.ClassDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


@each_module
def test_names_say_something(file: Path) -> None:
    names = [file.stem, file.parent.name, *(node.name for node in definitions(ast.parse(file.read_text())))]
    assert [name for name in names if words(name) & BANNED and name not in FOREIGN_NAMES] == []


@each_file
def test_nothing_is_left_for_later(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert [line for line in lines if UNFINISHED.search(line)] == []


@each_file
def test_an_excuse_names_its_rule_and_its_reason(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert [line for line in lines if BARE_EXCUSE.search(line)] == []


@pytest.mark.parametrize("room", CONTEXT_FILES)
def test_a_context_has_only_the_files_that_every_context_may_have(room: str) -> None:
    for folder in (ROOT / room).iterdir():
        if folder.is_dir() and folder.name not in NOT_CONTEXTS:
            allowed = CONTEXT_FILES[room] | MORE_CONTEXT_FILES.get(relative(folder), set())
            assert {file.stem for file in folder.rglob("*.py")} <= allowed


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pinned_requirements_name_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    assert [line for line in text.splitlines() if "://" in line or "--index" in line or "--find-links" in line] == []
    pinned = re.findall(r"^[a-z][^\n]*==[^\n]*\\$", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 0
