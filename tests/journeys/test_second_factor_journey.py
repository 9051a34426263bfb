"""Second factors over HTTP, as people meet them: set up, asked for, lost and found, and what staff may do with one."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.ids import PersonId, uuid7
from domain.rights import StaffRole
from gql.node import parsed
from tests.accounts_house import ANI, ASKED, ME, SIGN_IN, SIGN_OUT, TOKENS, AccountsHouse, bearer, running_accounts
from tests.accounts_stage import PASSWORD
from tests.factor_stage import WRONG, App
from tests.fake_passkeys import Device, FakePasskeys

REFUSED = "__typename ... on Refusal { code message }"
FACTORS = "methods totpSince recoveryCodesLeft passkeys { id name createdAt lastUsedAt }"
MINE = f"{{ viewer {{ secondFactors {{ {FACTORS} }} }} }}"
OFFER = f"mutation {{ offerTotp(input: {{confirm: true}}) {{ {REFUSED} ... on TotpOffered {{ secret uri }} }} }}"
CONFIRM = f"""mutation ($code: String!) {{
  confirmTotp(input: {{code: $code}}) {{ {REFUSED} ... on RecoveryCodes {{ codes }} }}
}}"""
REMOVE = f"mutation {{ removeTotp(input: {{confirm: true}}) {{ {REFUSED} ... on SecondFactors {{ {FACTORS} }} }} }}"
RENEW = f"mutation {{ renewRecoveryCodes(input: {{confirm: true}}) {{ {REFUSED} ... on RecoveryCodes {{ codes }} }} }}"
BEGIN = f"""mutation ($mail: String!, $password: String!, $portal: Portal! = PLAYER) {{
  signIn(input: {{mail: $mail, password: $password, portal: $portal}}) {{
    {REFUSED} ... on SignedIn {{ {TOKENS} }} ... on SecondFactorNeeded {{ challenge methods expiresAt }}
  }}
}}"""
ANSWER = f"""mutation ($challenge: String!, $code: String!, $transport: TokenTransport! = BEARER) {{
  answerSecondFactor(input: {{challenge: $challenge, code: $code, transport: $transport}}) {{
    {REFUSED} ... on SignedIn {{ {TOKENS} }} ... on TooManyTries {{ retryAfterS }}
  }}
}}"""
STEP_UP = f"mutation ($code: String!) {{ stepUp(input: {{code: $code}}) {{ {REFUSED} ... on SteppedUp {{ until }} }} }}"
BY_MAIL = f"""mutation {{
  requestStepUpCode(input: {{confirm: true}}) {{ {REFUSED} ... on StepUpCodeOnItsWay {{ expiresAt }} }}
}}"""
OFFER_PASSKEY = f"""mutation {{
  offerPasskey(input: {{confirm: true}}) {{ {REFUSED} ... on PasskeyOffered {{ token options }} }}
}}"""
ADD_PASSKEY = f"""mutation ($token: String!, $answer: String!, $name: String! = "Telephone") {{
  addPasskey(input: {{token: $token, answer: $answer, name: $name}}) {{
    {REFUSED} ... on SecondFactors {{ {FACTORS} }}
  }}
}}"""
REMOVE_PASSKEY = f"""mutation ($id: ID!) {{
  removePasskey(input: {{passkeyId: $id}}) {{ {REFUSED} ... on SecondFactors {{ {FACTORS} }} }}
}}"""
OFFER_SIGN_IN = """mutation {
  offerPasskeySignIn(input: {confirm: true}) { ... on PasskeyOffered { token options } }
}"""
BY_PASSKEY = f"""mutation ($token: String!, $answer: String!, $transport: TokenTransport! = BEARER) {{
  signInWithPasskey(input: {{token: $token, answer: $answer, portal: PLAYER, transport: $transport}}) {{
    {REFUSED} ... on SignedIn {{ {TOKENS} }}
  }}
}}"""
OFFER_STEP_UP = f"""mutation {{
  offerPasskeyStepUp(input: {{confirm: true}}) {{ {REFUSED} ... on PasskeyOffered {{ token options }} }}
}}"""
STEP_UP_BY_PASSKEY = f"""mutation ($token: String!, $answer: String!) {{
  stepUpWithPasskey(input: {{token: $token, answer: $answer}}) {{ {REFUSED} ... on SteppedUp {{ until }} }}
}}"""
LOOK_UP = """mutation ($person: UUID!) {
  lookUpRetained(input: {person: $person, reason: "A court asks."}) { __typename }
}"""


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database) as running:
        running.stage.passkeys = FakePasskeys()
        yield running


async def with_app(house: AccountsHouse, tokens: Any) -> tuple[App, list[str]]:
    """Set up an authenticator app, after a step-up by mail; it comes with the recovery codes."""
    await house.confirmed_by_mail(bearer(tokens))
    offer = await house.one(OFFER, bearer(tokens))
    app = App(house.stage, offer["secret"])
    return app, (await house.one(CONFIRM, bearer(tokens), code=app.code()))["codes"]


async def challenged(house: AccountsHouse, portal: str = "PLAYER") -> str:
    """Sign in as far as the question for the second factor; its challenge."""
    asked = await house.one(BEGIN, mail=ANI, password=PASSWORD, portal=portal)
    assert asked["__typename"] == "SecondFactorNeeded", asked
    return str(asked["challenge"])


def person_of(tokens: Any) -> PersonId:
    return PersonId(UUID(parsed(tokens["person"]["viewerId"])[1]))


async def test_an_app_is_set_up_asked_for_lost_and_replaced(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    nothing: dict[str, Any] = {"methods": [], "totpSince": None, "recoveryCodesLeft": 0, "passkeys": []}
    assert (await house.one(MINE, bearer(tokens)))["secondFactors"] == nothing
    for query in (OFFER, OFFER_PASSKEY):
        assert (await house.one(query, bearer(tokens)))["code"] == "STEP_UP_REQUIRED"
    await house.confirmed_by_mail(bearer(tokens))
    offer = await house.one(OFFER, bearer(tokens))
    assert offer["secret"] in offer["uri"]
    assert (await house.one(CONFIRM, bearer(tokens), code=WRONG))["code"] == "CODE_REFUSED"
    app, codes = await with_app(house, tokens)
    assert len(codes) == 10
    mine = (await house.one(MINE, bearer(tokens)))["secondFactors"]
    assert (mine["methods"], mine["recoveryCodesLeft"]) == (["TOTP", "RECOVERY_CODE"], 10)
    assert (await house.one(SIGN_OUT, bearer(tokens)))["__typename"] == "SessionsEnded"

    challenge = await challenged(house)
    assert (await house.one(ANSWER, challenge=challenge, code=app.code()))["code"] == "SIGN_IN_REFUSED", "used before"
    assert (await house.one(ANSWER, challenge=challenge, code=WRONG))["code"] == "SIGN_IN_REFUSED"
    tokens = await house.one(ANSWER, challenge=challenge, code=app.next())
    assert (await house.run(ME, bearer(tokens))).data["viewer"]["mail"] == ANI
    again = await house.one(ANSWER, challenge=challenge, code=app.next())
    assert (again["code"], again["message"]) == ("LINK_REFUSED", "This took too long. Sign in again.")
    await house.one(SIGN_OUT, bearer(tokens))

    tokens = await house.one(ANSWER, challenge=await challenged(house), code=codes[0])
    assert tokens["__typename"] == "SignedIn"
    for query in (OFFER, REMOVE, RENEW, OFFER_PASSKEY):
        assert (await house.one(query, bearer(tokens)))["code"] == "STEP_UP_REQUIRED"
    assert (await house.one(BY_MAIL, bearer(tokens)))["code"] == "SECOND_FACTOR_REQUIRED"
    assert (await house.one(STEP_UP, bearer(tokens), code=codes[0]))["code"] == "CODE_REFUSED"
    assert (await house.one(STEP_UP, bearer(tokens), code=codes[1]))["__typename"] == "SteppedUp"
    assert (await house.one(REMOVE, bearer(tokens))) == {"__typename": "SecondFactors", **nothing}
    newer, newer_codes = await with_app(house, tokens)
    assert not {*codes} & {*newer_codes}
    await house.stage.post()
    assert house.stage.subjects.count("SecondFactorChanged") == 5
    found = await house.one(ANSWER, challenge=await challenged(house), code=newer.next())
    assert found["__typename"] == "SignedIn"


async def test_tokens_of_a_second_step_travel_as_cookies_too(house: AccountsHouse) -> None:
    app, codes = await with_app(house, await house.signed_up())
    challenge = await challenged(house)
    bare = await house.run(ANSWER, challenge=challenge, code=app.next(), transport="COOKIE")
    assert bare.codes == ["BAD_INPUT"]
    reply = await house.run(ANSWER, ASKED, challenge=challenge, code=codes[0], transport="COOKIE")
    assert reply.data["answerSecondFactor"]["accessToken"] is None
    assert len(reply.headers.getall("Set-Cookie")) == 2  # type: ignore[attr-defined] # aiohttp's headers have it


async def test_wrong_codes_come_to_an_end(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    app, _ = await with_app(house, tokens)
    challenge = await challenged(house)
    for _ in range(5):
        assert (await house.one(ANSWER, challenge=challenge, code=WRONG))["code"] == "SIGN_IN_REFUSED"
    assert (await house.one(ANSWER, challenge=challenge, code=app.next()))["code"] == "LINK_REFUSED"
    for _ in range(10):
        assert (await house.one(STEP_UP, bearer(tokens), code=WRONG))["code"] == "CODE_REFUSED"
    assert (await house.one(STEP_UP, bearer(tokens), code=app.code()))["code"] == "RATE_LIMITED"
    for token in ("", "a" * 10_000, "ö\ud83d\ude00"):
        assert (await house.one(ANSWER, challenge=token, code=WRONG))["code"] == "LINK_REFUSED"
    assert (await house.run(ANSWER, challenge=challenge, code="1" * 3_000)).codes == ["BAD_INPUT"]


async def test_who_has_no_second_factor_confirms_by_a_letter(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    wanted = await house.one(BY_MAIL, bearer(tokens))
    assert wanted["__typename"] == "StepUpCodeOnItsWay"
    await house.stage.post()
    assert house.stage.subjects[-1] == "StepUpCode"
    assert (await house.one(STEP_UP, bearer(tokens), code="no code"))["code"] == "CODE_REFUSED"
    for refused in (await house.run(BY_MAIL), await house.run(STEP_UP, code=WRONG), await house.run(OFFER)):
        assert refused.codes == ["UNAUTHENTICATED"]


async def test_a_passkey_is_added_signs_in_confirms_and_goes(house: AccountsHouse) -> None:
    tokens, device = await house.signed_up(), Device()
    await house.confirmed_by_mail(bearer(tokens))
    offer = await house.one(OFFER_PASSKEY, bearer(tokens))
    answer = device.made(offer["options"])
    added = await house.one(ADD_PASSKEY, bearer(tokens), token=offer["token"], answer=answer)
    ((passkey,), methods) = added["passkeys"], added["methods"]
    assert (passkey["name"], passkey["lastUsedAt"], methods) == ("Telephone", None, ["PASSKEY"])
    again = await house.one(ADD_PASSKEY, bearer(tokens), token=offer["token"], answer=answer)
    assert again["code"] == "PASSKEY_REFUSED"

    offer = await house.one(OFFER_SIGN_IN)
    tokens = await house.one(BY_PASSKEY, token=offer["token"], answer=device.used(offer["options"]))
    assert tokens["__typename"] == "SignedIn"
    assert (await house.one(MINE, bearer(tokens)))["secondFactors"]["passkeys"][0]["lastUsedAt"] is not None
    again = await house.one(BY_PASSKEY, token=offer["token"], answer=device.used(offer["options"]))
    assert again["code"] == "PASSKEY_REFUSED"

    gone = await house.one(REMOVE_PASSKEY, bearer(tokens), id=passkey["id"])
    assert gone["code"] == "STEP_UP_REQUIRED"
    offer = await house.one(OFFER_STEP_UP, bearer(tokens))
    used = device.used(offer["options"])
    confirmed = await house.one(STEP_UP_BY_PASSKEY, bearer(tokens), token=offer["token"], answer=used)
    assert confirmed["__typename"] == "SteppedUp"

    stranger = await house.signed_up("budi@mail.example")
    await house.confirmed_by_mail(bearer(stranger))
    foreign = await house.one(REMOVE_PASSKEY, bearer(stranger), id=passkey["id"])
    assert foreign["code"] == "PASSKEY_REFUSED"
    assert (await house.run(REMOVE_PASSKEY, bearer(tokens), id=tokens["sessionId"])).codes == ["BAD_INPUT"]
    gone = await house.one(REMOVE_PASSKEY, bearer(tokens), id=passkey["id"])
    assert (gone["passkeys"], gone["methods"]) == ([], [])
    assert (await house.one(SIGN_IN, mail=ANI, password=PASSWORD))["__typename"] == "SignedIn"


async def test_staff_may_do_nothing_before_their_second_factor_and_keeps_it(house: AccountsHouse) -> None:
    person = person_of(await house.signed_up())
    async with house.stage.work() as work:
        await work.members.set_staff_role(person, StaffRole.SUPER_ADMIN, house.stage.clock())
    nobody = str(uuid7())
    tokens = await house.one(BEGIN, mail=ANI, password=PASSWORD, portal="ADMIN")
    assert tokens["__typename"] == "SignedIn"
    assert (await house.run(LOOK_UP, bearer(tokens), person=nobody)).codes == ["FORBIDDEN"]
    await house.confirmed_by_mail(bearer(tokens))
    assert (await house.run(LOOK_UP, bearer(tokens), person=nobody)).codes == ["FORBIDDEN"]

    app, codes = await with_app(house, tokens)
    house.ports.privacy = house.stage  # type: ignore[assignment] # as much of it as the look-up asks for
    found = await house.one(LOOK_UP, bearer(tokens), person=nobody)
    assert found["__typename"] == "UnknownPerson", "the code that confirmed the app is fresh, and proves enough"
    assert (await house.one(REMOVE, bearer(tokens)))["code"] == "SECOND_FACTOR_STAYS"

    tokens = await house.one(ANSWER, challenge=await challenged(house, portal="ADMIN"), code=app.next())
    found = await house.one(LOOK_UP, bearer(tokens), person=nobody)
    assert found["__typename"] == "StepUpRequired"
    assert (await house.one(STEP_UP, bearer(tokens), code=app.next()))["__typename"] == "SteppedUp"
    assert (await house.one(LOOK_UP, bearer(tokens), person=nobody))["__typename"] == "UnknownPerson"
    elsewhere = await house.one(ANSWER, challenge=await challenged(house), code=codes[0])
    assert (await house.run(LOOK_UP, bearer(elsewhere), person=nobody)).codes == ["FORBIDDEN"], "no admin portal"
