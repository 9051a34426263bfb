"""Clients that others wrote and many use ask, change and follow; a cable is cut, and nothing is lost or told twice."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.actor import Actor
from domain.identity.model import Portal
from domain.rights import Permission, StaffRole
from gql.node import global_id
from tests.clients.cable import Cable
from tests.clients.workshop import running, workshop
from tests.fakes import somebody
from tests.gql.house import House, running_house
from tests.people import session_of
from tests.waiting import PATIENCE_S

CLIENTS = {
    "graphql-ws": ("graphql_ws.mjs",),
    "graphql-sse": ("graphql_sse.mjs",),
    "urql over graphql-ws": ("urql.mjs", "ws"),
    "urql over graphql-sse": ("urql.mjs", "sse"),
    "Apollo Client": ("apollo.mjs",),
    "Relay": ("relay.mjs",),
}
AUDITS = 61


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with running_house(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def clients() -> Path:
    return workshop()


@pytest.mark.parametrize("script", CLIENTS.values(), ids=CLIENTS.keys())
async def test_a_client_follows_a_wallet_through_a_cut(
    clients: Path, house: House, script: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    me = somebody()
    wallet, other = await house.ports.wallet(me), await house.ports.wallet(somebody())
    cable = Cable(house.url)
    async with asyncio.timeout(PATIENCE_S), cable.laid() as address:
        told = {
            "url": f"{address}/graphql",
            "token": house.token(me),
            "person": (await house.ask("{ viewer { id } }", me)).data["viewer"]["id"],
            "wallet": global_id("Wallet", wallet),
            "other": global_id("Wallet", other),
        }
        with caplog.at_level(logging.WARNING):
            async with running(clients, script[0], json.dumps(told), *script[1:]) as client:
                assert client.stdin is not None
                assert client.stdout is not None
                assert client.stderr is not None
                deeds = []
                while (deed := (await client.stdout.readline()).decode().strip()) in {"credit", "cut"}:
                    deeds.append(deed)
                    if deed == "cut":
                        cable.cut()
                    else:
                        await house.ports.credit(wallet, 1, 1)
                    client.stdin.write(b"done\n")
                wrong = "" if deed == "end" else (await client.stderr.read()).decode()
                assert deed == "end", f"after {deeds}: {wrong}"
        assert deeds == ["credit", "cut", "credit", "credit"]
        assert cable.connections > 1
    assert not caplog.records


async def test_the_audits_of_graphql_over_http_are_passed(clients: Path, house: House) -> None:
    """By staff: some audits ask the schema about itself, which nobody else may in production."""
    session = house.ports.standings.begin(
        session_of(somebody().person, Portal.ADMIN),
        staff_role=StaffRole.SUPPORT,
        networks=("127.0.0.0/8",),
        permissions=frozenset({Permission.MANAGE_USERS}),
    )
    asked = (f"{house.url}/graphql", house.token(Actor(session.person)))
    async with asyncio.timeout(PATIENCE_S), running(clients, "audits.mjs", *asked) as audits:
        told, wrong = (text.decode() for text in await audits.communicate())
    assert [line for line in told.splitlines()[:-1] if line.split()[1] != "ok"] == [], wrong
    assert told.splitlines()[-1] == f"{AUDITS} of {AUDITS}", wrong


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_node_it_says_why(ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(outcome, match="with npm is not installed"):
        workshop()
