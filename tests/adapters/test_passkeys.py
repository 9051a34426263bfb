"""Passkeys: what a real browser answers is believed once, for us, from our pages; nothing else is."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import Error as BrowserError

from adapters.identity.passkeys import WebauthnPasskeys
from domain.identity.secrets import Ceremony, Passkey, PasskeyRefusedError, Passkeys
from domain.ids import PersonId
from tests.adapters.passkey_browser import Browser, browsing, stay_home_without_chromium

RINA = PersonId(UUID(int=1))
BUDI = PersonId(UUID(int=2))

in_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_browser() -> AsyncIterator[Browser]:
    stay_home_without_chromium()
    async with browsing() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def browser(one_browser: Browser) -> Browser:
    await one_browser.visit(one_browser.ours)
    await one_browser.take_new_authenticator()
    return one_browser


@pytest.fixture
def passkeys(browser: Browser) -> Passkeys:
    return WebauthnPasskeys("localhost", [browser.ours], "Gametriggers")


async def registered(browser: Browser, passkeys: Passkeys, person: PersonId = RINA) -> Passkey:
    ceremony = passkeys.offer_registration(person, "rina@example.id", [])
    return passkeys.register(person, await browser.create(ceremony), ceremony.challenge)


@in_one_loop
async def test_register_and_sign_in(browser: Browser, passkeys: Passkeys) -> None:
    passkey = await registered(browser, passkeys)
    assert passkey.person == RINA
    counts = [passkey.sign_count]
    for known in ([passkey.credential_id], []):
        ceremony = passkeys.offer_sign_in(known)
        answer = await browser.get(ceremony)
        assert passkeys.claimed(answer) == passkey.credential_id
        passkey = passkeys.sign_in(passkey, answer, ceremony.challenge)
        counts.append(passkey.sign_count)
    assert counts == sorted(set(counts)), "it grows each time"


@in_one_loop
async def test_a_key_that_cannot_be_discovered_is_good_as_a_second_factor(browser: Browser, passkeys: Passkeys) -> None:
    await browser.take_new_authenticator(resident=False)
    passkey = await registered(browser, passkeys)
    ceremony = passkeys.offer_sign_in([passkey.credential_id])
    assert passkeys.sign_in(passkey, await browser.get(ceremony), ceremony.challenge).person == RINA


@in_one_loop
async def test_the_same_authenticator_is_not_registered_twice(browser: Browser, passkeys: Passkeys) -> None:
    passkey = await registered(browser, passkeys)
    again = passkeys.offer_registration(RINA, "rina@example.id", [passkey.credential_id])
    with pytest.raises(BrowserError, match="InvalidStateError"):
        await browser.create(again)


@in_one_loop
async def test_a_registration_answers_its_own_challenge_only(browser: Browser, passkeys: Passkeys) -> None:
    first, second = (passkeys.offer_registration(RINA, "rina@example.id", []) for _ in range(2))
    answer = await browser.create(first)
    with pytest.raises(PasskeyRefusedError):
        passkeys.register(RINA, answer, second.challenge)


@in_one_loop
async def test_a_sign_in_answers_its_own_challenge_only(browser: Browser, passkeys: Passkeys) -> None:
    passkey = await registered(browser, passkeys)
    first, second = passkeys.offer_sign_in(), passkeys.offer_sign_in()
    answer = await browser.get(first)
    with pytest.raises(PasskeyRefusedError):
        passkeys.sign_in(passkey, answer, second.challenge)


@in_one_loop
async def test_an_answer_that_was_believed_is_not_believed_again(browser: Browser, passkeys: Passkeys) -> None:
    passkey, ceremony = await registered(browser, passkeys), passkeys.offer_sign_in()
    answer = await browser.get(ceremony)
    after = passkeys.sign_in(passkey, answer, ceremony.challenge)
    with pytest.raises(PasskeyRefusedError):
        passkeys.sign_in(after, answer, ceremony.challenge)


@in_one_loop
async def test_a_copy_that_fell_behind_in_counting_is_refused(browser: Browser, passkeys: Passkeys) -> None:
    passkey = await registered(browser, passkeys)
    (copy,) = await browser.credentials()
    for _ in range(2):
        ceremony = passkeys.offer_sign_in()
        passkey = passkeys.sign_in(passkey, await browser.get(ceremony), ceremony.challenge)
    await browser.put_back(copy)
    ceremony = passkeys.offer_sign_in()
    with pytest.raises(PasskeyRefusedError):
        passkeys.sign_in(passkey, await browser.get(ceremony), ceremony.challenge)


@in_one_loop
async def test_another_origin_of_our_domain_is_not_ours(browser: Browser, passkeys: Passkeys) -> None:
    passkey = await registered(browser, passkeys)
    await browser.visit(browser.other)
    ceremony = passkeys.offer_sign_in([passkey.credential_id])
    with pytest.raises(PasskeyRefusedError):
        passkeys.sign_in(passkey, await browser.get(ceremony), ceremony.challenge)
    offer = passkeys.offer_registration(RINA, "rina@example.id", [])
    with pytest.raises(PasskeyRefusedError):
        passkeys.register(RINA, await browser.create(offer), offer.challenge)
    both = WebauthnPasskeys("localhost", [browser.ours, browser.other], "Gametriggers")
    assert both.register(RINA, await browser.create(offer), offer.challenge).person == RINA


@in_one_loop
async def test_answers_for_another_domain_are_refused(browser: Browser, passkeys: Passkeys) -> None:
    passkey, ceremony = await registered(browser, passkeys), passkeys.offer_sign_in()
    answer = await browser.get(ceremony)
    elsewhere = WebauthnPasskeys("example.id", ["https://example.id"], "Elsewhere")
    with pytest.raises(PasskeyRefusedError):
        elsewhere.sign_in(passkey, answer, ceremony.challenge)


@in_one_loop
async def test_the_authenticator_must_recognise_its_person(browser: Browser, passkeys: Passkeys) -> None:
    passkey = await registered(browser, passkeys)
    await browser.verify_user(verified=False)
    ceremony = passkeys.offer_sign_in()
    with pytest.raises(BrowserError, match="NotAllowedError"):
        await browser.get(ceremony, timeout=500)
    unrecognised = await browser.get(ceremony, userVerification="discouraged")
    with pytest.raises(PasskeyRefusedError):
        passkeys.sign_in(passkey, unrecognised, ceremony.challenge)


@in_one_loop
async def test_one_persons_passkey_is_not_anothers(browser: Browser, passkeys: Passkeys) -> None:
    mine = await registered(browser, passkeys)
    ceremony = passkeys.offer_sign_in([mine.credential_id])
    answer = await browser.get(ceremony)
    theirs = await registered(browser, passkeys, BUDI)
    for passkey in (theirs, replace(mine, person=BUDI), replace(mine, public_key=theirs.public_key)):
        with pytest.raises(PasskeyRefusedError):
            passkeys.sign_in(passkey, answer, ceremony.challenge)
    assert passkeys.sign_in(mine, answer, ceremony.challenge).person == RINA


def mangled(data: st.DataObject, text: str) -> str:
    """Base64url text with one bit of what it says turned over, or cut, or with something behind it."""
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    match data.draw(st.sampled_from(["turn", "cut", "extend"])):
        case "turn":
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del raw[data.draw(st.integers(0, len(raw) - 1)) :]
        case _:
            raw += data.draw(st.binary(min_size=1, max_size=8))
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def refuses(verify: Callable[[str], object], answer: Any) -> None:
    with pytest.raises(PasskeyRefusedError):
        verify(answer if isinstance(answer, str) else json.dumps(answer))


async def answers(browser: Browser, passkeys: Passkeys) -> tuple[Passkey, Ceremony, Any, Ceremony, Any]:
    offer = passkeys.offer_registration(RINA, "rina@example.id", [])
    created = await browser.create(offer)
    passkey, ceremony = passkeys.register(RINA, created, offer.challenge), passkeys.offer_sign_in()
    return passkey, offer, json.loads(created), ceremony, json.loads(await browser.get(ceremony))


@in_one_loop
async def test_no_mutation_of_an_answer_is_believed(browser: Browser, passkeys: Passkeys) -> None:
    passkey, _, _, ceremony, answer = await answers(browser, passkeys)
    verify = partial(passkeys.sign_in, passkey, challenge=ceremony.challenge)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def every(data: st.DataObject) -> None:
        field = data.draw(st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle"]))
        bad = {**answer, "response": {**answer["response"]}}
        bad["response"][field] = mangled(data, bad["response"][field])
        refuses(verify, bad)

    every()


@in_one_loop
async def test_garbage_is_refused_and_nothing_worse(browser: Browser, passkeys: Passkeys) -> None:
    passkey, offer, created, ceremony, got = await answers(browser, passkeys)
    sign_in = partial(passkeys.sign_in, passkey, challenge=ceremony.challenge)
    register = partial(passkeys.register, RINA, challenge=offer.challenge)
    json_like = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    )

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def every(data: st.DataObject) -> None:
        signed = ["authenticatorData", "signature", "userHandle"]
        good, verify, fields = data.draw(
            st.sampled_from([(created, register, ["attestationObject"]), (got, sign_in, signed)])
        )
        bad = {**good, "response": {**good["response"]}}
        if data.draw(st.booleans()):
            bad[data.draw(st.sampled_from(["id", "rawId", "response", "type"]))] = data.draw(json_like)
        else:
            bad["response"][data.draw(st.sampled_from(["clientDataJSON", *fields]))] = data.draw(json_like.filter(bool))
        refuses(verify, bad)

    every()
    for text in ("", "null", "[]", "{}", '"x"', "x" * 20_000, "[" * 15_000, json.dumps(got)[:-1]):
        refuses(sign_in, text)
        refuses(register, text)
        refuses(passkeys.claimed, text)


@pytest.mark.parametrize(
    "origins", [[], ["http://portal.example.id"], ["https://example.com"], ["https://notexample.id"],
                ["https://example.id/"], ["https://example.id/x"], ["example.id"], ["*"], ["null"]]
)  # fmt: skip
def test_an_origin_that_no_browser_would_allow_is_a_mistake(origins: list[str]) -> None:
    with pytest.raises(ValueError, match=r"origin|belong"):
        WebauthnPasskeys("example.id", origins, "Gametriggers")


def test_portals_may_be_subdomains_with_ports() -> None:
    WebauthnPasskeys("example.id", ["https://example.id", "https://admin.example.id:8443"], "Gametriggers")
