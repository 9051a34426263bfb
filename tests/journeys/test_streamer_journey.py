"""A streamer's first week: a profile, an account that is proved at the second try, another who wants it, and an end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from tests.accounts_house import AccountsHouse, bearer, running_accounts
from tests.people import Enrolled, enroll

REFUSED = "... on Refusal { code }"
LINK = "id platform account address state reason placedAt decidedAt"
PUBLIC = "id displayName categories language rating country platforms { platform account address }"
OWN = f"{PUBLIC} timeZone schedule {{ day startsAt endsAt }} links {{ {LINK} }}"
PROFILE: dict[str, Any] = {
    "displayName": "Ani Plays", "categories": ["GAMES", "TALK"], "language": "id", "rating": "TEEN", "country": "ID",
    "timeZone": "Asia/Jakarta", "schedule": [{"day": "FRIDAY", "startsAt": "20:00", "endsAt": "24:00"}],
}  # fmt: skip
BECOME = f"""mutation ($input: BecomeStreamerInput!) {{
  becomeStreamer(input: $input) {{ __typename {REFUSED} ... on ProfileRefused {{ field }} ... on Streamer {{ {OWN} }} }}
}}"""
CHANGE = f"""mutation ($input: ChangeStreamerProfileInput!) {{
  changeStreamerProfile(input: $input) {{ __typename {REFUSED} ... on Streamer {{ {OWN} }} }}
}}"""
CODE = f"""mutation ($account: String!) {{
  requestPlatformCode(input: {{platform: TIKTOK, account: $account}}) {{
    __typename {REFUSED} ... on PlatformCode {{ text expiresAt link {{ {LINK} }} }}
  }}
}}"""
STEPS = {
    "placed": "reportPlatformCodePlaced(input: {linkId: $id})",
    "unlink": "unlinkPlatform(input: {linkId: $id})",
    "confirm": "confirmPlatformLink(input: {linkId: $id, code: $text})",
    "reject": "rejectPlatformLink(input: {linkId: $id, reason: $text})",
}
ME = f"{{ viewer {{ streamer {{ {OWN} }} }} }}"
SEEN = f"query ($id: ID!) {{ streamer(id: $id) {{ {PUBLIC} }} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on Streamer {{ {PUBLIC} }} }} }}"
PRIVATE = "query ($id: ID!) { streamer(id: $id) { id schedule { day } links { id } } }"
TO_CHECK = f"""query ($first: Int!, $after: Cursor) {{
  platformLinksToCheck(first: $first, after: $after) {{
    edges {{ node {{ {LINK} streamer {{ displayName country }} }} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""


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

    async def do(self, step: str, id_: str, text: str | None = None) -> Any:
        """What a step comes to for a link: its new state, or the code of a refusal."""
        takes = "($id: ID!, $text: String!)" if text is not None else "($id: ID!)"
        sent = {"id": id_} if text is None else {"id": id_, "text": text}
        query = f"mutation {takes} {{ {STEPS[step]} {{ __typename {REFUSED} ... on PlatformLink {{ state }} }} }}"
        found = await self.one(query, **sent)
        return found.get("state") or found["code"]

    async def code(self, account: str) -> Any:
        return await self.one(CODE, account=account)


async def visitor(house: AccountsHouse, **wishes: Any) -> Visitor:
    """Somebody who is signed in already."""
    enrolled: Enrolled = await enroll(house.stage.database.pool, **wishes)
    await house.stage.vault.create_key(enrolled.person)
    await house.stage.database.pool.execute(
        "update session set stepped_up_at = now() where id = $1", enrolled.session.id
    )
    return Visitor(house, enrolled.token(house.tokens))


async def waiting(staff: Visitor) -> list[Any]:
    return [edge["node"] for edge in (await staff.one(TO_CHECK, first=10))["edges"]]


async def test_from_the_sign_up_to_the_account_and_back(house: AccountsHouse) -> None:
    ani = Visitor(house, (await house.signed_up())["accessToken"])
    staff = await visitor(house, staff=StaffRole.MODERATOR)
    brand = await visitor(house, brands={BrandId(uuid7()): BrandRole.VIEWER})

    assert (await ani.one(ME))["streamer"] is None
    assert (await ani.code("ani"))["code"] == "NOT_STREAMER"
    refused = await ani.one(BECOME, input=PROFILE | {"timeZone": "Jakarta"})
    assert (refused["code"], refused["field"]) == ("PROFILE_REFUSED", "timeZone")
    made = await ani.one(BECOME, input=PROFILE)
    assert made["__typename"] == "Streamer"
    assert {name: made[name] for name in PROFILE} == PROFILE
    assert (await ani.one(BECOME, input=PROFILE))["code"] == "ALREADY_STREAMER"
    changed = await ani.one(CHANGE, input=PROFILE | {"displayName": "Ani", "categories": ["MUSIC"]})
    assert (changed["id"], changed["displayName"], changed["categories"]) == (made["id"], "Ani", ["MUSIC"])
    id_ = made["id"]

    first = await ani.code("@Ani_Plays")
    assert (first["link"]["state"], first["link"]["address"]) == ("OFFERED", "https://www.tiktok.com/@ani_plays")
    assert await ani.do("placed", first["link"]["id"]) == "PLACED"
    assert (await ani.code("ani_plays"))["code"] == "PLATFORM_LINKED"
    (seen,) = await waiting(staff)
    assert (seen["account"], seen["streamer"]) == ("ani_plays", {"displayName": "Ani", "country": "ID"})
    assert (await staff.one(SEEN, id=id_))["platforms"] == []
    assert await staff.do("confirm", seen["id"], "GT-0000-0000") == "CODE_NOT_THERE"
    assert await staff.do("reject", seen["id"], "There is no code in the profile.") == "REJECTED"

    (link,) = (await ani.one(ME))["streamer"]["links"]
    assert (link["state"], link["reason"]) == ("REJECTED", "There is no code in the profile.")
    second = await ani.code("ani_plays")
    assert await ani.do("placed", second["link"]["id"]) == "PLACED"
    budi = await visitor(house)
    await budi.one(BECOME, input=PROFILE | {"displayName": "Budi"})
    rival = await budi.code("ani_plays")
    assert await staff.do("confirm", second["link"]["id"], first["text"]) == "CODE_NOT_THERE"
    assert await staff.do("confirm", second["link"]["id"], second["text"]) == "CONFIRMED"
    account = {"platform": "TIKTOK", "account": "ani_plays", "address": "https://www.tiktok.com/@ani_plays"}
    for query in (SEEN, NODE):
        shown = await brand.one(query, id=id_)
        assert (shown["displayName"], shown["platforms"]) == ("Ani", [account])

    assert await budi.do("placed", rival["link"]["id"]) == "ACCOUNT_TAKEN"
    assert (await budi.code("ani_plays"))["code"] == "ACCOUNT_TAKEN"
    assert await ani.do("unlink", second["link"]["id"]) == "UNLINKED"
    assert (await brand.one(SEEN, id=id_))["platforms"] == []
    assert await budi.do("placed", rival["link"]["id"]) == "PLACED"
    assert await staff.do("confirm", rival["link"]["id"], rival["text"]) == "CONFIRMED"
    assert (await ani.code("ani_plays"))["code"] == "ACCOUNT_TAKEN"


async def test_what_is_shown_is_shown_to_brands_and_the_rest_to_the_streamer(house: AccountsHouse) -> None:
    ani, other = await visitor(house), await visitor(house)
    brand = await visitor(house, brands={BrandId(uuid7()): BrandRole.VIEWER})
    id_ = (await ani.one(BECOME, input=PROFILE))["id"]
    assert (await ani.one(PRIVATE, id=id_))["schedule"] == [{"day": "FRIDAY"}]
    assert await brand.codes(PRIVATE, id=id_) == ["FORBIDDEN"]
    for query in (SEEN, NODE):
        assert (await brand.one(query, id=id_))["displayName"] == "Ani Plays"
        assert await other.one(query, id=id_) is None
    assert (await house.run(SEEN, id=id_)).codes == ["UNAUTHENTICATED"]
    assert await brand.codes(SEEN, id="nothing") == ["BAD_INPUT"]
    await house.stage.database.pool.execute(
        "update person set status = 'banned' where id = (select person from streamer limit 1)"
    )
    assert await brand.one(SEEN, id=id_) is None


async def test_who_waits_is_shown_to_who_checks_page_by_page_and_that_is_on_record(house: AccountsHouse) -> None:
    staff, support = await visitor(house, staff=StaffRole.MODERATOR), await visitor(house, staff=StaffRole.SUPPORT)
    streamers = [await visitor(house) for _ in range(3)]
    for number, streamer in enumerate(streamers):
        await streamer.one(BECOME, input=PROFILE | {"displayName": f"S{number}"})
        offered = await streamer.code(f"account{number}")
        assert await streamer.do("placed", offered["link"]["id"]) == "PLACED"
        assert await streamer.codes(TO_CHECK, first=1) == ["FORBIDDEN"]
    assert await support.codes(TO_CHECK, first=1) == ["FORBIDDEN"]
    page = await staff.one(TO_CHECK, first=2)
    assert page["pageInfo"]["hasNextPage"]
    rest = await staff.one(TO_CHECK, first=2, after=page["pageInfo"]["endCursor"])
    assert not rest["pageInfo"]["hasNextPage"]
    found = [edge["node"]["streamer"]["displayName"] for edge in [*page["edges"], *rest["edges"]]]
    assert found == ["S0", "S1", "S2"]
    assert (await house.stage.deeds()).count("person.looked_up") == 2
    brand = await visitor(house, brands={BrandId(uuid7()): BrandRole.VIEWER})
    id_ = (await streamers[2].one(ME))["streamer"]["id"]
    for looking in (brand, streamers[2], staff):
        assert (await looking.one(SEEN, id=id_))["displayName"] == "S2"
    assert (await house.stage.deeds()).count("person.looked_up") == 3
