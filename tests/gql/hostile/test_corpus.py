"""The corpus at the door: refused, soon, in few words, within little memory, and without a word of an error of ours."""

import time
import tracemalloc

import pytest
from structlog.testing import capture_logs

from gql.requests import LARGEST_BODY
from tests.fakes import somebody
from tests.gql.hostile.corpus import BODIES, DOCUMENTS, Body
from tests.gql.house import RESPONSE, House

EVERY: dict[str, Body] = {**DOCUMENTS, **BODIES}
LONGEST_S = 5.0
"""On a machine with other things to do. What would hurt takes minutes, or all memory."""

LONGEST_ANSWER = 8_000
MOST_MEMORY = 64 * 1024 * 1024
"""Bytes at a time, with what the sender needs. What would hurt takes more than a machine has."""


@pytest.mark.parametrize("body", EVERY.values(), ids=EVERY.keys())
async def test_it_is_refused_soon_and_in_few_words(house: House, body: Body) -> None:
    headers = {"Content-Type": "application/json", "Accept": RESPONSE, **house.headers(somebody())}
    sent = body()
    with capture_logs() as log:
        began = time.perf_counter()
        reply = await house.request("POST", data=sent, headers=headers)
        took = time.perf_counter() - began
    assert 400 <= reply.status < 500, reply.text
    assert reply.status != 413 or len(sent) > LARGEST_BODY
    assert len(reply.text) < LONGEST_ANSWER
    assert took < LONGEST_S
    assert set(reply.codes) == {"BAD_INPUT"}
    assert [line["event"] for line in log if line["log_level"] in {"error", "critical"}] == []
    assert not house.ports.calls


@pytest.mark.parametrize("body", EVERY.values(), ids=EVERY.keys())
async def test_it_takes_little_memory(house: House, body: Body) -> None:
    headers = {"Content-Type": "application/json", "Accept": RESPONSE, **house.headers(somebody())}
    sent = body()
    await house.request("POST", data=b"{}", headers=headers)
    tracemalloc.start()
    try:
        reply = await house.request("POST", data=sent, headers=headers)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 400 <= reply.status < 500
    assert most < MOST_MEMORY
