"""`make bench-impressions`: how many reports a second come in by the public door, beside a bare loop of inserts.

Five hundred overlays report minutes in which four creatives took turns, as their page does: every twelve seconds what
could be seen since, by the document that ships with the program, in the session that their scene told, each on a
connection of its own. A quarter of all batches is told again, and all are out of order. The server is a process of its
own with PostgreSQL and Valkey, as in production but for high quotas. The loop beside it writes a row for each report
and judges nothing, by as many tasks on a pool. Both take turns, and the ratio is the median. Every second of every
minute must be counted once in the end, or nothing is printed.
"""

import argparse
import asyncio
import json
import random
import re
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import aiohttp
import asyncpg
import orjson
import uvloop

from adapters.embedded.database import DatabaseAddresses, make_database
from adapters.identity.opaque import KeyedTokens
from domain.earning.sharing import IN_A_MINUTE, MINUTE, minute_of
from domain.ids import uuid7
from domain.overlay.actions import WORDS_FIELD
from domain.overlay.model import TOKEN_PREFIX
from domain.vault import Vault
from gql.node import global_id
from tests.bench.keep_alive import KeepAlive
from tests.earning_stage import Campaign, EarningStage, Part, staged_earnings
from tests.gql.house import PROTOCOL, Socket
from tests.identity_settings import IDENTITY
from tests.journeys.house import House
from tests.servers import PASSWORDS, Addresses, Servers, new_valkey
from tests.vaults import VaultKeys, open_vault

OVERLAYS: Final = 500
TURN_S: Final = 15
BATCH_S: Final = 12
MOST_ROUNDS: Final = 4
"""Older minutes are not taken any more."""
_AT_ONCE: Final = 20
_BARE = "create table bare (id uuid primary key, minute timestamptz, creative uuid, seconds bigint, at timestamptz)"
_INSERT = "insert into bare values ($1, $2, $3, $4, $5)"
_OVERLAY = """
insert into overlay (id, streamer, digest, created_at, changed_at, renewed_at, words, width, height, place, theme,
    safe_area)
values ($1, $2, $3, now(), now(), now(), $4, 1920, 1080, 'bottom_right', 'midnight', 5)
"""
_LINK = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at, placed_at, decided_at)
values ($1, $2, 'tiktok', '', $3, '', now(), 'confirmed', now(), now(), now())
"""
_SESSION = """
insert into stream_session (id, link, stream, started_at, seen_at)
values ($1, $2, 'one', now() - interval '1 hour', now())
"""
_COUNTED = """
select count(*) as rows, coalesce(sum(bit_count(seconds::bit(64))), 0) as seconds,
    count(distinct (participation, minute)) as minutes
from evidence
"""


@dataclass(frozen=True)
class Overlay:
    """An overlay that takes part in the campaign."""

    part: Part
    token: str


@dataclass(frozen=True)
class Page:
    """Its page, connected."""

    overlay: Overlay
    session: Any
    port: int


@dataclass(frozen=True)
class Batch:
    """What a page tells at once, and the rows that a bare loop would write of it."""

    request: bytes
    rows: Sequence[tuple[UUID, int]]


class Studio:
    """Overlays of as many streamers who are live, and the server that they report to."""

    def __init__(self, house: House, stage: EarningStage, made: DatabaseAddresses) -> None:
        self.house, self.stage, self._made = house, stage, made

    async def overlays(self, campaign: Campaign, vault: Vault) -> list[Overlay]:
        """All of them, live."""
        connection = await asyncpg.connect(self._made.superuser_url)
        tokens = KeyedTokens(bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
        found = []
        for _ in range(OVERLAYS):
            streamer, person = await self.stage.streamer()
            await vault.create_key(person)
            part = await self.stage.part(campaign, streamer=(streamer, person))
            token, link = f"{TOKEN_PREFIX}{tokens.new()}", uuid7()
            words = await vault.seal(person, WORDS_FIELD, json.dumps({"name": "Main", "goal": None}))
            await connection.execute(_OVERLAY, uuid7(), streamer, tokens.digest(token), words)
            await connection.execute(_LINK, link, streamer, link.bytes)
            await connection.execute(_SESSION, uuid7(), link)
            found.append(Overlay(part, token))
        await connection.close()
        return found

    async def connected(self, overlays: Sequence[Overlay]) -> tuple[list[Page], str]:
        """Their pages, each with the session that its scene told; and the document that they report by."""
        turns = asyncio.Semaphore(_AT_ONCE)
        async with aiohttp.ClientSession() as client:
            async with client.get(f"{self.house.url}/overlay/any") as answer:
                ids = dict(re.findall(r'data-(scene|reports)="([^"]+)"', await answer.text()))

            async def page(overlay: Overlay) -> Page:
                async with turns, client.ws_connect(f"{self.house.url}/graphql", protocols=(PROTOCOL,)) as raw:
                    socket = Socket(raw)
                    await socket.send({"type": "connection_init", "payload": {"token": overlay.token}})
                    assert await socket.next() == {"type": "connection_ack"}
                    payload = {"documentId": ids["scene"]}
                    await socket.send({"id": "1", "type": "subscribe", "payload": payload})
                    session = (await socket.data("1"))["overlayScene"]["session"]
                return Page(overlay, session, self.house.port)

            return list(await asyncio.gather(*map(page, overlays))), ids["reports"]


async def run(addresses: Addresses, rounds: int, folder: Path) -> str:
    """Take turns, and compare."""
    name = f"bench_{secrets.token_hex(4)}"
    made = await make_database(addresses.superuser_url, name, PASSWORDS, template=addresses.template)
    await _as_superuser(made, f"{_BARE}; grant insert on bare to gametriggers_app")
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    valkey = await asyncio.to_thread(new_valkey(folder / "valkey").start)
    house = House(folder, made, valkey)
    try:
        async with staged_earnings(made) as stage, open_vault(made, keys) as vault:
            await asyncio.to_thread(house.start_server)
            studio = Studio(house, stage, made)
            campaign = await stage.campaign(creatives=IN_A_MINUTE // TURN_S)
            pages, document = await studio.connected(await studio.overlays(campaign, vault))
            return await _measured(stage, pages, document, rounds)
    finally:
        await asyncio.to_thread(house.stop)
        await asyncio.to_thread(valkey.discard)


async def _measured(stage: EarningStage, pages: Sequence[Page], document: str, rounds: int) -> str:
    ratios, waits = list[float](), list[float]()
    # The oldest minute first, for it is the first that is not taken any more.
    for number in range(rounds):
        minute = minute_of(datetime.now(UTC)) - (rounds - number) * MINUTE
        told = [_batches(page, minute, document) for page in pages]
        counted = await _taken([_tell(page, batches, waits) for page, batches in zip(pages, told, strict=True)])
        bare = await _taken([_write(stage, minute, batches) for batches in told])
        ratios.append(bare / counted)
        reports = sum(len(batch.rows) for batches in told for batch in batches)
        print(f"round {number}: {reports / counted:7.0f} reports/s, {reports / bare:7.0f} rows/s", flush=True)
    await _each_counted_once(stage, rounds)
    p99 = statistics.quantiles(waits, n=100)[98] * 1000
    return f"impressions ratio={statistics.median(ratios):.2f} p99_ms={p99:.0f}"


def _batches(page: Page, minute: datetime, document: str) -> list[Batch]:
    """What a page says of a minute, batch by batch, a quarter of them twice."""
    spans = [(first, min(first + BATCH_S, IN_A_MINUTE)) for first in range(0, IN_A_MINUTE, BATCH_S)]
    found = [_batch(page, minute, document, list(_turns(*span))) for span in spans]
    found += random.sample(found, round(len(found) / 4))
    random.shuffle(found)
    return found


def _turns(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Whose turn it was between two seconds: which creative, its first and its last second."""
    for creative in range(start // TURN_S, (end - 1) // TURN_S + 1):
        yield creative, max(start, creative * TURN_S), min(end, (creative + 1) * TURN_S) - 1


def _batch(page: Page, minute: datetime, document: str, turns: Sequence[tuple[int, int, int]]) -> Batch:
    part = page.overlay.part
    reports = [
        {
            "participationId": global_id("Participation", part.id), "minute": minute.isoformat(),
            "creativeId": global_id("Creative", part.campaign.creatives[creative]),
            "visible": [{"first": first, "last": last}],
        }
        for creative, first, last in turns
    ]  # fmt: skip
    wish = {"sessionId": page.session["id"], "nonce": page.session["nonce"], "reports": reports}
    body = orjson.dumps({"documentId": document, "variables": {"input": wish}})
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/graphql-response+json\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {page.overlay.token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    rows = [(part.campaign.creatives[creative], (1 << last + 1) - (1 << first)) for creative, first, last in turns]
    return Batch(head.encode() + body, rows)


async def _taken(work: Sequence[Awaitable[None]]) -> float:
    """Seconds until all is done, all at once."""
    before = time.perf_counter()
    await asyncio.gather(*work)
    return time.perf_counter() - before


async def _tell(page: Page, batches: Sequence[Batch], waits: list[float]) -> None:
    _, line = await asyncio.get_running_loop().create_connection(KeepAlive, "127.0.0.1", page.port)
    for batch in batches:
        before = time.perf_counter()
        answer = orjson.loads(await line.ask(batch.request))
        waits.append(time.perf_counter() - before)
        if answer["data"]["reportImpressions"]["verdicts"] != ["COUNTED"] * len(batch.rows):
            raise AssertionError(answer)
    line.close()


async def _write(stage: EarningStage, minute: datetime, batches: Sequence[Batch]) -> None:
    for batch in batches:
        for creative, seconds in batch.rows:
            await stage.database.pool.execute(_INSERT, uuid7(), minute, creative, seconds, datetime.now(UTC))


async def _each_counted_once(stage: EarningStage, rounds: int) -> None:
    """Every second of every minute was seen, and there are so many and no more."""
    minutes = OVERLAYS * rounds
    found = await stage.database.pool.fetchrow(_COUNTED)
    assert found is not None
    wanted = (minutes * IN_A_MINUTE // TURN_S, minutes * IN_A_MINUTE, minutes)
    if tuple(found) != wanted:
        raise AssertionError(f"counted were {tuple(found)} rows, seconds and minutes, and not {wanted}")


async def _as_superuser(made: DatabaseAddresses, statements: str) -> None:
    connection = await asyncpg.connect(made.superuser_url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=MOST_ROUNDS, help=f"minutes reported, 1 to {MOST_ROUNDS}")
    options = parser.parse_args()
    if not 1 <= options.rounds <= MOST_ROUNDS:
        parser.error(f"of 1 to {MOST_ROUNDS} minutes reports are taken")
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory(prefix="impressions-") as folder:
            print(uvloop.run(run(servers.start(), options.rounds, Path(folder))))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
