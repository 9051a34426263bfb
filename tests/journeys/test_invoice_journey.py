"""A brand's month from shown minutes to the invoice on paper, over HTTP; at the end all is audited."""

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from adapters.jobs import JOBS
from domain.actor import Actor
from domain.brand.model import Billing
from domain.earning.closing import close_minutes
from domain.earning.sharing import MINUTE, minute_of
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from gql.node import global_id
from tests.identity_settings import IDENTITY
from tests.journeys.house import Journey
from tests.journeys.studio import message, studio_of
from tests.journeys.test_campaign_journey import staff
from tests.journeys.test_earning_journey import later, reported, streams, taking_part
from tests.vaults import VaultKeys, open_vault

_MONEY = "{ amount currency }"
_INVOICE = f"""id number month seller {{ name }} buyer {{ name address taxId }} net {_MONEY} tax {_MONEY} total {_MONEY}
  lines {{ title kind minutes net {_MONEY} tax {_MONEY} }} document {{ url }}"""
OF_BRAND = f"""query ($id: ID!) {{ node(id: $id) {{ ... on Brand {{
  invoices {{ edges {{ node {{ {_INVOICE} }} }} }} }} }} }}"""
OF_ALL = f"query ($id: ID) {{ invoices(brandId: $id) {{ edges {{ node {{ {_INVOICE} }} }} }} }}"
BILLING = Billing("Jl. Sudirman 1\nJakarta 10220", "01.234.567.8-901.000")
_BILLED = "update brand set billing_address = $2, tax_id = $3 where id = $1"
_NUMBER = re.compile(r"INV-20\d\d-000001")


async def invoices_of(journey: Journey, who: Actor, brand: BrandId) -> Any:
    """What somebody reads of a brand's invoices, without the address that is another each time."""
    reply = await journey.ask(who, OF_BRAND, id=global_id("Brand", brand))
    return [edge["node"] for edge in reply.data["node"]["invoices"]["edges"]]


async def fetched(journey: Journey, url: str) -> tuple[int, str, str]:
    """What comes from an address: the status, what it is, and the text on its pages."""
    place = f"{journey.house.url}/invoices/{url.rpartition('/')[2]}"
    async with journey.client.get(place) as answer:
        body, type_ = await answer.read(), answer.headers["Content-Type"]
    if answer.status != 200:
        return answer.status, type_, body.decode()
    return answer.status, type_, "\n".join(page.extract_text() for page in PdfReader(BytesIO(body)).pages)


async def test_from_shown_minutes_to_the_invoice_on_paper(journey: Journey) -> None:
    brand = BrandId(uuid7())
    ani = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    viewer = (await journey.enroll(brands={brand: BrandRole.VIEWER})).actor
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    keeper, moderator = await staff(journey), (await journey.enroll(staff=StaffRole.MODERATOR)).actor
    await journey.connection.execute(_BILLED, brand, BILLING.address, BILLING.tax_id)
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with open_vault(journey.house.database, keys) as vault:
        await vault.create_key(ani.person)
    async with studio_of(journey) as studio:
        which, text = await taking_part(journey, ani, brand, studio)
        minute = minute_of(datetime.now(UTC)) - MINUTE
        await streams(journey, studio, {minute: 2_000})
        async with studio.following() as socket:
            session = (await message(socket))["session"]
        seen: dict[str, Any] = {"participationId": which, "creativeId": text, "minute": minute.isoformat()}
        seen["visible"] = [{"first": 0, "last": 59}]
        assert (await reported(studio, session, seen))["verdicts"] == ["COUNTED"]
    async with later(journey, minutes=10) as ports:
        assert (await close_minutes(ports.earning, ports.clock())).failed == []
        await JOBS["issue_invoices"].job(ports)
    assert await invoices_of(journey, ani, brand) == []

    async with later(journey, days=32) as ports:
        for _ in range(2):
            await JOBS["issue_invoices"].job(ports)
    (invoice,) = await invoices_of(journey, ani, brand)
    idr = {"currency": "IDR"}
    amounts = {"net": {"amount": "40000.00", **idr}, "tax": {"amount": "0.00", **idr}}
    assert _NUMBER.fullmatch(invoice["number"])
    assert invoice["lines"] == [{"title": invoice["lines"][0]["title"], "kind": "SPENT", "minutes": 1, **amounts}]
    assert {name: invoice[name] for name in amounts} == amounts
    assert invoice["total"]["amount"] == "40000.00"
    assert invoice["buyer"] == {"name": "A brand", "address": BILLING.address, "taxId": BILLING.tax_id}

    status, type_, words = await fetched(journey, invoice["document"]["url"])
    assert (status, type_) == (200, "application/pdf")
    for expected in (invoice["number"], BILLING.tax_id, "Jakarta 10220", "Total: IDR 40,000.00"):
        assert expected in words
    assert (await fetched(journey, invoice["document"]["url"][:-1]))[0] == 404

    assert (await journey.ask(other, OF_BRAND, id=global_id("Brand", brand))).data["node"] is None
    (listed,) = (await journey.ask(keeper, OF_ALL, id=global_id("Brand", brand))).data["invoices"]["edges"]
    assert (listed["node"]["number"], listed["node"]["total"]) == (invoice["number"], invoice["total"])
    for who, query in ((viewer, OF_BRAND), (moderator, OF_ALL), (ani, OF_ALL)):
        refused = (await journey.ask(who, query, id=global_id("Brand", brand))).body
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]
