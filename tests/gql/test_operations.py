"""Addresses for operators: health, readiness, figures, request ids, and logs without secrets."""

import asyncio
import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog

from adapters.logs import HIDDEN, configure_logging, redact
from tests.fakes import somebody
from tests.gql.house import House, settings_for
from tests.waiting import eventually


async def test_the_process_says_that_it_lives(house: House) -> None:
    assert (await house.request("GET", "/healthz")).body == {"status": "ok"}


async def test_it_says_whether_it_can_serve(house: House) -> None:
    assert (await house.request("GET", "/readyz")).body["status"] == "ready"


async def test_figures_count_by_route_and_not_by_address(house: House) -> None:
    await house.request("GET", "/nowhere/12345")
    await house.ask("{ __typename }")
    text = (await house.request("GET", "/metrics")).text
    assert 'http_requests_total{method="POST",route="/graphql",status="200"}' in text
    assert 'route="none",status="404"' in text
    assert "12345" not in text


async def test_every_answer_has_a_request_id_of_ours_whatever_the_caller_sends(house: House) -> None:
    for given in (None, "from-the-proxy-0001", "0" * 32, "short", "with blanks in it"):
        headers = {"X-Request-Id": given} if given else {}
        told = (await house.request("GET", "/healthz", headers=headers)).headers["X-Request-Id"]
        assert (len(told), told == given) == (32, False)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What is logged as it is in production."""
    text = StringIO()
    monkeypatch.setattr("sys.stderr", text)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(settings_for(tmp_path, "production"))
    yield text
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


async def test_the_access_log_is_json_and_has_no_secret(log: StringIO, tmp_path: Path) -> None:
    from tests.gql.house import running_house

    async with running_house(tmp_path) as house:
        me = somebody()
        token = house.token(me)
        given = {"X-Request-Id": "from-the-proxy-0001"}
        await house.request("GET", f"/graphql?token={token}", headers={**house.headers(me), **given})
    await eventually(lambda: "from-the-proxy-0001" in log.getvalue())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/graphql", 400)
    assert len(line["request_id"]) == 32
    assert line["given_request_id"] == "from-the-proxy-0001"
    assert token not in log.getvalue()


async def test_lines_of_one_moment_are_written_together_and_warnings_at_once(log: StringIO) -> None:
    logger = structlog.get_logger("lines")
    logger.info("first")
    logger.info("second")
    assert log.getvalue() == ""
    await eventually(lambda: _events(log) == ["first", "second"])
    logger.info("third")
    logger.warning("fourth")
    assert _events(log) == ["first", "second", "third", "fourth"]


def test_without_a_loop_nothing_waits(log: StringIO) -> None:
    structlog.get_logger("lines").info("first")
    assert _events(log) == ["first"]


def test_lines_that_a_loop_left_behind_are_written_with_the_next(log: StringIO) -> None:
    async def say(event: str) -> None:
        structlog.get_logger("lines").info(event)

    asyncio.run(say("first"))
    assert _events(log) == []
    structlog.get_logger("lines").info("second")
    assert _events(log) == ["first", "second"]


def test_what_json_cannot_hold_is_logged_all_the_same(log: StringIO) -> None:
    structlog.get_logger("lines").warning("odd", number=2**80, letter="\udfff", thing=object)
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["number"], line["letter"], line["thing"]) == (2**80, "\udfff", repr(object))


def _events(log: StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


def test_secrets_are_hidden_by_name_and_by_looks() -> None:
    event = {
        "Authorization": "Bearer abc",
        "nested": {"password": "x", "list": ["postgresql://app:hunter2@db/x", 3, None, True]},
        "text": "got Bearer abc.def and eyJhbGciOi.eyJzdWIi.c2ln for SB-Mid-server-123",
        "status": 200,
    }
    assert redact(None, "", event) == {
        "Authorization": HIDDEN,
        "nested": {"password": HIDDEN, "list": [f"postgresql://app:{HIDDEN}@db/x", 3, None, True]},
        "text": f"got Bearer {HIDDEN} and {HIDDEN} for {HIDDEN}",
        "status": 200,
    }
