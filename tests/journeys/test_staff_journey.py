"""The first day of a super admin, from the command line's link to a deed; and what staff loses while it looks on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.identity.founding import Founded, found_super_admin
from domain.rights import StaffRole
from gql.node import global_id
from tests.accounts_house import TOKENS, AccountsHouse, bearer, running_accounts
from tests.accounts_stage import PASSWORD
from tests.factor_stage import App
from tests.people import enroll
from tests.staff_stage import WHY
from tests.waiting import eventually

ADA, OFFICE, ELSEWHERE = "ada@mail.example", {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "198.51.100.7"}
REFUSED = "__typename ... on Refusal { code }"
RESET = f"""mutation ($token: String!, $password: String!) {{
  resetPassword(input: {{token: $token, newPassword: $password, portal: ADMIN}}) {{
    {REFUSED} ... on SignedIn {{ {TOKENS} }}
  }}
}}"""
SIGN_IN = f"""mutation ($mail: String!, $password: String!) {{
  signIn(input: {{mail: $mail, password: $password, portal: ADMIN}}) {{
    {REFUSED} ... on SignedIn {{ {TOKENS} }} ... on SecondFactorNeeded {{ challenge methods }}
  }}
}}"""
ANSWER = f"""mutation ($challenge: String!, $code: String!) {{
  answerSecondFactor(input: {{challenge: $challenge, code: $code}}) {{ {REFUSED} ... on SignedIn {{ {TOKENS} }} }}
}}"""
OFFER = f"mutation {{ offerTotp(input: {{confirm: true}}) {{ {REFUSED} ... on TotpOffered {{ secret }} }} }}"
CONFIRM = f"""mutation ($code: String!) {{
  confirmTotp(input: {{code: $code}}) {{ {REFUSED} ... on RecoveryCodes {{ codes }} }}
}}"""
BAN = f"""mutation ($person: ID!, $why: String!) {{
  banPerson(input: {{personId: $person, reason: $why}}) {{ {REFUSED} }}
}}"""
IMPERSONATE = f"""mutation ($person: ID!, $why: String!) {{
  impersonate(input: {{personId: $person, reason: $why}}) {{ {REFUSED} ... on SignedIn {{ {TOKENS} }} }}
}}"""
ROLE = "{ viewer { staffRole } }"


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database, trusted_proxies=1) as running:
        yield running


async def role(house: AccountsHouse, tokens: Any, at: dict[str, str]) -> object:
    return (await house.run(ROLE, bearer(tokens) | at)).data["viewer"]["staffRole"]


async def test_from_the_link_to_the_first_deed(house: AccountsHouse) -> None:
    player = await enroll(house.stage.database.pool)
    await house.stage.vault.create_key(player.person)
    made = await found_super_admin(house.stage, ADA, ["203.0.113.0/24"])
    assert isinstance(made, Founded)
    link = made.link.partition("#")[2]
    assert (await house.one(SIGN_IN, OFFICE, mail=ADA, password=PASSWORD))["code"] == "SIGN_IN_REFUSED"
    tokens = await house.one(RESET, OFFICE, token=link, password=PASSWORD)
    assert tokens["__typename"] == "SignedIn"
    assert (await house.one(RESET, OFFICE, token=link, password=PASSWORD))["code"] == "LINK_REFUSED"
    at_work = bearer(tokens) | OFFICE
    given = {"person": global_id("Person", player.person), "why": WHY}
    assert await role(house, tokens, OFFICE) is None
    assert (await house.run(BAN, at_work, **given)).codes == ["FORBIDDEN"]

    assert (await house.one(OFFER, at_work))["code"] == "STEP_UP_REQUIRED"
    await house.confirmed_by_mail(at_work)
    assert await role(house, tokens, OFFICE) is None
    app = App(house.stage, (await house.one(OFFER, at_work))["secret"])
    assert (await house.one(CONFIRM, at_work, code=app.code()))["__typename"] == "RecoveryCodes"
    await eventually(lambda: is_chief(house, tokens))
    assert (await house.run(BAN, bearer(tokens) | ELSEWHERE, **given)).codes == ["FORBIDDEN"]
    assert (await house.one(BAN, at_work, **given))["__typename"] == "PersonChanged"

    away = await house.one(SIGN_IN, ELSEWHERE, mail=ADA, password=PASSWORD)
    assert away["code"] == "SIGN_IN_REFUSED"
    asked = await house.one(SIGN_IN, OFFICE, mail=ADA, password=PASSWORD)
    assert asked["methods"] == ["RECOVERY_CODE", "TOTP"]
    again = await house.one(ANSWER, OFFICE, challenge=asked["challenge"], code=app.next())
    assert await role(house, again, OFFICE) == "SUPER_ADMIN"


async def is_chief(house: AccountsHouse, tokens: Any) -> bool:
    return await role(house, tokens, OFFICE) == "SUPER_ADMIN"


@pytest.mark.parametrize("change", ["role", "permission", "sessions"])
async def test_who_looks_on_is_out_within_seconds_of_losing_the_right(house: AccountsHouse, change: str) -> None:
    pool, stage = house.stage.database.pool, house.stage
    await pool.execute("insert into staff_network values ('203.0.113.0/24', 'office')")
    chief, helper = await staffed(house, StaffRole.SUPER_ADMIN), await staffed(house, StaffRole.SUPPORT)
    player = await enroll(pool)
    given = {"person": global_id("Person", player.person), "why": WHY}
    looking = await house.one(IMPERSONATE, helper[1], **given)
    assert (await house.run(ROLE, bearer(looking) | OFFICE)).status == 200
    helping = global_id("Person", helper[0])
    deed = {
        "role": f"setStaffRole(input: {{personId: $id, reason: $why}}) {{ {REFUSED} }}",
        "permission": "setRolePermissions(input: {role: SUPPORT, permissions: [VIEW_FINANCIALS], reason: $why})"
        f" {{ {REFUSED} }}",
        "sessions": f"endPersonSessions(input: {{personId: $id, reason: $why}}) {{ {REFUSED} }}",
    }[change]
    takes = "($id: ID!, $why: String!)" if "$id" in deed else "($why: String!)"
    sent = {"id": helping, "why": WHY} if "$id" in deed else {"why": WHY}
    done = await house.one(f"mutation {takes} {{ {deed} }}", chief[1], **sent)
    assert "code" not in done

    async def is_out() -> bool:
        return (await house.run(ROLE, bearer(looking) | OFFICE)).status == 401

    await eventually(is_out)
    assert (
        await stage.count("session", f"person = '{player.person}' and ended_at is null and impersonator is null") == 1
    )


async def staffed(house: AccountsHouse, role_: StaffRole) -> tuple[object, dict[str, str]]:
    """A member of staff, and what their requests say."""
    pool = house.stage.database.pool
    enrolled = await enroll(pool, staff=role_)
    await pool.execute("update session set stepped_up_at = now() where id = $1", enrolled.session.id)
    return enrolled.person, bearer({"accessToken": enrolled.token(house.tokens)}) | OFFICE
