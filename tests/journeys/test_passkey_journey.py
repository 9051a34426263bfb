"""A real browser and the whole way: the options go out over GraphQL as they are, and what the browser answers comes in.

What is believed of answers is held elsewhere, and so are the rules about what is done with a passkey.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.passkeys import WebauthnPasskeys
from domain.identity.secrets import Ceremony
from tests.accounts_house import ANI, ME, AccountsHouse, bearer, running_accounts
from tests.accounts_stage import PASSWORD
from tests.adapters.passkey_browser import Browser, browsing, stay_home_without_chromium
from tests.journeys.test_second_factor_journey import (
    ADD_PASSKEY,
    BEGIN,
    BY_PASSKEY,
    OFFER_PASSKEY,
    OFFER_SIGN_IN,
    OFFER_STEP_UP,
    REMOVE_PASSKEY,
    STEP_UP_BY_PASSKEY,
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    stay_home_without_chromium()
    async with browsing() as made:
        yield made


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses, browser: Browser) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database) as running:
        running.stage.passkeys = WebauthnPasskeys("localhost", [browser.ours], "Gametriggers")
        yield running


async def test_a_passkey_lives_from_the_browser_that_made_it_to_its_end(house: AccountsHouse, browser: Browser) -> None:
    tokens = await house.signed_up()
    await house.confirmed_by_mail(bearer(tokens))
    offer = await house.one(OFFER_PASSKEY, bearer(tokens))
    made = await browser.create(Ceremony(b"", offer["options"]))
    added = await house.one(ADD_PASSKEY, bearer(tokens), token=offer["token"], answer=made, name="Laptop")
    (passkey,) = added["passkeys"]
    asked = await house.one(BEGIN, mail=ANI, password=PASSWORD)
    assert asked["methods"] == ["PASSKEY"]

    offer = await house.one(OFFER_SIGN_IN)
    used = await browser.get(Ceremony(b"", offer["options"]))
    tokens = await house.one(BY_PASSKEY, token=offer["token"], answer=used)
    assert (await house.run(ME, bearer(tokens))).data["viewer"]["mail"] == ANI
    offer = await house.one(OFFER_SIGN_IN)
    assert (await house.one(BY_PASSKEY, token=offer["token"], answer=used))["code"] == "PASSKEY_REFUSED", "replayed"
    await browser.visit(browser.other)
    offer = await house.one(OFFER_SIGN_IN)
    elsewhere = await browser.get(Ceremony(b"", offer["options"]))
    assert (await house.one(BY_PASSKEY, token=offer["token"], answer=elsewhere))["code"] == "PASSKEY_REFUSED", "phished"
    await browser.visit(browser.ours)

    offer = await house.one(OFFER_STEP_UP, bearer(tokens))
    used = await browser.get(Ceremony(b"", offer["options"]))
    confirmed = await house.one(STEP_UP_BY_PASSKEY, bearer(tokens), token=offer["token"], answer=used)
    assert confirmed["__typename"] == "SteppedUp"
    gone = await house.one(REMOVE_PASSKEY, bearer(tokens), id=passkey["id"])
    assert gone["passkeys"] == []
    offer = await house.one(OFFER_SIGN_IN)
    used = await browser.get(Ceremony(b"", offer["options"]))
    assert (await house.one(BY_PASSKEY, token=offer["token"], answer=used))["code"] == "PASSKEY_REFUSED", "it is gone"
