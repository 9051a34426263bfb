"""GraphQL over HTTP: methods, media types, statuses, and what is no GraphQL request at all."""

import json
from datetime import timedelta
from typing import Any

import pytest

from gql.requests import LARGEST_BODY
from tests.fakes import somebody
from tests.gql.house import RESPONSE, House

JSON = "application/json"
HELLO = {"query": "{ __typename }"}
SENDS_JSON = {"Content-Type": JSON}


async def test_a_query_is_answered(house: House) -> None:
    reply = await house.request("POST", json=HELLO, headers={"Accept": RESPONSE})
    assert (reply.status, reply.data) == (200, {"__typename": "Query"})
    assert reply.headers["Content-Type"] == f"{RESPONSE}; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store"


ACCEPTED = {
    "ours": (RESPONSE, RESPONSE),
    "the older": (JSON, JSON),
    "nothing said": ("", JSON),
    "anything": ("*/*", JSON),
    "any application": ("application/*", JSON),
    "both, ours first": (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
    "both, the older preferred": (f"{RESPONSE};q=0.5, {JSON}", JSON),
    "with a charset": (f"{RESPONSE}; charset=utf-8", RESPONSE),
    "a browser's": ("text/html, */*;q=0.1", JSON),
}


@pytest.mark.parametrize(("accept", "expected"), ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_the_answer_has_the_type_that_is_asked_for(house: House, accept: str, expected: str) -> None:
    reply = await house.request("POST", json=HELLO, headers={"Accept": accept})
    assert (reply.status, reply.headers["Content-Type"]) == (200, f"{expected}; charset=utf-8")


@pytest.mark.parametrize("accept", ["text/html", "image/png", f"{RESPONSE};q=0", f"{JSON};q=nonsense"])
async def test_a_type_that_we_do_not_speak_is_not_acceptable(house: House, accept: str) -> None:
    reply = await house.request("POST", json=HELLO, headers={"Accept": accept})
    assert (reply.status, reply.codes) == (406, ["BAD_INPUT"])


NO_DOCUMENT = {
    "syntax": "{",
    "unknown field": "{ nonsense }",
    "unknown operation": "query A { __typename }",
    "no operation": "fragment A on Query { __typename }",
    "two without a name": "query A { __typename } query B { __typename }",
    "a subscription": 'subscription { walletChanged(walletId: "x") { __typename } }',
}


@pytest.mark.parametrize("query", NO_DOCUMENT.values(), ids=NO_DOCUMENT.keys())
@pytest.mark.parametrize(("accept", "status"), [(RESPONSE, 400), (JSON, 200)])
async def test_a_refused_document_has_no_data(house: House, query: str, accept: str, status: int) -> None:
    name = "B" if query.startswith("query A { __typename }") and "query B" not in query else None
    body = {"query": query, "operationName": name}
    reply = await house.request("POST", json=body, headers={"Accept": accept})
    assert (reply.status, list(reply.body)) == (status, ["errors"])
    assert set(reply.codes) == {"BAD_INPUT"}


async def test_variables_that_do_not_fit_are_refused_before_anything_runs(house: House) -> None:
    reply = await house.ask("query ($id: ID!) { wallet(id: $id) { id } }", somebody(), id=None)
    assert (reply.status, list(reply.body), reply.codes) == (400, ["errors"], ["BAD_INPUT"])
    assert not house.ports.calls


NO_REQUEST: dict[str, Any] = {
    "empty": b"",
    "no JSON": b"{",
    "not a number": b'{"query": NaN}',
    "not UTF-8": b'{"query": "\xff"}',
    "a batch": [HELLO, HELLO],
    "an empty batch": [],
    "a text": "query",
    "null": None,
    "no query": {},
    "an empty query": {"query": "  "},
    "a numeric query": {"query": 1},
    "a list of queries": {"query": ["{ __typename }"]},
    "a numeric operation name": {**HELLO, "operationName": 1},
    "variables in a text": {**HELLO, "variables": "{}"},
    "variables in a list": {**HELLO, "variables": [1]},
    "extensions in a text": {**HELLO, "extensions": ""},
    "nested without end": b"[" * 5_000 + b"]" * 5_000,
}


@pytest.mark.parametrize("body", NO_REQUEST.values(), ids=NO_REQUEST.keys())
@pytest.mark.parametrize("accept", [RESPONSE, JSON])
async def test_what_is_no_request_is_400_in_both_types(house: House, body: Any, accept: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = await house.request("POST", data=sent, headers={"Accept": accept, **SENDS_JSON})
    assert (reply.status, list(reply.body), reply.codes) == (400, ["errors"], ["BAD_INPUT"])
    assert "Traceback" not in reply.text


@pytest.mark.parametrize("name", ["operationName", "variables", "extensions"])
async def test_null_is_as_good_as_nothing(house: House, name: str) -> None:
    assert (await house.request("POST", json={**HELLO, name: None})).data == {"__typename": "Query"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/graphql", ""]
)
async def test_a_body_that_a_form_of_another_site_could_send_is_refused(house: House, kind: str) -> None:
    reply = await house.request("POST", data=json.dumps(HELLO).encode(), headers={"Content-Type": kind})
    assert (reply.status, reply.codes) == (415, ["BAD_INPUT"])


async def test_another_charset_is_refused(house: House) -> None:
    sent = json.dumps(HELLO).encode()
    for charset, status in (("utf-8", 200), ("UTF-8", 200), ("utf-16", 415)):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        assert (await house.request("POST", data=sent, headers=headers)).status == status


async def test_a_body_has_a_limit_whatever_it_says_of_itself(house: House) -> None:
    async def pour() -> Any:
        for _ in range(1 + LARGEST_BODY // 1024):
            yield b" " * 1024
        yield b"{}"

    for data in (b" " * (LARGEST_BODY + 1), pour()):
        reply = await house.request("POST", data=data, headers=SENDS_JSON)
        assert (reply.status, reply.codes) == (413, ["BAD_INPUT"])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_allowed(house: House, method: str) -> None:
    reply = await house.request(method, json=HELLO)
    assert reply.status == 405
    assert {word.strip() for word in reply.headers["Allow"].split(",")} >= {"GET", "POST"}


async def test_the_address_has_no_slash_and_no_redirection(house: House) -> None:
    assert (await house.request("POST", json=HELLO, allow_redirects=False)).status == 200


async def test_who_adds_a_slash_is_sent_on(house: House) -> None:
    sent_on = await house.request("POST", "/graphql/", json=HELLO, allow_redirects=False)
    assert (sent_on.status, sent_on.headers["Location"].endswith("/graphql")) == (307, True)
    assert (await house.request("POST", "/graphql/", json=HELLO)).data


class TestGet:
    async def test_a_query_may_come_by_get(self, house: House) -> None:
        query = "query A($a: Boolean!) { __typename @include(if: $a) } query B { __typename }"
        parameters = {"query": query, "operationName": "A", "variables": '{"a": false}', "extensions": ""}
        reply = await house.request("GET", params=parameters, headers={"Accept": RESPONSE})
        assert (reply.status, reply.data) == (200, {})

    async def test_a_mutation_may_not(self, house: House) -> None:
        me = somebody()
        before = house.ports.marks
        query = "mutation { openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename } }"
        for accept in (RESPONSE, JSON):
            headers = {"Accept": accept, **house.headers(me)}
            reply = await house.request("GET", params={"query": query}, headers=headers)
            assert (reply.status, reply.headers["Allow"], list(reply.body)) == (405, "POST", ["errors"])
        assert house.ports.marks == before

    async def test_neither_may_a_subscription(self, house: House) -> None:
        reply = await house.request("GET", params={"query": NO_DOCUMENT["a subscription"]})
        assert reply.status == 405

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    async def test_another_site_must_ask_first(self, house: House, site: str) -> None:
        async def get(**headers: str) -> int:
            given = {"Sec-Fetch-Site": site, **headers}
            return (await house.request("GET", params=HELLO, headers=given)).status

        assert await get() == 403
        assert await get(**{"GraphQL-Require-Preflight": "1"}) == 200
        assert await get(**{"X-Requested-With": "x"}) == 200
        assert await get(**house.headers(somebody())) == 200

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    async def test_our_own_pages_need_not(self, house: House, site: str) -> None:
        assert (await house.request("GET", params=HELLO, headers={"Sec-Fetch-Site": site})).status == 200

    @pytest.mark.parametrize("name", ["variables", "extensions"])
    @pytest.mark.parametrize("value", ["{", "[]", "1", '"x"'])
    async def test_parameters_must_be_objects(self, house: House, name: str, value: str) -> None:
        reply = await house.request("GET", params={**HELLO, name: value})
        assert (reply.status, reply.codes) == (400, ["BAD_INPUT"])

    async def test_nothing_asked_is_nothing_answered(self, house: House) -> None:
        for accept in (RESPONSE, JSON, "text/html, */*"):
            assert (await house.request("GET", headers={"Accept": accept})).status == 400


class TestTokens:
    async def test_without_one_the_caller_is_nobody(self, house: House) -> None:
        reply = await house.ask("{ viewer { id } }")
        assert (reply.status, reply.body["data"], reply.codes) == (200, None, ["UNAUTHENTICATED"])

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer ", "Basic YTpi", "nonsense", ""])
    async def test_a_bad_one_is_refused_before_anything_runs(self, house: House, header: str) -> None:
        for accept in (RESPONSE, JSON):
            headers = {"Authorization": header, "Accept": accept}
            reply = await house.request("POST", json=HELLO, headers=headers)
            assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")

    async def test_an_expired_one_is_refused(self, house: House) -> None:
        me = somebody()
        headers = {"Authorization": f"Bearer {house.token(me, timedelta(seconds=-1))}"}
        assert (await house.request("POST", json=HELLO, headers=headers)).status == 401

    async def test_its_scheme_is_written_in_any_case(self, house: House) -> None:
        me = somebody()
        headers = {"Authorization": f"bearer {house.token(me)}"}
        assert (await house.request("POST", json={"query": "{ viewer { id } }"}, headers=headers)).data["viewer"]
