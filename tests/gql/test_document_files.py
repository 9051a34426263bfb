"""Documents in files: read with the fragments of their folder, and what is wrong told with file, line and reason."""

import json
from pathlib import Path

import pytest

from gql import document_files, trusting
from gql.app import from_environment
from gql.document_files import SHIPPED, DocumentsError, Rules, each_judged, read, shipped
from gql.limits import Limits
from gql.trusted import Client, document_id
from tests.gql.house import one_schema_for_all, settings_for

RULES = Rules(one_schema_for_all().core, Limits())
FRAGMENTS = "fragment Held on Balance { held { ...Sum } }\n\nfragment Sum on Money { amount currency }\n"


def written(folder: Path, **files: str) -> list[Path]:
    """Files in a folder, by their names without ending."""
    for name, text in files.items():
        (folder / f"{name}.graphql").write_text(text)
    return sorted(folder.iterdir())


def wrong(files: list[Path]) -> list[str]:
    with pytest.raises(DocumentsError) as refused:
        read(RULES, Client.PLAYER, files)
    return str(refused.value).splitlines()


def test_each_operation_is_a_document_with_the_fragments_that_it_needs(tmp_path: Path) -> None:
    held = "query Held { viewer { wallets { balance { ...Held } } } }"
    name = "query Name {\n  viewer { name }\n}"
    files = written(tmp_path, fragments=FRAGMENTS, operations=f"# Two.\n{held}\n\n{name}\n")
    first, second = read(RULES, Client.PLAYER, files)
    assert first.text == f"{held}\n\n{FRAGMENTS}".rstrip()
    assert (second.text, second.name, second.origin) == (name, "Name", f"{tmp_path}/operations.graphql:4")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("query A {\n  viewer { id \n", 3, "Syntax Error: Expected Name, found <EOF>."),
        ("query A {\n  viewer {\n    nothing\n  }\n}", 3, "Cannot query field 'nothing' on type 'Viewer'."),
        ("{\n  viewer { id }\n}", 1, "an operation needs a name"),
        ("query A { viewer { ...X } }", 1, "Unknown fragment 'X'."),
        ("query A { viewer { id } }\n\nfragment X on Viewer { id }", 3, "Fragment 'X' is never used."),
        ("query A { viewer { id } }\nquery A { viewer { id } }", 1, "There can be only one operation named 'A'."),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_reason(tmp_path: Path, text: str, line: int, reason: str) -> None:
    files = written(tmp_path, good="query Good { viewer { id } }", bad=text)
    assert f"{tmp_path}/bad.graphql:{line}: {reason}" in wrong(files)


def test_a_document_that_no_client_may_send_is_not_shipped_either(tmp_path: Path) -> None:
    many = " ".join(f"a{number}: viewer {{ id }}" for number in range(40))
    assert any("aliases" in line for line in wrong(written(tmp_path, many=f"query A {{ {many} }}")))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_bytes(b"\xff\xfe")
    assert wrong([tmp_path / "a.graphql"]) == [f"{tmp_path}/a.graphql: not UTF-8"]
    assert wrong([tmp_path / "b.graphql"]) == [f"{tmp_path}/b.graphql: No such file or directory"]


def test_a_manifest_of_ids_and_texts(tmp_path: Path) -> None:
    text = "query A { viewer { id } }"
    file = tmp_path / "persisted-documents.json"
    for id_ in (document_id(text), document_id(text).removeprefix("sha256:")):
        file.write_text(json.dumps({id_: text}))
        (found,) = read(RULES, Client.PLAYER, [file])
        assert (found.text, found.name) == (text, "A")
    assert text in trusting.manifest(read(RULES, Client.PLAYER, [file]))


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{", ":1: not JSON"),
        ("[]", "a manifest is an object"),
        ('{"sha256:00": 7}', "a manifest is an object"),
        ('{"sha256:00": "query A { viewer { id } }"}', "is not the SHA-256 of its document"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, manifest: str, reason: str) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(manifest)
    (told,) = wrong([file])
    assert reason in told


def test_uploads_are_judged_one_by_one() -> None:
    assert each_judged(RULES, {"brand 1": "query A { viewer { id } }"}) == "1 documents are in order."
    with pytest.raises(DocumentsError, match=r"brand 2:1: Cannot query field 'gone' on type 'Viewer'\."):
        each_judged(RULES, {"brand 1": "query A { viewer { id } }", "brand 2": "query A { viewer { gone } }"})


def test_a_folder_of_no_client_stops_the_start(tmp_path: Path) -> None:
    for client in (*Client, "nobody"):
        (tmp_path / client).mkdir()
    with pytest.raises(DocumentsError, match="no client is called nobody"):
        shipped(RULES, tmp_path)


def test_what_is_shipped_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert trusting.main(["check"]) == 0
    assert trusting.main(["list"]) == 0
    assert f"{SHIPPED.relative_to(SHIPPED.parent.parent)}/portals/wallets.graphql:" in capsys.readouterr().out
    assert trusting.main(["compose", "brand", "no such file"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_wrong_document_stops_the_start_with_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = tmp_path / "documents"
    for client in Client:
        (documents / client).mkdir(parents=True)
    written(documents / "player", bad="query Bad {\n  viewer { nothing }\n}")
    monkeypatch.setattr(document_files, "shipped", lambda rules: shipped(rules, documents))
    monkeypatch.setattr("gql.app.read_settings", lambda _: settings_for(tmp_path, "production"))
    monkeypatch.setattr("gql.app.configure_logging", lambda _: None)
    with pytest.raises(SystemExit, match=r"bad\.graphql:2: Cannot query field 'nothing' on type 'Viewer'\."):
        from_environment()
