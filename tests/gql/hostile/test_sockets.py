"""The corpus on sockets: a bad document is told to its operation, a bad frame ends its own socket at most."""

import random
from typing import Any

import orjson
from aiohttp import WSMsgType
from structlog.testing import capture_logs

from tests.fakes import somebody
from tests.gql.hostile.corpus import DOCUMENTS
from tests.gql.house import House

SEED = 1_801
FRAMES = 150
LARGEST = 90_000
CLOSES = {1002, 1003, 1007, 1009, 4400, 4401, 4403, 4409, 4429}

GOOD: list[dict[str, Any]] = [
    {"type": "ping"},
    {"type": "pong", "payload": {"a": 1}},
    {"type": "connection_init", "payload": {"Authorization": "Bearer nothing"}},
    {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }", "variables": {"a": [1, None]}}},
    {"id": "1", "type": "complete"},
]


async def test_a_bad_document_is_told_to_its_operation(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        for name, body in DOCUMENTS.items():
            sent = body()
            if len(sent) > LARGEST or b"ud800" in sent:
                continue
            await socket.send({"id": name, "type": "subscribe", "payload": orjson.loads(sent)})
            message = await socket.next()
            assert (message["id"], message["type"]) == (name, "error"), message
            assert {error["extensions"]["code"] for error in message["payload"]} == {"BAD_INPUT"}
        await socket.subscribe("last", "{ __typename }")
        assert await socket.data("last") == {"__typename": "Query"}


def spoilt(dice: random.Random) -> bytes:
    """A message with something wrong in it, of bytes, of JSON or of meaning; now and then nothing is."""
    message: dict[str, Any] = {**dice.choice(GOOD)}
    for _ in range(dice.randrange(3)):
        key = dice.choice(["id", "type", "payload", "query", "\ud7ff", ""])
        message[key] = dice.choice([None, 0, -1.5, True, "", "a" * 300, [], {}, [[[]]], {"query": 1}, {"query": "{"}])
    text = bytearray(orjson.dumps(message))
    for _ in range(dice.randrange(4)):
        place = dice.randrange(len(text))
        match dice.randrange(3):
            case 0:
                text[place] = dice.randrange(256)
            case 1:
                del text[place:]
            case _:
                text[place:place] = dice.choice(
                    [b"\x00", b"\\ud800", b"\xff", b"[" * 2_000, b"9" * 400, b"\xed\xa0\x80"]
                )
        text = text or bytearray(b" ")
    return bytes(text)


async def test_a_bad_frame_ends_its_socket_alone(house: House) -> None:
    dice = random.Random(SEED)
    with capture_logs() as log:
        async with house.conversation(somebody()) as sibling:
            for number in range(FRAMES):
                frame = spoilt(dice)
                async with house.conversation(somebody()) as socket:
                    if dice.random() < 0.5:
                        await socket.raw.send_bytes(frame)
                    else:
                        await socket.raw._writer.send_frame(frame, WSMsgType.TEXT)
                    await socket.raw._writer.send_frame(b'{"type":"ping","payload":{"last":1}}', WSMsgType.TEXT)
                    while (found := await socket.raw.receive(10)).type is WSMsgType.TEXT:
                        if orjson.loads(found.data) == {"type": "pong", "payload": {"last": 1}}:
                            break
                    else:
                        assert socket.raw.close_code in CLOSES, (number, frame, socket.raw.close_code)
            await sibling.subscribe("1", "{ __typename }")
            assert await sibling.data("1") == {"__typename": "Query"}
    assert [line for line in log if line["log_level"] in {"error", "critical"}] == []
