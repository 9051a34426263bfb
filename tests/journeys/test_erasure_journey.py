"""A person with values that nobody else has lives, takes their data along and goes: afterwards nothing of them is left.

Every table of the application's database is read whole, and every line that was logged.
"""

import io
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import aiohttp
import asyncpg
import pytest
import structlog

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.tokens import Tokens
from adapters.postgres.audit import audit
from adapters.postgres.seal import Sealer
from adapters.vault.envelope import UnreadableError
from domain.actor import Actor
from domain.clock import system_clock
from domain.identity.exports import make_exports
from domain.identity.factor_stores import KeptPasskey
from domain.identity.mail_requests import SIGN_UP_FIELD
from domain.identity.merging import ask_to_merge
from domain.identity.model import MergeRequest
from domain.identity.shredding import RETAINED, erase_due, shred_again
from domain.identity.staff import Done, ban, lift_ban
from domain.ids import PersonId, derived, uuid7
from domain.rights import Permission
from domain.vault import PLATFORM, Sealed
from tests.accounts_house import CONFIRM, AccountPorts, AccountsHouse, bearer
from tests.accounts_stage import PASSWORD
from tests.gql.house import served, settings_for
from tests.people import enroll
from tests.privacy_stage import SEAL_KEY, PrivacyStage, all_that_is_written, staged_privacy, table
from tests.waiting import eventually

MAIL = "zebulon.quartermain@distinctive.example"
NAME = "Zebulon Quartermain"
SUBJECT = "google-subject-118999881999119725"
ADDRESS = "203.0.113.77"
DEVICE = "DistinctiveBrowser/7.3"
PASSKEY = "Zebulon's purple key"
REASON = "Quartermain shouted"
DISTINCT = (
    MAIL, MAIL.partition("@")[0], "distinctive.example", "Zebulon", "Quartermain", SUBJECT, ADDRESS,
    "DistinctiveBrowser", "purple key", "shouted",
)  # fmt: skip
HEADERS = {"User-Agent": DEVICE, "X-Forwarded-For": ADDRESS}

SIGN_UP = """mutation ($mail: String!, $name: String!, $password: String!) {
  signUp(input: {mail: $mail, name: $name, password: $password, locale: ENGLISH}) { __typename }
}"""
CONSENT = """mutation ($purpose: ConsentPurpose!) {
  giveConsent(input: {purpose: $purpose, version: "1"}) {
    ... on Consent { given version versionInForce at } ... on Refusal { code }
  }
}"""
WITHDRAW = """mutation ($purpose: ConsentPurpose!) {
  withdrawConsent(input: {purpose: $purpose}) { ... on Consent { given } ... on Refusal { code } }
}"""
EXPORT = """mutation ($sure: Boolean! = true) {
  exportMyData(input: {confirm: $sure}) { ... on PersonalExport { state } ... on Refusal { code } }
}"""
OUTLOOK = "at retainedUntil reasons obstacles"
ERASE = f"""mutation {{ eraseMe(input: {{confirm: true}}) {{
  __typename ... on Erasure {{ {OUTLOOK} }} ... on Refusal {{ code message }}
}} }}"""
KEEP = "mutation { keepMe(input: {confirm: true}) { __typename ... on AccountKept { at } ... on Refusal { code } } }"
VIEWER = f"""{{ viewer {{
  consents {{ purpose given version versionInForce at }}
  consentHistory(first: 1) {{ edges {{ cursor node {{ purpose given }} }} pageInfo {{ hasNextPage endCursor }} }}
  personalExport {{ state askedAt readyAt expiresAt }}
  erasure {{ {OUTLOOK} }}
}} }}"""


class PrivacyHouse(AccountsHouse):
    """The application over people's privacy on a real database."""

    stage: PrivacyStage

    async def fetch(self, token: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
        async with self.client.request(method, f"{self.url}/exports/{token}", headers=HEADERS) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    async def settle(self) -> None:
        """What the schedule does, twice."""
        for _ in range(2):
            for swept in (await make_exports(self.stage, self.stage.clock()), await self.stage.post()):
                assert swept.failed == []
            assert (await erase_due(self.stage, self.stage.clock())).failed == []


@asynccontextmanager
async def running_privacy(folder: Path, database: DatabaseAddresses) -> AsyncIterator[PrivacyHouse]:
    settings = settings_for(folder, "production", trusted_proxies=1)
    async with staged_privacy(database) as stage, stage.standings.running():
        tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        stage.access_tokens = tokens
        ports = AccountPorts(stage, folder / "files")
        ports.privacy = stage
        async with (
            served(settings, partial(_connected, ports)) as url,
            aiohttp.ClientSession() as client,
        ):
            house = PrivacyHouse(ports, tokens, url, client)
            house.stage = stage
            yield house


@asynccontextmanager
async def _connected(ports: AccountPorts, _: Any) -> AsyncIterator[AccountPorts]:
    yield ports


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[PrivacyHouse]:
    async with running_privacy(tmp_path, database) as running:
        yield running


async def zebulon(house: PrivacyHouse) -> tuple[Actor, dict[str, str]]:
    """Signs up, agrees, links, is banned and let in again: leaves traces wherever one can."""
    stage = house.stage
    await house.run(SIGN_UP, HEADERS, mail=MAIL, name=NAME, password=PASSWORD)
    await stage.post()
    tokens = await house.one(CONFIRM, HEADERS, token=stage.token("ConfirmSignUp"))
    headers = {**HEADERS, **bearer(tokens)}
    person = PersonId(await _uuid(stage, "select id from person"))
    for purpose in ("TERMS", "MARKETING_MAIL"):
        assert (await house.one(CONSENT, headers, purpose=purpose))["given"]
    async with stage.work() as work:
        sealed = await stage.vault.seal(person, "subject", SUBJECT)
        assert await work.people.add_identity(uuid7(), person, "google", stage.vault.index("google", SUBJECT), sealed)
        name = await stage.vault.seal(person, "passkey_name", PASSKEY)
        assert await work.second_factors.add_passkey(
            KeptPasskey(b"credential", person, b"key", 0, name, stage.clock(), None)
        )
        await work.second_factors.offer_totp(person, await stage.vault.seal(person, "totp", "Zebulon's secret"))
    boss = (await enroll(stage.database.pool)).person
    await stage.vault.create_key(boss)
    staff = Actor(
        boss, permissions=frozenset({Permission.MANAGE_USERS}), stepped_up_until=stage.clock().replace(year=2099)
    )
    assert await ban(stage, staff, person, REASON) == Done()
    assert await lift_ban(stage, staff, person, f"not so: {REASON}") == Done()
    for survivor, merged in ((person, boss), (boss, person)):
        assert isinstance(await ask_to_merge(stage, staff, survivor, merged, f"both: {REASON}"), MergeRequest)
    await house.one(SIGN_UP, HEADERS, mail=MAIL, name=NAME, password=PASSWORD)
    await stage.post()
    # The ban has ended that session, and this is another.
    sign_in = """mutation ($mail: String!, $password: String!) {
      signIn(input: {mail: $mail, password: $password, portal: PLAYER}) { ... on SignedIn { accessToken } }
    }"""
    async with stage.work() as work:
        await work.second_factors.remove_passkey(person, b"credential")
    tokens = await house.one(sign_in, HEADERS, mail=MAIL, password=PASSWORD)
    async with stage.work() as work:
        await work.second_factors.add_passkey(KeptPasskey(b"credential", person, b"key", 0, name, stage.clock(), None))
    return Actor(person), {**HEADERS, **bearer(tokens)}


async def _uuid(stage: PrivacyStage, query: str) -> Any:
    return await stage.value(query)


async def verified(house: PrivacyHouse, database: DatabaseAddresses) -> None:
    """The ledger balances, and the chain over it and the audit log is whole."""
    async with house.stage.database.direct() as connection:
        sealer = Sealer(connection, SEAL_KEY, system_clock)
        unsealed = (
            "select exists (select from deed where position > (select coalesce(max(last_position), 0) from seal))"
        )

        async def sealed() -> bool:
            await sealer.seal_all()
            return not await connection.fetchval(unsealed)

        assert await eventually(sealed)
        report = await audit(connection, SEAL_KEY)
    assert report.findings == []
    verification = await house.stage.audit_log.verify()
    assert (verification.intact, verification.unsealed) == (True, 0)


async def every_seal(addresses: DatabaseAddresses) -> list[bytes]:
    """Every value of bytes in the application's tables."""
    connection = await asyncpg.connect(addresses.superuser_url)
    try:
        columns = await connection.fetch(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'public' and data_type = 'bytea' and table_name <> 'data_key'"
        )
        found: list[bytes] = []
        for table_, column in columns:
            rows = await connection.fetch(f'select "{column}" from "{table_}" where "{column}" is not null')
            found += [row[0] for row in rows]
        return found
    finally:
        await connection.close()


FIELDS = (
    "name", "mail", "subject", "origin", "totp", "passkey_name", "letter", "deed.detail", "deed.origin", "reason",
    "merge_reason",
)  # fmt: skip


@pytest.mark.parametrize("paid", [False, True], ids=["no money ever", "money once"])
async def test_nothing_is_left_of_who_is_erased(
    house: PrivacyHouse, database: DatabaseAddresses, caplog: pytest.LogCaptureFixture, *, paid: bool
) -> None:
    stage = house.stage
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        me, headers = await zebulon(house)
        if paid:
            await stage.pay(me.owner, 50)
            await stage.pay(me.owner, -50)
        assert await house.one(EXPORT, headers) == {"state": "REQUESTED"}
        await house.settle()
        token = stage.token("ExportReady")
        status, content, told = await house.fetch(token)
        assert (status, told["Content-Type"], told["Cache-Control"]) == (200, "application/zip", "no-store")
        whole = ZipFile(io.BytesIO(content))
        (profile,) = table(whole, "profile")
        assert (profile["name"], profile["mail"]) == (NAME, MAIL)
        assert {session["address"] for session in table(whole, "sessions")} == {ADDRESS}
        assert PASSKEY in {factor["name"] for factor in table(whole, "second_factors")}
        assert SUBJECT in {identity["subject"] for identity in table(whole, "identities")}
        assert "shouted" not in whole.read("deeds.json").decode()
        assert await house.one(EXPORT, headers) == {"state": "REQUESTED"}
        await house.settle()
        left_behind = await every_seal(database)

        answered = await house.one(ERASE, headers)
        assert answered["__typename"] == "Erasure"
        assert (answered["retainedUntil"] is not None, answered["reasons"]) == (
            paid, ["TAX", "MONEY_LAUNDERING"] if paid else [],
        )  # fmt: skip
        await house.settle()
        stage.turn(days=14)
        await house.settle()
        await house.settle()
        assert stage.subjects[-1] == ("ErasureDoneInPart" if paid else "ErasureDone")
        assert await stage.value("select status from person where id = $1", me.person) == "erased"
        assert (await house.run(VIEWER, headers)).status == 401
        assert (await house.fetch(stage.token("ExportReady")))[0] == 404
        if paid:
            custodian = PersonId(derived("retained", str(me.person)))
            body = await stage.database.pool.fetchval("select body from retained_record")
            (kept,) = await stage.vault.open([Sealed(custodian, RETAINED, body)])
            assert json.loads(kept or "{}")["mail"] == MAIL
            stage.turn(days=3653)
            await shred_again(stage, stage.clock())
            assert await stage.vault.open([Sealed(custodian, RETAINED, body)]) == [None]

    written = await all_that_is_written(database)
    # The server's own lines about requests go nowhere in earnest; the test's log alone listens to them.
    spoken = [record.getMessage() for record in caplog.records if record.name != "uvicorn.access"]
    told_lines = "\n".join([*map(str, logged), *spoken])
    assert token not in told_lines
    assert "request" in told_lines
    for value in DISTINCT:
        assert value.lower() not in written.lower(), value
        assert value.lower() not in told_lines.lower(), value
    for content in left_behind + await every_seal(database):
        opened = await stage.vault.open([Sealed(me.person, field, content) for field in FIELDS])
        assert set(opened) == {None}
    for content in await every_seal(database):
        for field in (SIGN_UP_FIELD, "letter"):
            with pytest.raises(UnreadableError):
                await stage.vault.open([Sealed(PLATFORM, field, content)])
    assert await stage.count("merge_request", "reason is not null") == 0
    await verified(house, database)
    balances = await stage.books.trial_balance()
    assert sum(posted for _, posted in balances) == 0


async def test_the_values_would_be_found_before(house: PrivacyHouse, database: DatabaseAddresses) -> None:
    """So that the search above is known to find: before the erasure the vault opens every one of them."""
    me, _ = await zebulon(house)
    opened: list[str] = []
    for content in await every_seal(database):
        for field in FIELDS:
            with suppress(UnreadableError):  # most seals are another field's
                opened += [text for text in await house.stage.vault.open([Sealed(me.person, field, content)]) if text]
    everything = "\n".join(opened)
    for value in DISTINCT:
        assert value in everything, value
    assert str(me.person) in await all_that_is_written(database)


async def test_one_says_sees_and_changes_ones_mind_over_http(house: PrivacyHouse) -> None:
    stage, asking = house.stage, "UNAUTHENTICATED"
    for query, given in ((CONSENT, {"purpose": "TERMS"}), (EXPORT, {}), (ERASE, {}), (KEEP, {})):
        assert (await house.run(query, HEADERS, **given)).codes == [asking]
    tokens = await house.signed_up()
    headers = bearer(tokens)
    viewer = (await house.run(VIEWER, headers)).data["viewer"]
    assert [consent["given"] for consent in viewer["consents"]] == [False] * 4
    assert (viewer["personalExport"], viewer["erasure"]) == (None, None)
    assert (await house.one(CONSENT, headers, purpose="PROFILING"))["version"] == "1"
    assert await house.one(WITHDRAW, headers, purpose="PROFILING") == {"given": False}
    assert await house.one(WITHDRAW, headers, purpose="TERMS") == {"code": "CONSENT_LASTS"}
    assert await house.one(CONSENT.replace('"1"', '"0"'), headers, purpose="TERMS") == {"code": "DOCUMENT_CHANGED"}
    assert (await house.run(EXPORT, headers, sure=False)).codes == ["BAD_INPUT"]
    assert await house.one(KEEP, headers) == {"__typename": "NoErasure", "code": "NO_ERASURE"}
    scheduled = await house.one(ERASE, headers)
    assert scheduled == {
        "__typename": "Erasure", "at": scheduled["at"], "retainedUntil": None, "reasons": [], "obstacles": [],
    }  # fmt: skip
    await house.one(EXPORT, headers)
    await house.settle()
    viewer = (await house.run(VIEWER, headers)).data["viewer"]
    assert viewer["personalExport"]["state"] == "READY"
    assert viewer["erasure"]["at"] == scheduled["at"]
    history = viewer["consentHistory"]
    assert (history["edges"][0]["node"], history["pageInfo"]["hasNextPage"]) == (
        {"purpose": "PROFILING", "given": False}, True,
    )  # fmt: skip
    assert (await house.one(KEEP, headers))["__typename"] == "AccountKept"
    assert (await house.run(VIEWER, headers)).data["viewer"]["erasure"] is None
    stage.turn(minutes=16)
    assert (await house.one(ERASE, headers))["code"] == "FRESH_SIGN_IN_REQUIRED"


async def test_a_link_is_used_up_by_who_fetches_and_not_by_who_only_looks(house: PrivacyHouse) -> None:
    tokens = await house.signed_up()
    await house.one(EXPORT, bearer(tokens))
    await house.settle()
    token = house.stage.token("ExportReady")
    assert "/download-export#" in house.stage.mailer.letters[-1].text
    assert (await house.fetch(token, "HEAD"))[0] == 405
    assert (await house.fetch("never-ours"))[:2] == (await house.fetch("x" * 5000))[:2]
    status, content, told = await house.fetch(token)
    assert (status, int(told["Content-Length"])) == (200, len(content))
    assert "attachment" in told["Content-Disposition"]
    status, text, _ = await house.fetch(token)
    assert (status, text) == (404, (await house.fetch("never-ours"))[1])
