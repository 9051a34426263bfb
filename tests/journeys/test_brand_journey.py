"""A brand from its first owner to staff's verdict, over HTTP, with letters that went through a real mail server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.mail.letters import WrittenLetters
from adapters.mail.smtp import SmtpAccess, SmtpMailer, TlsMode
from adapters.sandbox.mail import RunningMailSandbox, running_mail_sandbox
from domain.rights import StaffRole
from gql.node import global_id
from tests.accounts_house import CONFIRM, SIGN_UP, AccountsHouse, bearer, running_accounts
from tests.accounts_stage import PASSWORD
from tests.people import enroll
from tests.staff_stage import WHY
from tests.waiting import eventually

OFFICE = {"X-Forwarded-For": "203.0.113.9"}
REFUSED = "__typename ... on Refusal { code }"
COMPANY = {"name": "Baterai Jaya", "industry": "Batteries", "size": "SMALL", "website": "https://baterai.example"}
BRAND = "id name size website verification verificationReason yourRole contact { name mail }"
CREATE = (
    f"mutation ($input: CreateBrandInput!) {{ createBrand(input: $input) {{ {REFUSED} ... on Brand {{ {BRAND} }} }} }}"
)
CHANGE = (
    f"mutation ($input: ChangeBrandInput!) {{ changeBrand(input: $input) {{ {REFUSED} ... on Brand {{ {BRAND} }} }} }}"
)
INVITE = f"""mutation ($input: InviteMemberInput!) {{
  inviteMember(input: $input) {{ {REFUSED} ... on BrandInvitation {{ id mail role expiresAt }} }}
}}"""
ACCEPT = f"""mutation ($input: AcceptInvitationInput!) {{
  acceptInvitation(input: $input) {{ {REFUSED} ... on BrandJoined {{ brand {{ {BRAND} }} }} }}
}}"""
DECLINE = f"""mutation ($input: DeclineInvitationInput!) {{
  declineInvitation(input: $input) {{ {REFUSED} ... on InvitationEnded {{ invitationId }} }}
}}"""
ROLE = f"""mutation ($input: ChangeMemberRoleInput!) {{
  changeMemberRole(input: $input) {{ {REFUSED} ... on BrandMember {{ role }} }}
}}"""
LEAVE = f"mutation ($input: LeaveBrandInput!) {{ leaveBrand(input: $input) {{ {REFUSED} }} }}"
DECIDE = f"""mutation ($input: DecideBrandInput!) {{
  decideBrand(input: $input) {{ {REFUSED} ... on BrandCase {{ verification revision }} }}
}}"""
CASES = "query ($of: BrandVerification!) { brandCases(verification: $of) { edges { node { id name revision } } } }"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename ... on Brand {{ {BRAND} }} }} }}"
MINE = """{ viewer { brands { edges { node { id yourRole } } }
  brandInvitations { id brandName role } } }"""
TEAM = (
    """query ($id: ID!) { node(id: $id) { ... on Brand { members { edges { node { id role name mail isYou } } } } } }"""
)
OPEN = "query ($id: ID!) { node(id: $id) { ... on Brand { invitations { edges { node { id mail } } } } } }"


@dataclass
class Town:
    """The application, and the mail server that its letters go to."""

    house: AccountsHouse
    mail: RunningMailSandbox

    async def letter(self, to: str) -> Any:
        """The newest letter to an address."""
        await self.house.stage.post()
        return next(letter for letter in self.mail.mailbox if letter.to == (to,))

    async def token(self, to: str) -> str:
        """What stands behind `#` in the link of the newest letter."""
        (link,) = (await self.letter(to)).links
        return str(link).partition("#")[2]

    async def sign_up(self, mail: str) -> dict[str, str]:
        """Somebody new, by the link of a letter; what their requests say."""
        assert (await self.house.one(SIGN_UP, mail=mail, password=PASSWORD))["__typename"] == "MailOnItsWay"
        return bearer(await self.house.one(CONFIRM, token=await self.token(mail)))

    async def does(self, who: dict[str, str], mutation: str, **wanted: object) -> Any:
        return await self.house.one(mutation, who, input=wanted)

    async def sees(self, who: dict[str, str], query: str, **variables: object) -> Any:
        return await self.house.one(query, who, **variables)

    async def team(self, who: dict[str, str], brand: str) -> dict[str, Any]:
        """Members by their address."""
        found = await self.sees(who, TEAM, id=brand)
        return {edge["node"]["mail"]: edge["node"] for edge in found["members"]["edges"]}


@pytest.fixture
async def town(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[Town]:
    async with (
        running_mail_sandbox() as mail,
        running_accounts(tmp_path, database, trusted_proxies=1) as house,
    ):
        access = SmtpAccess("127.0.0.1", mail.smtp_port, "us@portal.example", tls=TlsMode.NONE)
        for name, real in {"mailer": SmtpMailer(access), "wording": WrittenLetters()}.items():
            setattr(house.stage, name, real)
        yield Town(house, mail)


async def staff(town: Town) -> dict[str, str]:
    """A moderator at work, with a fresh code."""
    pool = town.house.stage.database.pool
    enrolled = await enroll(pool, staff=StaffRole.MODERATOR)
    await town.house.stage.vault.create_key(enrolled.person)
    await pool.execute("update session set stepped_up_at = now() where id = $1", enrolled.session.id)
    await pool.execute("insert into staff_network values ('203.0.113.0/24', 'office')")
    return bearer({"accessToken": enrolled.token(town.house.tokens)}) | OFFICE


async def test_a_brand_from_its_first_owner_to_staffs_verdict(town: Town) -> None:
    ani, budi, other = [await town.sign_up(f"{name}@mail.example") for name in ("ani", "budi", "other")]
    brand = await town.does(ani, CREATE, company=COMPANY, idempotencyKey="first")
    assert (brand["verification"], brand["yourRole"]) == ("PENDING", "OWNER")
    assert brand["contact"] == {"name": "Ani", "mail": "ani@mail.example"}
    id_ = brand["id"]
    assert (await town.does(ani, CREATE, company=COMPANY, idempotencyKey="first"))["id"] == id_

    asked = await town.does(ani, INVITE, brandId=id_, mail="budi@mail.example", role="VIEWER")
    assert asked["mail"] == "budi@mail.example"
    letter = await town.letter("budi@mail.example")
    assert "Baterai Jaya" in letter.text
    assert "Baterai Jaya" not in letter.subject
    assert await town.sees(budi, NODE, id=id_) is None
    waiting = await town.sees(budi, MINE)
    assert [each["brandName"] for each in waiting["brandInvitations"]] == ["Baterai Jaya"]
    assert (await town.sees(other, MINE))["brandInvitations"] == []
    token = await town.token("budi@mail.example")
    joined = (await town.does(budi, ACCEPT, token=token))["brand"]
    assert (joined["id"], joined["yourRole"]) == (id_, "VIEWER")
    assert (await town.does(other, ACCEPT, token=token))["code"] == "INVITATION_GONE"

    assert (await town.does(budi, CHANGE, brandId=id_, company=COMPANY))["code"] == "ROLE_TOO_LOW"
    assert (await town.does(ani, LEAVE, brandId=id_))["code"] == "LAST_OWNER"
    members = await town.team(budi, id_)
    assert {mail: found["role"] for mail, found in members.items()} == {
        "ani@mail.example": "OWNER", "budi@mail.example": "VIEWER",
    }  # fmt: skip
    assert members["budi@mail.example"]["isYou"]
    budis = members["budi@mail.example"]["id"]
    assert await town.does(ani, ROLE, memberId=budis, role="MANAGER") == {
        "__typename": "BrandMember", "role": "MANAGER",
    }  # fmt: skip

    async def is_manager() -> bool:
        return bool((await town.sees(budi, NODE, id=id_))["yourRole"] == "MANAGER")

    await eventually(is_manager)
    mended = COMPANY | {"name": "Baterai Maju", "website": ""}
    changed = await town.does(budi, CHANGE, brandId=id_, company=mended, contactId=budis)
    assert (changed["name"], changed["contact"]["mail"]) == ("Baterai Maju", "budi@mail.example")
    assert await town.sees(other, NODE, id=id_) is None
    assert (await town.does(other, CHANGE, brandId=id_, company=COMPANY))["code"] == "UNKNOWN_BRAND"
    assert (await town.house.run(OPEN, budi, id=id_)).codes == ["FORBIDDEN"]

    moderator = await staff(town)
    assert (await town.house.run(CASES, budi, of="PENDING")).codes == ["FORBIDDEN"]
    (case,) = [edge["node"] for edge in (await town.sees(moderator, CASES, of="PENDING"))["edges"]]
    assert case == {"id": id_, "name": "Baterai Maju", "revision": 2}
    verdict = {"brandId": id_, "approve": True, "reason": WHY}
    assert (await town.does(moderator, DECIDE, **verdict, revision=1))["code"] == "BRAND_MOVED_ON"
    assert (await town.does(moderator, DECIDE, **verdict, revision=2))["verification"] == "VERIFIED"
    assert "Baterai Maju" in (await town.letter("budi@mail.example")).text
    seen = await town.sees(ani, NODE, id=id_)
    assert (seen["verification"], seen["verificationReason"]) == ("VERIFIED", WHY)
    assert (await town.sees(moderator, CASES, of="PENDING"))["edges"] == []

    assert "role" in await town.does(ani, ROLE, memberId=budis, role="OWNER")
    assert (await town.does(ani, LEAVE, brandId=id_))["__typename"] == "MemberGone"

    async def is_out() -> bool:
        return await town.sees(ani, NODE, id=id_) is None

    await eventually(is_out)
    assert (await town.sees(ani, MINE))["brands"]["edges"] == []
    assert (await town.does(budi, LEAVE, brandId=id_))["code"] == "LAST_OWNER"
    assert list(await town.team(budi, id_)) == ["budi@mail.example"]


async def test_a_page_of_ones_brands_goes_on_where_the_last_one_ended(town: Town) -> None:
    ani = await town.sign_up("ani@mail.example")
    made = []
    for number in range(3):
        made.append((await town.does(ani, CREATE, company=COMPANY, idempotencyKey=str(number)))["id"])
        town.house.stage.turn(seconds=1)
    page = "query ($after: Cursor) { viewer { brands(first: 2, after: $after) { edges { cursor node { id } } } } }"
    edges = (await town.sees(ani, page))["brands"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == made[:2]
    rest = (await town.sees(ani, page, after=edges[1]["cursor"]))["brands"]["edges"]
    assert [edge["node"]["id"] for edge in rest] == made[2:]


async def test_an_invitation_is_taken_up_by_its_address_or_turned_down(town: Town) -> None:
    ani, budi = [await town.sign_up(f"{name}@mail.example") for name in ("ani", "budi")]
    brand = (await town.does(ani, CREATE, company=COMPANY, idempotencyKey="first"))["id"]
    for answer in (DECLINE, ACCEPT):
        await town.does(ani, INVITE, brandId=brand, mail="Budi@Mail.Example", role="OWNER")
        (waiting,) = (await town.sees(budi, MINE))["brandInvitations"]
        (open_,) = (await town.sees(ani, OPEN, id=brand))["invitations"]["edges"]
        assert waiting["id"] == open_["node"]["id"]
        assert (await town.does(ani, answer, invitationId=waiting["id"]))["code"] == "INVITATION_GONE"
        assert "code" not in await town.does(budi, answer, invitationId=waiting["id"])
        assert (await town.sees(ani, OPEN, id=brand))["invitations"]["edges"] == []
    assert set(await town.team(budi, brand)) == {"ani@mail.example", "budi@mail.example"}
    bad = {"token": "x", "invitationId": global_id("BrandInvitation", "x")}
    assert (await town.house.run(ACCEPT, budi, input=bad)).codes == ["BAD_INPUT"]
    assert (await town.house.run(ACCEPT, budi, input={})).codes == ["BAD_INPUT"]
