"""A brand looks for streamers: everybody, those who fit, page by page; and who may not look is told so."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.embedded.database import DatabaseAddresses
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from tests.accounts_house import AccountsHouse, bearer, running_accounts
from tests.people import enroll

FIND = """query ($filter: StreamerFilter, $sort: StreamerSort! = AVERAGE_VIEWERS, $first: Int! = 20, $after: Cursor) {
  streamers(filter: $filter, sort: $sort, first: $first, after: $after) {
    edges { cursor node { displayName country categories platforms { platform account } } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}"""
FACETS = """query ($filter: StreamerFilter) { streamers(filter: $filter, first: 1) { facets {
  countries { value streamers } languages { value streamers } categories { value streamers }
  ratings { value streamers } platforms { value streamers }
} } }"""
HIDDEN = ("schedule { day }", "timeZone", "links { id }", "createdAt")
BECOME = """mutation ($input: BecomeStreamerInput!) { becomeStreamer(input: $input) { ... on Streamer { id } } }"""
SAID: tuple[dict[str, Any], ...] = (
    {"displayName": "Ani", "categories": ["GAMES", "TALK"], "language": "id", "rating": "TEEN", "country": "ID"},
    {"displayName": "Budi", "categories": ["GAMES"], "language": "id", "rating": "EVERYONE", "country": "ID"},
    {"displayName": "Cik", "categories": ["MUSIC"], "language": "ms", "rating": "EVERYONE", "country": "MY"},
    {"displayName": "Dewi", "categories": ["FOOD", "TRAVEL"], "language": "id", "rating": "MATURE", "country": "ID"},
)


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database) as running:
        yield running


class Visitor:
    """Somebody with a session."""

    def __init__(self, house: AccountsHouse, token: str) -> None:
        self.house, self.headers = house, bearer({"accessToken": token})

    async def one(self, query: str, **variables: object) -> Any:
        return await self.house.one(query, self.headers, **variables)

    async def codes(self, query: str, **variables: object) -> list[str]:
        return (await self.house.run(query, self.headers, **variables)).codes

    async def names(self, **variables: object) -> list[str]:
        return [edge["node"]["displayName"] for edge in (await self.one(FIND, **variables))["edges"]]


async def visitor(house: AccountsHouse, **wishes: Any) -> Visitor:
    """Somebody who is signed in already."""
    enrolled = await enroll(house.stage.database.pool, **wishes)
    await house.stage.vault.create_key(enrolled.person)
    return Visitor(house, enrolled.token(house.tokens))


async def of_brand(house: AccountsHouse) -> Visitor:
    return await visitor(house, brands={BrandId(uuid7()): BrandRole.VIEWER})


@pytest_asyncio.fixture
async def streamers(house: AccountsHouse) -> list[Visitor]:
    found = []
    for said in SAID:
        found.append(await visitor(house))
        await found[-1].one(BECOME, input=said | {"timeZone": "Asia/Jakarta"})
    return found


@pytest.mark.usefixtures("streamers")
async def test_a_brand_finds_who_fits_page_by_page_and_sees_what_else_there_is(house: AccountsHouse) -> None:
    brand = await of_brand(house)
    assert await brand.names() == ["Dewi", "Cik", "Budi", "Ani"]
    assert await brand.names(filter={"countries": ["ID"], "categories": ["GAMES", "FOOD"]}) == ["Dewi", "Budi", "Ani"]
    assert await brand.names(filter={"countries": [], "ratings": ["EVERYONE"], "languages": ["ms", "jv"]}) == ["Cik"]
    for nobody in ({"platforms": ["TIKTOK"]}, {"minAverageViewers": 0}):
        assert await brand.names(filter=nobody) == []

    at_home: dict[str, Any] = {"filter": {"countries": ["ID"]}, "sort": "NEWEST", "first": 2}
    page = await brand.one(FIND, **at_home)
    assert [edge["node"]["displayName"] for edge in page["edges"]] == ["Dewi", "Budi"]
    assert page["pageInfo"]["hasNextPage"]
    after = page["pageInfo"]["endCursor"]
    rest = await brand.one(FIND, **at_home, after=after)
    assert [edge["node"]["displayName"] for edge in rest["edges"]] == ["Ani"]
    assert rest["pageInfo"] | {"endCursor": ""} == {"hasNextPage": False, "hasPreviousPage": True, "endCursor": ""}
    for other in ({"filter": None}, {"sort": "AVERAGE_VIEWERS"}, {"filter": {"countries": ["ID", "MY"]}}):
        assert await brand.codes(FIND, **(at_home | other), after=after) == ["BAD_INPUT"]
    same = {"filter": {"countries": ["ID", "ID"], "languages": []}}
    assert await brand.codes(FIND, **(at_home | same), after=after) == []

    facets = (await brand.one(FACETS, filter={"countries": ["ID"]}))["facets"]
    assert facets["countries"] == [{"value": "ID", "streamers": 3}, {"value": "MY", "streamers": 1}]
    assert facets["languages"] == [{"value": "id", "streamers": 3}]
    assert facets["categories"][0] == {"value": "GAMES", "streamers": 2}
    assert {each["value"] for each in facets["ratings"]} == {"TEEN", "EVERYONE", "MATURE"}
    assert facets["platforms"] == []


@pytest.mark.usefixtures("streamers")
@pytest.mark.parametrize(
    "wish",
    [
        {"countries": ["XX"]},
        {"countries": ["id"]},
        {"languages": ["Indonesian"]},
        {"languages": ["xx"] * 3 + ["id"]},
        {"minAverageViewers": 2, "maxAverageViewers": 1},
        {"maxAverageViewers": -1},
        {"countries": ["ID", "MY", "SG", "PH", "TH", "VN", "TV", "US", "GB", "DE", "FR", "IT", "ES", "PT", "BR", "JP",
                       "KR", "CN", "IN", "AU", "NZ"]},
    ],
)  # fmt: skip
async def test_a_wish_that_cannot_be_is_told_so(house: AccountsHouse, wish: dict[str, Any]) -> None:
    assert await (await of_brand(house)).codes(FIND, filter=wish) == ["BAD_INPUT"]


async def test_only_brands_and_who_checks_streamers_look_and_staff_is_on_record(
    house: AccountsHouse, streamers: list[Visitor]
) -> None:
    for kept_out in (streamers[0], await visitor(house), await visitor(house, staff=StaffRole.SUPPORT)):
        for query in (FIND, FACETS):
            assert await kept_out.codes(query) == ["FORBIDDEN"]
    assert (await house.run(FIND)).codes == ["UNAUTHENTICATED"]
    assert (await house.stage.deeds()).count("person.looked_up") == 0
    staff = await visitor(house, staff=StaffRole.MODERATOR)
    assert len(await staff.names(first=3)) == 3
    assert (await house.stage.deeds()).count("person.looked_up") == 1
    brand = await of_brand(house)
    for part in HIDDEN:
        assert set(await brand.codes(f"{{ streamers {{ edges {{ node {{ {part} }} }} }} }}")) == {"FORBIDDEN"}
    assert (await house.stage.deeds()).count("person.looked_up") == 1
