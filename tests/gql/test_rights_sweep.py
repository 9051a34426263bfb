"""Every field, asked by every kind of caller, is what the table of rights says; and who is denied changes nothing."""

import difflib

import pytest

from tests.gql.rights.asking import KINDS, roots
from tests.gql.rights.cast import CALLERS, MAKERS
from tests.gql.rights.sweep import Findings
from tests.gql.rights.table import FILE, find_out, written
from tests.servers import Addresses


@pytest.fixture(scope="module")
def findings(servers: Addresses) -> Findings:
    """All of it, asked once."""
    return find_out(servers)


def test_who_gets_what_is_what_the_table_says(findings: Findings) -> None:
    """Where it is meant to differ: `python -m tests.gql.rights.table --write`, and read the difference."""
    kept, found = FILE.read_text(encoding="utf-8").splitlines(), written(findings).splitlines()
    assert list(difflib.unified_diff(kept, found, "rights.txt", "now", lineterm="", n=0)) == []


def test_denied_means_unchanged(findings: Findings) -> None:
    assert findings.changed_though_denied == []


def test_what_is_anothers_answers_as_what_does_not_exist(findings: Findings) -> None:
    assert findings.told_apart == []


def test_nothing_was_asked_in_vain(findings: Findings) -> None:
    assert findings.ours == []
    for root in roots():
        assert set(findings.marks[root.row]) == {caller.mark for caller in CALLERS}, root.row


def test_a_change_is_seen_when_there_is_one(findings: Findings) -> None:
    assert {"top_up", "event"} <= findings.written["Mutation.startTopUp"]
    assert {"session", "deed session.revoked"} <= findings.written["Mutation.endSession"]
    assert {"platform_link", "deed platform_link.confirmed"} <= findings.written["Mutation.confirmPlatformLink"]
    assert findings.written["Mutation.openWallet"] == {"account", "account_change"}


def test_there_is_an_example_of_everything_with_a_global_id() -> None:
    assert set(KINDS) <= set(MAKERS)
