"""Trusted documents: what clients of ours may ask in production, by its id or its very text, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from domain.actor import Actor
from domain.errors import UnavailableError
from domain.identity.model import Portal
from domain.rights import Permission, StaffRole
from gql.document_files import IN_COMMON, SHIPPED, Rules, trust_of
from gql.limits import Limits
from gql.node import global_id
from gql.schema import build_schema
from gql.trusted import LOOK_AGAIN_S, Client, Trust, TrustedDocument, UntrustedError, document_id
from tests.fakes import somebody
from tests.gql.events import streaming
from tests.gql.house import RESPONSE, House, Reply, documents_for_all, one_schema_for_all, running_house
from tests.people import session_of

BRANDS = "https://brands.example"
PLAYERS = "https://players.example"
ORIGINS = f"brand={BRANDS},player={PLAYERS}"
INTROSPECTION = "{ __schema { queryType { name } } __typename }"


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[House]:
    """The application as in production, where nothing but trusted documents is carried out."""
    async with running_house(tmp_path, untrusted_documents="refuse", portal_origins=ORIGINS) as running:
        yield running


def shipped(client: Client, name: str) -> str:
    """The text of a shipped document."""
    documents = documents_for_all(Rules(one_schema_for_all().core, Limits()))
    (found,) = [
        each.text
        for each in documents
        if client in each.clients and f" {name}" in each.text.split("(")[0].split("{")[0]
    ]
    return found


WALLETS = shipped(Client.PLAYER, "Wallets")
PEOPLE = shipped(Client.ADMIN, "FindPeople")
SIGN_OUT = shipped(Client.BRAND, "SignOut")


def signed_in(house: House, portal: Portal = Portal.PLAYER) -> Actor:
    me = somebody()
    house.ports.standings.begin(session_of(me.person, portal=portal))
    return me


async def by_id(house: House, id_: str, actor: Actor | None = None, **more: Any) -> Reply:
    headers = {**house.headers(actor), **more.pop("headers", {})}
    return await house.request("POST", json={"documentId": id_, **more}, headers=headers)


def refusal(reply: Reply) -> str:
    assert reply.codes == ["BAD_INPUT"], reply.text
    assert "data" not in reply.body
    return str(reply.body["errors"][0]["message"])


async def test_a_document_is_asked_for_by_its_id(strict: House) -> None:
    me = signed_in(strict)
    assert (await by_id(strict, document_id(WALLETS), me)).data["viewer"]["wallets"] == []


async def test_a_document_is_asked_for_by_its_id_in_an_address(strict: House) -> None:
    me = signed_in(strict)
    asked = {"documentId": document_id(WALLETS), "operationName": "Wallets"}
    assert (await strict.request("GET", params=asked, headers=strict.headers(me))).data["viewer"]["id"]
    changing = {"documentId": document_id(SIGN_OUT), "variables": '{"input": {}}'}
    assert (await strict.request("GET", params=changing)).status == 405


async def test_the_very_text_of_a_document_is_as_good_as_its_id(strict: House) -> None:
    me = signed_in(strict)
    assert (await strict.ask(WALLETS, me)).data["viewer"]["id"]
    assert "trusted" in refusal(await strict.ask(f"{WALLETS} ", me))


@pytest.mark.parametrize("actor", [None, Portal.BRAND, Portal.STREAMER, Portal.PLAYER, Portal.ADMIN])
async def test_nothing_else_is_carried_out_whoever_asks(strict: House, actor: Portal | None) -> None:
    me = signed_in(strict, actor) if actor else None
    for text in ("{ viewer { id } }", "{ __typename }", INTROSPECTION, "not even a document"):
        assert "trusted" in refusal(await strict.ask(text, me))


async def test_staff_look_at_the_schema_and_at_nothing_else(strict: House) -> None:
    me = somebody()
    role = {"staff_role": StaffRole.SUPPORT, "permissions": frozenset({Permission.MANAGE_USERS})}
    strict.ports.standings.begin(session_of(me.person, Portal.ADMIN), networks=("127.0.0.0/8",), **role)
    assert (await strict.ask(INTROSPECTION, me)).data["__schema"]["queryType"] == {"name": "Query"}
    for text in ("{ viewer { id } }", "{ __typename viewer { id } }", "{ ...X } fragment X on Query { viewer { id } }"):
        assert "trusted" in refusal(await strict.ask(text, me))


async def test_a_document_of_one_client_is_no_other_clients(strict: House) -> None:
    player, streamer = signed_in(strict), signed_in(strict, Portal.STREAMER)
    assert "another client's" in refusal(await by_id(strict, document_id(PEOPLE), player))
    assert "another client's" in refusal(await strict.ask(PEOPLE, player))
    overlay = document_id(shipped(Client.OVERLAY, "OverlayWallet"))
    assert "another client's" in refusal(await by_id(strict, overlay, player))
    assert "does not come this way" in refusal(await by_id(strict, overlay, streamer, variables={"walletId": "x"}))


async def test_where_nobody_is_signed_in_the_page_says_whose_document_it_may_be(strict: House) -> None:
    def asked(origin: str) -> dict[str, str]:
        return {"Origin": origin, "GraphQL-Require-Preflight": "1"}

    assert (await by_id(strict, document_id(WALLETS), headers=asked(BRANDS))).codes == ["UNAUTHENTICATED"]
    assert (await by_id(strict, document_id(PEOPLE), variables={"search": {}})).codes == ["UNAUTHENTICATED"]
    assert "another client's" in refusal(await by_id(strict, document_id(PEOPLE), headers=asked(PLAYERS)))


async def test_a_document_over_a_socket(strict: House) -> None:
    me = signed_in(strict)
    async with strict.conversation(me) as socket:
        payload: dict[str, Any] = {"documentId": document_id(WALLETS)}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        assert (await socket.data("1"))["viewer"]["id"]
        assert await socket.next() == {"id": "1", "type": "complete"}
        for id_, wrong in (("2", {"query": "{ __typename }"}), ("3", {"documentId": "sha256:0"})):
            await socket.send({"id": id_, "type": "subscribe", "payload": wrong})
            message = await socket.next()
            assert (message["type"], message["id"]) == ("error", id_)
            assert message["payload"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_a_stream_of_a_document_goes_on_where_it_broke_off(strict: House) -> None:
    me = signed_in(strict, Portal.STREAMER)
    wallet = await strict.ports.wallet(me)
    overlay = document_id(shipped(Client.OVERLAY, "OverlayWallet"))
    asked = {"documentId": overlay, "variables": {"walletId": global_id("Wallet", wallet)}}
    async with streaming(strict, json=asked, headers=strict.headers(me)) as events:
        snapshot = await events.next()
        assert snapshot.body["data"]["walletChanged"]["__typename"] == "WalletSnapshot"
    assert snapshot.id
    again = {**strict.headers(me), "Last-Event-ID": snapshot.id}
    async with streaming(strict, json=asked, headers=again) as events:
        await strict.ports.credit(wallet, 5_00)
        assert (await events.data())["walletChanged"]["entry"]["sequence"] == 1


async def test_what_is_for_everybody_may_be_kept_for_a_moment(house: House) -> None:
    async def asked(query: str, **headers: str) -> Reply:
        return await house.request("GET", params={"query": query}, headers={"Accept": RESPONSE, **headers})

    first = await asked("query Public { __typename }")
    assert (first.data, first.headers["Cache-Control"]) == ({"__typename": "Query"}, "public, max-age=10")
    assert "RateLimit" not in first.headers
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        again = await asked("query Public { __typename }", **{"If-None-Match": known})
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert (await asked("query Public { __typename }", **{"If-None-Match": '"another"'})).status == 200
    assert (await asked("query Public { __typename }", Accept="application/json")).headers["ETag"] != tag
    for other in ("{ viewer { id } }", "{ nothing }"):
        assert (await asked(other)).headers["Cache-Control"] == "no-store"
    posted = await house.ask("query Public { __typename }")
    assert (posted.headers["Cache-Control"], "ETag" in posted.headers) == ("no-store", False)


async def test_where_others_are_allowed_both_are_carried_out(house: House) -> None:
    me = signed_in(house)
    assert (await house.ask("{ viewer { id } }", me)).data["viewer"]["id"]
    assert (await by_id(house, document_id(WALLETS), me)).data["viewer"]["id"]
    assert "another client's" in refusal(await by_id(house, document_id(PEOPLE), me))
    assert "No document" in refusal(await by_id(house, "sha256:" + "0" * 64, me))


@pytest.mark.parametrize(
    "parameters",
    [
        {"documentId": 7},
        {"documentId": ["sha256:0"]},
        {"documentId": "sha256:0", "query": "{ __typename }"},
        {"documentId": "sha256:0", "query": 7},
        {"documentId": None},
    ],
)
async def test_parameters_that_are_none_of_the_draft(strict: House, parameters: dict[str, object]) -> None:
    reply = await strict.request("POST", json=parameters)
    assert (reply.status, reply.codes) == (400, ["BAD_INPUT"])


async def test_what_was_refused_is_counted_and_names_are_those_that_are_trusted(strict: House) -> None:
    me = signed_in(strict)
    await by_id(strict, document_id(WALLETS), me)
    await strict.ask("query MadeUp { __typename }", me)
    figures = (await strict.request("GET", "/metrics")).text
    assert 'graphql_named_operations_total{operation="Wallets"}' in figures
    assert 'graphql_untrusted_total{reason="not_trusted"}' in figures
    assert "MadeUp" not in figures


@dataclass
class Row:
    position: int
    client: str
    text: str


@dataclass
class Uploads:
    """What was uploaded; counts how often it was looked at."""

    rows: list[Row] = field(default_factory=list)
    looks: int = 0
    away: bool = False

    async def after(self, position: int, most: int) -> Sequence[Row]:
        self.looks += 1
        await asyncio.sleep(0)
        if self.away:
            raise UnavailableError("nobody answers")
        return [row for row in self.rows if row.position > position][:most]


async def test_uploads_are_found_later_and_looked_for_once_a_second() -> None:
    uploads, now = Uploads([Row(1, "brand", "query A { __typename }")]), [100.0]
    trust = Trust(others=False, now=lambda: now[0])
    await trust.look_into(uploads)
    assert (await trust.find(document_id("query A { __typename }"), Portal.BRAND)).text
    assert uploads.looks == 1
    uploads.rows.append(Row(3, "player", "query B { __typename }"))
    uploads.rows.append(Row(4, "a client of later", "query C { __typename }"))
    later = document_id("query B { __typename }")
    with pytest.raises(UntrustedError):
        await trust.find(later, None)
    now[0] += LOOK_AGAIN_S
    assert (await trust.find(later, Portal.PLAYER)).clients == {Client.PLAYER}
    for number in range(1000):
        with pytest.raises(UntrustedError):
            await trust.find(f"sha256:{number}", None)
    assert uploads.looks == 2
    with pytest.raises(UntrustedError):
        await trust.find(document_id("query C { __typename }"), None)


async def test_who_asks_while_somebody_looks_waits_for_the_same_look() -> None:
    uploads, now = Uploads(), [100.0]
    trust = Trust(others=False, now=lambda: now[0])
    await trust.look_into(uploads)
    text, now[0] = "query A { __typename }", 200.0
    uploads.rows.append(Row(1, "brand", text))
    found = await asyncio.gather(*(trust.find(document_id(text), Portal.BRAND) for _ in range(10)))
    assert [each.text for each in found] == [text] * 10
    assert uploads.looks == 2


async def test_while_nobody_can_say_what_was_uploaded_it_may_be_tried_again() -> None:
    uploads, now = Uploads(), [100.0]
    trust = Trust(now=lambda: now[0])
    await trust.look_into(uploads)
    uploads.away, now[0] = True, 200.0
    with pytest.raises(UnavailableError):
        await trust.find("sha256:0", None)


async def test_one_text_may_be_several_clients() -> None:
    text = "query A { __typename }"
    trust = Trust([TrustedDocument(text, frozenset({each}), "a test") for each in (Client.BRAND, Client.PLAYER)])
    assert (await trust.find(document_id(text), Portal.BRAND)).clients == {Client.BRAND, Client.PLAYER}
    with pytest.raises(UntrustedError):
        await trust.find(document_id(text), Portal.ADMIN)


def test_shipped_documents_are_planned_at_the_start() -> None:
    schema = build_schema()
    schema.admission.rely_on(trust_of(schema.core, others=False))
    plans = [
        operation._plans for known in schema.admission._shipped.values() for operation in known.document.operations
    ]
    assert len(plans) > 20
    assert all(plan is not None for each in plans for plan in (each.values() or [None]))


def test_every_client_has_documents() -> None:
    folders = {folder.name for folder in SHIPPED.iterdir()}
    assert {client for client in Client if client in folders}.union(*IN_COMMON.values()) == set(Client)
    assert folders <= {*Client, *IN_COMMON}
