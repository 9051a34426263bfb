"""What operators see of an operation: its time by a trusted name, and spans where somebody collects them."""

from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Tracer, get_current_span

from gql import observed
from gql.node import global_id
from gql.trusted import document_id
from tests.fakes import somebody
from tests.gql.house import House
from tests.gql.test_trusted import WALLETS


class Recorded(NonRecordingSpan):
    """A span that somebody collects."""

    def __init__(self, name: str) -> None:
        super().__init__(SpanContext(1, 1, is_remote=False))
        self.name, self.attributes, self.ended = name, dict[str, Any](), False
        self.within = get_current_span()

    def is_recording(self) -> bool:
        return not self.ended

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.attributes |= attributes

    def end(self, end_time: int | None = None) -> None:
        self.ended = True


class Recorder(Tracer):
    """Keeps all spans."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []

    def start_span(self, name: str, *_: Any, **__: Any) -> Span:
        self.spans.append(Recorded(name))
        return self.spans[-1]

    def start_as_current_span(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(observed, "_TRACER", recorder)
    return recorder


async def test_an_operation_and_its_look_ups_have_spans(house: House, recorder: Recorder) -> None:
    me = somebody()
    ids = [global_id("Wallet", await house.ports.wallet(me)) for _ in range(1)]
    asked = "query MadeUp($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    reply = await house.request("POST", json={"query": asked, "variables": {"ids": ids}}, headers=house.headers(me))
    assert reply.data["nodes"] == [{"id": ids[0]}]
    operation, look_up = recorder.spans
    assert (operation.name, look_up.name) == ("query", "look up wallet_by_id")
    assert operation.attributes == {
        "graphql.operation.type": "query", "graphql.operation.name": "other",
        "gametriggers.request_id": reply.headers["X-Request-Id"],
    }  # fmt: skip
    assert look_up.attributes == {"gametriggers.keys": 1}
    assert look_up.within is operation
    assert operation.ended
    assert look_up.ended


async def test_each_event_of_a_subscription_has_a_span(house: House, recorder: Recorder) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    follow = "subscription ($id: ID!) { walletChanged(walletId: $id) { __typename ... on WalletEntry { cursor } } }"
    async with house.conversation(me) as socket:
        await socket.subscribe("1", follow, id=global_id("Wallet", wallet))
        await socket.data("1")
        await house.ports.credit(wallet, 5)
        await socket.data("1")
    spans = [span for span in recorder.spans if span.name == "subscription"]
    assert [span.attributes["graphql.operation.type"] for span in spans] == ["subscription"] * 2
    assert all(span.ended for span in spans)


async def test_a_trusted_operation_is_known_by_its_name(house: House, recorder: Recorder) -> None:
    me = somebody()
    await house.request("POST", json={"documentId": document_id(WALLETS)}, headers=house.headers(me))
    assert recorder.spans[0].name == "query Wallets"
    figures = (await house.request("GET", "/metrics")).text
    assert 'graphql_operation_seconds_count{operation="Wallets"}' in figures
    assert "MadeUp" not in figures
