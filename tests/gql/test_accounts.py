"""Signing up, in and out over HTTP, with tokens in hand and in cookies, on a real database."""

import re
from collections.abc import AsyncIterator
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.mail.letters import WrittenLetters
from gql.identity.types import Session
from gql.node import global_id
from tests.accounts_house import (
    ANI,
    ASKED,
    CONFIRM,
    ME,
    NEW,
    PLAYERS,
    REFRESH,
    RESET,
    SIGN_IN,
    SIGN_OUT,
    SIGN_UP,
    AccountsHouse,
    bearer,
    running_accounts,
)
from tests.accounts_stage import PASSWORD, PlainWords
from tests.gql.house import Reply
from tests.waiting import eventually


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database) as running:
        yield running


def cookies_of(reply: Reply) -> dict[str, Any]:
    """The cookies that an answer sets, by name."""
    found = SimpleCookie()
    for header in reply.headers.getall("Set-Cookie", []):  # type: ignore[attr-defined] # aiohttp's headers have it
        found.load(header)
    return dict(found)


def sent(cookies: dict[str, Any]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={each.value}" for name, each in cookies.items() if each.value)}


async def step_up_by_mail(house: AccountsHouse, tokens: Any) -> None:
    """Confirm with the code of a letter as it is really written."""
    wanted = "mutation { requestStepUpCode(input: {confirm: true}) { __typename } }"
    house.stage.wording = WrittenLetters()
    assert await house.one(wanted, bearer(tokens)) == {"__typename": "StepUpCodeOnItsWay"}
    await house.stage.post()
    house.stage.wording = PlainWords()
    (code,) = re.findall(r"\b\d{6}\b", house.stage.mailer.letters[-1].text)
    given = "mutation ($code: String!) { stepUp(input: {code: $code}) { __typename } }"
    assert await house.one(given, bearer(tokens), code=code) == {"__typename": "SteppedUp"}


async def is_refused(house: AccountsHouse, tokens: Any) -> bool:
    """Servers hear of the end of a session a moment later."""
    return (await house.run(ME, bearer(tokens))).status == 401


async def test_one_signs_up_looks_around_and_out(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    viewer = (await house.run(ME, bearer(tokens))).data["viewer"]
    assert (viewer["name"], viewer["mail"], viewer["mailVerified"]) == ("Ani", ANI, True)
    assert viewer["id"] == tokens["person"]["viewerId"]
    (session,) = viewer["sessions"]
    assert (session["id"], session["current"], session["device"]) == (tokens["sessionId"], True, "a browser")
    assert (session["place"], session["portal"], session["impersonated"]) == ("127.0.0.1", "PLAYER", False)
    assert (await house.one(SIGN_OUT, bearer(tokens)))["__typename"] == "SessionsEnded"
    await eventually(partial(is_refused, house, tokens))
    assert (await house.one(REFRESH, token=tokens["refreshToken"]))["code"] == "SESSION_ENDED"


async def test_what_is_refused_says_so_and_no_more(house: AccountsHouse) -> None:
    await house.signed_up()
    assert await house.one(SIGN_UP, mail=ANI, password="short") == {
        "__typename": "PasswordTooShort", "code": "PASSWORD_TOO_SHORT",
    }  # fmt: skip
    answers = [await house.run(SIGN_IN, mail=mail, password=NEW) for mail in (ANI, "budi@mail.example")]
    assert answers[0].text == answers[1].text
    assert answers[0].data["signIn"]["code"] == "SIGN_IN_REFUSED"
    answers = [await house.run(SIGN_UP, mail=mail, password=NEW) for mail in (ANI, "eni@mail.example")]
    assert answers[0].text.replace(ANI, "eni@mail.example") == answers[1].text
    for _ in range(4):
        await house.one(SIGN_IN, mail=ANI, password=NEW)
    refused = await house.one(SIGN_IN, mail=ANI, password=PASSWORD)
    assert refused["code"] == "RATE_LIMITED"
    assert refused["retryAfterS"] > 0
    for token in ("", "a" * 10_000, "ö\ud83d\ude00"):
        assert (await house.one(CONFIRM, token=token))["code"] == "LINK_REFUSED"
        assert (await house.one(REFRESH, token=token or "-"))["code"] == "SESSION_ENDED"
    assert (await house.run(SIGN_IN, mail=ANI, password="a" * 3_000)).codes == ["BAD_INPUT"]


async def test_a_link_alone_confirms_no_sign_up_of_somebody_else(house: AccountsHouse) -> None:
    assert (await house.one(SIGN_UP, mail=ANI, password=NEW))["__typename"] == "MailOnItsWay"
    await house.stage.post()
    token = house.stage.token("ConfirmSignUp")
    codes = [(await house.one(CONFIRM, token=token, password=PASSWORD))["code"] for _ in range(6)]
    assert codes == ["SIGN_IN_REFUSED"] * 5 + ["LINK_REFUSED"]
    assert (await house.run(CONFIRM, token=token, password="a" * 3_000)).codes == ["BAD_INPUT"]
    assert await house.stage.count("person") == 0
    tokens = await house.signed_up()
    assert (await house.run(ME, bearer(tokens))).data["viewer"]["mail"] == ANI


async def test_who_forgot_the_password_gets_in_by_the_link(house: AccountsHouse) -> None:
    old = await house.signed_up()
    ask = """mutation ($mail: String!) {
      requestPasswordReset(input: {mail: $mail}) { __typename ... on MailOnItsWay { mail } }
    }"""
    for mail in (ANI, "budi@mail.example"):
        assert await house.one(ask, mail=mail) == {"__typename": "MailOnItsWay", "mail": mail}
    await house.stage.post()
    tokens = await house.one(RESET, token=house.stage.token("ResetPassword"), password=NEW)
    assert tokens["__typename"] == "SignedIn"
    await eventually(partial(is_refused, house, old))
    assert len((await house.run(ME, bearer(tokens))).data["viewer"]["sessions"]) == 1


async def test_password_and_address_are_changed_by_who_is_signed_in(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    other = await house.one(SIGN_IN, mail=ANI, password=PASSWORD)
    change = """mutation ($old: String!, $new: String!) {
      changePassword(input: {oldPassword: $old, newPassword: $new}) {
        ... on PasswordChanged { endedSessions } ... on Refusal { code }
      }
    }"""
    assert (await house.run(change, old=PASSWORD, new=NEW)).codes == ["UNAUTHENTICATED"]
    assert await house.one(change, bearer(tokens), old=NEW, new=NEW) == {"code": "SIGN_IN_REFUSED"}
    assert await house.one(change, bearer(tokens), old=PASSWORD, new=NEW) == {"endedSessions": 1}
    await eventually(partial(is_refused, house, other))
    move = """mutation { requestMailChange(input: {mail: "Budi@mail.example"}) {
      ... on MailOnItsWay { mail } ... on Refusal { code }
    } }"""
    assert await house.one(move, bearer(tokens)) == {"code": "STEP_UP_REQUIRED"}
    await step_up_by_mail(house, tokens)
    assert await house.one(move, bearer(tokens)) == {"mail": "Budi@mail.example"}
    await house.stage.post()
    confirm = "mutation ($token: String!) { confirmMail(input: {token: $token}) { ... on MailConfirmed { mail } } }"
    link = house.stage.token("VerifyAddress")
    assert (await house.run(confirm, token=link)).codes == ["UNAUTHENTICATED"]
    assert await house.one(confirm, bearer(tokens), token=link) == {"mail": "Budi@mail.example"}
    assert (await house.run(ME, bearer(tokens))).data["viewer"]["mail"] == "Budi@mail.example"


async def test_sessions_are_ended_one_by_one_and_all_and_only_ones_own(house: AccountsHouse) -> None:
    tokens, stranger = await house.signed_up(), await house.signed_up("budi@mail.example")
    others = [await house.one(SIGN_IN, mail=ANI, password=PASSWORD) for _ in range(3)]
    end = """mutation ($id: ID!) {
      endSession(input: {sessionId: $id}) { __typename ... on SessionsEnded { ended } ... on Refusal { code } }
    }"""
    absent = {"__typename": "SessionEnded", "code": "SESSION_ENDED"}
    foreign = await house.one(end, bearer(stranger), id=tokens["sessionId"])
    unknown = await house.one(end, bearer(stranger), id=global_id(Session.kind, "0192f0c8-5d2a-7c11-9d5e-6b6f3a3c2b10"))
    assert foreign == unknown == absent
    assert (await house.one(end, bearer(tokens), id=others[0]["sessionId"]))["ended"] == 1
    assert await house.one(end, bearer(tokens), id=others[0]["sessionId"]) == absent
    node = "query ($id: ID!) { node(id: $id) { id ... on Session { current } } }"
    assert await house.one(node, bearer(tokens), id=others[1]["sessionId"]) == {
        "id": others[1]["sessionId"], "current": False,
    }  # fmt: skip
    assert await house.one(node, bearer(stranger), id=others[1]["sessionId"]) is None
    rest = "mutation ($too: Boolean!) { endOtherSessions(input: {thisToo: $too}) { ... on SessionsEnded { ended } } }"
    assert await house.one(rest, bearer(tokens), too=False) == {"ended": 2}
    assert len((await house.run(ME, bearer(tokens))).data["viewer"]["sessions"]) == 1
    assert await house.one(rest, bearer(tokens), too=True) == {"ended": 1}
    await eventually(partial(is_refused, house, tokens))


async def test_a_refresh_token_gives_the_next_and_a_stolen_one_ends_all(house: AccountsHouse) -> None:
    first = await house.signed_up()
    second = await house.one(REFRESH, token=first["refreshToken"])
    assert second["sessionId"] == first["sessionId"]
    assert (await house.one(REFRESH, token=first["refreshToken"]))["refreshToken"] == second["refreshToken"]
    house.stage.turn(seconds=11)
    assert (await house.one(REFRESH, token=first["refreshToken"]))["code"] == "SESSION_ENDED"
    assert (await house.one(REFRESH, token=second["refreshToken"]))["code"] == "SESSION_ENDED"


class TestCookies:
    async def signed_in(self, house: AccountsHouse) -> tuple[Reply, dict[str, Any]]:
        await house.signed_up()
        reply = await house.run(SIGN_IN, ASKED, mail=ANI, password=PASSWORD, transport="COOKIE")
        return reply, cookies_of(reply)

    async def test_tokens_are_where_no_script_reads_them(self, house: AccountsHouse) -> None:
        reply, cookies = await self.signed_in(house)
        assert reply.data["signIn"]["accessToken"] is reply.data["signIn"]["refreshToken"] is None
        assert list(cookies) == ["__Host-gametriggers-player-access", "__Host-gametriggers-player-refresh"]
        for cookie in cookies.values():
            assert cookie["secure"] is cookie["httponly"] is True
            assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
            assert cookie.value not in reply.text
        assert [int(each["max-age"]) for each in cookies.values()] == pytest.approx([900, 7 * 86_400], abs=2)
        assert (await house.run(ME, {**ASKED, **sent(cookies)})).data["viewer"]["mail"] == ANI

    @pytest.mark.parametrize("query", [ME, SIGN_OUT, REFRESH, "{ __typename }"])
    async def test_nothing_is_done_by_cookie_that_another_sites_page_could_have_sent(
        self, house: AccountsHouse, query: str
    ) -> None:
        _, cookies = await self.signed_in(house)
        for which in (cookies, {"__Host-gametriggers-player-refresh": cookies["__Host-gametriggers-player-refresh"]}):
            reply = await house.run(query, {"Origin": PLAYERS, **sent(which)})
            assert (reply.status, reply.codes) == (403, ["BAD_INPUT"])
            assert not cookies_of(reply)
        assert (await house.run(ME, {**ASKED, **sent(cookies)})).status == 200

    async def test_they_are_refreshed_and_forgotten(self, house: AccountsHouse) -> None:
        _, cookies = await self.signed_in(house)
        refreshed = await house.run(REFRESH, {**ASKED, **sent(cookies)}, transport="COOKIE")
        newer = cookies_of(refreshed)
        assert newer["__Host-gametriggers-player-refresh"].value != cookies["__Host-gametriggers-player-refresh"].value
        assert refreshed.data["refreshSession"]["refreshToken"] is None
        out = await house.run(SIGN_OUT, {**ASKED, **sent(newer)})
        assert out.data["signOut"]["__typename"] == "SessionsEnded"
        assert [(each.value, each["max-age"]) for each in cookies_of(out).values()] == [("", "0")] * 2

        async def are_refused() -> bool:
            return (await house.run(ME, {**ASKED, **sent(newer)})).codes == ["UNAUTHENTICATED"]

        await eventually(are_refused)

    async def test_old_ones_stand_in_nobodys_way(self, house: AccountsHouse) -> None:
        _, cookies = await self.signed_in(house)
        await house.run(SIGN_OUT, {**ASKED, **sent(cookies)})
        again = await house.run(SIGN_IN, {**ASKED, **sent(cookies)}, mail=ANI, password=PASSWORD, transport="COOKIE")
        assert again.data["signIn"]["__typename"] == "SignedIn"
        over = await house.run(REFRESH, {**ASKED, **sent(cookies)}, transport="COOKIE")
        assert over.data["refreshSession"]["code"] == "SESSION_ENDED"
        assert [each.value for each in cookies_of(over).values()] == ["", ""]

    async def test_without_asking_first_no_cookie_is_set(self, house: AccountsHouse) -> None:
        await house.signed_up()
        reply = await house.run(SIGN_IN, {"Origin": PLAYERS}, mail=ANI, password=PASSWORD, transport="COOKIE")
        assert reply.codes == ["BAD_INPUT"]
        assert await house.stage.count("session") == 1

    async def test_a_bearer_token_goes_before(self, house: AccountsHouse) -> None:
        _, cookies = await self.signed_in(house)
        other = await house.signed_up("budi@mail.example")
        reply = await house.run(ME, {**ASKED, **bearer(other), **sent(cookies)})
        assert reply.data["viewer"]["mail"] == "budi@mail.example"

    async def test_a_page_subscribes_by_cookie(self, house: AccountsHouse) -> None:
        _, cookies = await self.signed_in(house)
        connect = partial(house.client.ws_connect, house.url + "/graphql", protocols=["graphql-transport-ws"])
        async with connect(headers={**sent(cookies), "Origin": PLAYERS}) as socket:
            await socket.send_json({"type": "connection_init"})
            assert (await socket.receive_json())["type"] == "connection_ack"
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { mail } }"}})
            assert (await socket.receive_json())["payload"]["data"] == {"viewer": {"mail": ANI}}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(headers={**sent(cookies), "Origin": "https://elsewhere.example"})
        assert refused.value.status == 403


async def test_what_follows_in_the_request_that_signs_out_is_done_by_nobody(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    both = """mutation ($session: ID!) {
      a: endSession(input: {sessionId: $session}) { __typename }
      b: requestStepUpCode(input: {confirm: true}) { __typename }
    }"""
    reply = await house.run(both, bearer(tokens), session=tokens["sessionId"])
    assert reply.codes == ["UNAUTHENTICATED"]
    assert await house.stage.count("ticket", "purpose = 'step_up_code'") == 0
    assert await house.stage.count("session", "ended_at is null") == 0


async def test_what_goes_before_in_the_request_is_done_by_who_asks_and_so_is_what_follows(house: AccountsHouse) -> None:
    tokens = await house.signed_up()
    twice = """mutation {
      a: endOtherSessions(input: {thisToo: false}) { __typename }
      b: requestStepUpCode(input: {confirm: true}) { __typename }
    }"""
    found = (await house.run(twice, bearer(tokens))).data
    assert (found["a"]["__typename"], found["b"]["__typename"]) == ("SessionsEnded", "StepUpCodeOnItsWay")
