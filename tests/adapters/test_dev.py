"""The parts of a development run: its ports, its secrets, its processes."""

import json
import os
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.config import SettingsError
from adapters.embedded import dev, ports
from adapters.embedded.family import ChildEndedError, Family
from adapters.embedded.household import open_household, token_key_file
from adapters.embedded.server import PortTakenError


@pytest.fixture
def said() -> list[str]:
    return []


def test_where_the_usual_port_is_taken_another_is_chosen_and_said(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as taken:
        usual = taken.getsockname()[1]
        monkeypatch.setattr(dev, "USUAL_PORTS", {"PORT": usual})
        environment: dict[str, str] = {}
        dev.choose_ports(environment, said.append)
    assert environment["PORT"] != str(usual)
    assert said == [
        f"Port {usual} is taken by another program, so PORT is {environment['PORT']}. Set PORT to choose it yourself."
    ]


def test_a_port_that_was_asked_for_is_taken_or_refused(said: list[str]) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as taken:
        asked = {"PORT": str(taken.getsockname()[1])}
        with pytest.raises(PortTakenError, match="set PORT to another port"):
            dev.choose_ports(asked, said.append)
    with pytest.raises(SettingsError, match="PORT=http is not a port"):
        dev.choose_ports({"PORT": "http"}, said.append)


def test_secrets_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    first, key = open_household(tmp_path), token_key_file(tmp_path).read_text()
    assert open_household(tmp_path) == first
    assert token_key_file(tmp_path).read_text() == key
    assert "BEGIN PRIVATE KEY" in key
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_sandboxes_stand_in_for_what_nobody_is_a_client_of(tmp_path: Path) -> None:
    environment = {name: str(port) for name, port in dev.USUAL_PORTS.items()}
    environment |= {"TWITCH_CLIENT_ID": "ours", "TWITCH_CLIENT_SECRET": "real"}
    dev.settle(environment, tmp_path)
    assert environment["GOOGLE_ISSUER"] == "http://127.0.0.1:8101/google"
    assert environment["TELEGRAM_BOT_TOKEN"].partition(":")[0] == environment["TELEGRAM_CLIENT_ID"]
    assert (environment["TWITCH_CLIENT_SECRET"], "TWITCH_ISSUER" in environment) == ("real", False)
    assert environment["YOUTUBE_API_URL"] == "http://127.0.0.1:8104/youtube/v3"
    assert environment["SMTP_URL"] == "smtp+plain://127.0.0.1:8125"
    assert environment["PUBLIC_URL"] == "http://localhost:8000"


def test_who_is_a_client_of_google_is_one_of_youtube_by_their_own_key(tmp_path: Path) -> None:
    environment = {name: str(port) for name, port in dev.USUAL_PORTS.items()}
    environment |= {"GOOGLE_CLIENT_ID": "ours", "GOOGLE_CLIENT_SECRET": "real"}
    dev.settle(environment, tmp_path)
    assert [name for name in environment if name.startswith("YOUTUBE") and not name.endswith("_PORT")] == []


def test_a_secret_that_is_new_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    first = open_household(tmp_path)
    file = tmp_path / "dev.json"
    kept = json.loads(file.read_text())
    del kept["identity_key"]
    file.write_text(json.dumps(kept))
    again = open_household(tmp_path)
    assert again.identity_key != first.identity_key
    assert replace(again, identity_key=first.identity_key) == first
    assert open_household(tmp_path) == again


def test_a_process_that_ends_is_named_with_what_it_said_last(tmp_path: Path) -> None:
    family = Family(tmp_path)
    try:
        with pytest.raises(ChildEndedError, match=r"(?s)`no-such-word` ended with status 2.*No such command"):
            family.start("no-such-word", os.environ, port=ports.any_free())
    finally:
        family.stop()
