"""An installation as it should be: trusted documents alone, shipped with the program or uploaded while it runs."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.config import ROOT
from domain.identity.model import Portal
from gql.trusted import Client, document_id
from tests.gql.house import Reply
from tests.gql.test_trusted import shipped
from tests.journeys.conftest import a_database
from tests.journeys.house import House, Journey, visiting
from tests.people import Enrolled
from tests.servers import Addresses, new_valkey
from tests.waiting import eventually

LATER = "query Later {\n  viewer {\n    id\n    name\n  }\n}"
OPEN_WALLET = shipped(Client.BRAND, "OpenWallet")
CHANGES = shipped(Client.BRAND, "WalletChanged")


@pytest.fixture
def strict_house(servers: Addresses, tmp_path: Path) -> Iterator[House]:
    valkey = new_valkey(tmp_path / "valkey").start()
    with a_database(servers) as database:
        house = House(tmp_path / "house", database, valkey, more={"UNTRUSTED_DOCUMENTS": "refuse"})
        try:
            yield house.start()
        finally:
            house.stop()
            valkey.discard()


async def asked(journey: Journey, who: Enrolled, document: str, **variables: Any) -> Reply:
    headers = {"Authorization": f"Bearer {journey.token(who.actor)}"}
    body = {"documentId": document_id(document), "variables": variables}
    return await journey.request("POST", "/graphql", json=body, headers=headers)


def upload(house: House, client: str, file: Path) -> str:
    """What the command says."""
    command = [sys.executable, "-m", "adapters.cli", "documents", "upload", client, str(file), "--by", "release 7"]
    told = subprocess.run(command, cwd=ROOT, env=house.environment, capture_output=True, text=True, check=True)
    return told.stdout


async def test_a_brand_asks_what_its_portal_ships_and_what_is_uploaded_later(strict_house: House) -> None:
    async with visiting(strict_house) as journey:
        who = await journey.enroll(portal=Portal.BRAND)
        wish = {"purpose": "HOSTING_CREDIT", "currency": "IDR"}
        wallet = (await asked(journey, who, OPEN_WALLET, input=wish)).data["openWallet"]["id"]
        async with journey.client.ws_connect(f"{strict_house.url}/graphql", protocols=["graphql-transport-ws"]) as raw:
            await raw.send_json({"type": "connection_init", "payload": {"token": journey.token(who.actor)}})
            assert await raw.receive_json() == {"type": "connection_ack"}
            payload = {"documentId": document_id(CHANGES), "variables": {"walletId": wallet}}
            await raw.send_json({"id": "1", "type": "subscribe", "payload": payload})
            message = await raw.receive_json()
            assert message["payload"]["data"]["walletChanged"]["__typename"] == "WalletSnapshot", message
        assert (await journey.ask(who.actor, "{ viewer { id } }")).codes == ["BAD_INPUT"]

        assert (await asked(journey, who, LATER)).codes == ["BAD_INPUT"]
        file = strict_house.folder / "later.graphql"
        file.write_text(LATER)
        assert "1 of 1 documents are new" in await asyncio.to_thread(upload, strict_house, "brand", file)

        async def is_found() -> bool:
            return "errors" not in (await asked(journey, who, LATER)).body

        await eventually(is_found)
        player = await journey.enroll(portal=Portal.PLAYER)
        (error,) = (await asked(journey, player, LATER)).body["errors"]
        assert error["message"] == "This document is another client's."
