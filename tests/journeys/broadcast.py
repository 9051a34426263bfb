"""A streamer whose overlay shows a brand's campaign while they are live, in a house of real processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from domain.actor import Actor
from domain.earning.sharing import minute_of
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from gql.node import global_id
from tests.identity_settings import IDENTITY
from tests.journeys.house import Journey
from tests.journeys.studio import Studio, studio_of
from tests.journeys.test_asset_journey import FINISH, START
from tests.journeys.test_campaign_journey import WHY, does, staff, takes
from tests.journeys.test_earning_journey import streams, taking_part
from tests.vaults import VaultKeys, open_vault


@dataclass
class Broadcast:
    """Who is at it, and what is shown."""

    studio: Studio
    brand: BrandId
    manager: Actor
    moderator: Actor
    campaign: str
    participation: str
    text: str
    """The creative that is shown from the beginning."""

    @property
    def journey(self) -> Journey:
        return self.studio.journey

    async def steps(self, what: str) -> None:
        """The campaign pauses, goes on, or ends."""
        assert "state" in await does(self.journey, self.manager, what, campaignId=self.campaign)

    async def decided(self, creative: str, *, approve: bool) -> None:
        """What a moderator finds."""
        verdict = {"creativeId": creative, "approve": approve, "reason": WHY}
        assert "state" in await takes(self.journey, self.moderator, "decideCreative", **verdict)

    async def added(self, **content: object) -> Any:
        """One more creative, which a moderator has approved."""
        wish = {"campaignId": self.campaign, "idempotencyKey": uuid7().hex, **content}
        made = await takes(self.journey, self.manager, "addCreative", **wish)
        await self.decided(made["id"], approve=True)
        return made["id"]

    async def uploaded(self, content: bytes, type_: str, purpose: str = "CREATIVE") -> str:
        """A file of the brand that is ready."""
        wish = {
            "purpose": purpose, "brandId": global_id("Brand", self.brand), "fileName": "Secret plans",
            "mediaType": type_, "length": len(content), "sha256": sha256(content).hexdigest(),
        }  # fmt: skip
        begun = (await self.journey.ask(self.manager, START, input=wish)).data["startUpload"]
        form = aiohttp.FormData()
        for each in begun["fields"]:
            form.add_field(each["name"], each["value"])
        form.add_field("file", content, filename="a file")
        assert (await self.journey.request("POST", urlsplit(begun["url"]).path, data=form)).status == 204
        done = (await self.journey.ask(self.manager, FINISH, id=begun["asset"]["id"])).data["finishUpload"]
        assert done["state"] == "READY", done
        return str(done["id"])

    async def ends(self, how: str, who: Actor) -> None:
        """The participation is over."""
        assert "state" in await takes(self.journey, who, how, participationId=self.participation)


@asynccontextmanager
async def on_air(journey: Journey) -> AsyncIterator[Broadcast]:
    """Somebody new who streams, and a brand of theirs alone."""
    brand = BrandId(uuid7())
    manager = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with open_vault(journey.house.database, keys) as vault:
        await vault.create_key(manager.person)
    async with studio_of(journey) as studio:
        participation, text = await taking_part(journey, manager, brand, studio)
        await streams(journey, studio, {minute_of(datetime.now(UTC)): 1_000})
        campaign = await journey.connection.fetchval("select id from campaign where brand = $1", brand)
        moderator = await staff(journey)
        yield Broadcast(studio, brand, manager, moderator, global_id("Campaign", campaign), participation, text)
