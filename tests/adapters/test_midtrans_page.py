import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from domain.wallet.gateway import Method
from tests.adapters.midtrans_sandbox import Bench, Official, bench


@pytest.fixture
async def at() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


async def fetched(url: str, **fields: str) -> tuple[int, str]:
    """What a browser shows: a form is posted if there are fields, and the redirect after it followed."""
    async with (
        aiohttp.ClientSession() as browser,
        browser.request("POST" if fields else "GET", url, data=fields or None) as answer,
    ):
        return answer.status, await answer.text()


async def test_shows_what_to_pay_and_how(at: Bench) -> None:
    page = await at.page("o-1", Method.CONVENIENCE_STORE)
    status, html = await fetched(page.url)
    assert status == 200
    assert "Rp50.000" in html
    assert re.findall(r"<option>(\w+)</option>", html) == ["indomaret", "alfamart"]
    assert set(re.findall(r'name="button" value="(\w+)"', html)) == {
        "pay",
        "deny",
        "expire",
        "pay_twice",
        "pay_wrong_amount",
    }


@pytest.mark.parametrize(
    ("button", "states", "amount"),
    [
        ("pay", ["pending", "settlement"], "50000.00"),
        ("pay_twice", ["pending", "settlement", "settlement"], "50000.00"),
        ("pay_wrong_amount", ["pending", "settlement"], "49000.00"),
        ("deny", ["pending", "deny"], "50000.00"),
        ("expire", ["pending", "expire"], "50000.00"),
        ("challenge", ["pending", "capture"], "50000.00"),
    ],
)
async def test_each_button(at: Bench, button: str, states: list[str], amount: str) -> None:
    page = await at.page("o-1", Method.CARD if button == "challenge" else Method.BANK_TRANSFER)
    channel = "credit_card" if button == "challenge" else "permata_va"
    status, html = await fetched(page.url, button=button, channel=channel)
    assert status == 200
    assert states[-1] in html
    assert "http://127.0.0.1:1/done?order_id=o-1&amp;status_code=" in html
    told = [json.loads(body) for body in await at.inbox.holds(len(states))]
    assert [notification["transaction_status"] for notification in told] == states
    assert told[-1]["gross_amount"] == amount


async def test_a_button_pressed_again_changes_nothing(at: Bench) -> None:
    page = await at.page("o-1")
    await fetched(page.url, button="deny")
    _, html = await fetched(page.url, button="pay")
    assert "deny" in html
    await at.inbox.holds(2)
    assert not at.sandbox.account.notifier.busy
    assert len(at.inbox.bodies) == 2


async def test_closes_without_a_word_when_nobody_chose(at: Bench) -> None:
    page = await at.page("o-1", lifetime=timedelta(minutes=10))
    at.clock.turn(timedelta(minutes=10))
    _, html = await fetched(page.url, button="pay")
    assert "expired" in html
    assert at.inbox.bodies == []


async def test_a_cancelled_order_can_still_be_paid_on_its_page(at: Bench) -> None:
    page = await at.page("o-1")
    await at.gateway.cancel("o-1")
    _, html = await fetched(page.url, button="pay")
    assert "settlement" in html


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/snap/v4/redirection/nowhere", {}, 404),
        ("/snap/v4/redirection/nowhere", {"button": "pay"}, 404),
        ("", {"button": "rob"}, 400),
        ("", {"button": "pay", "channel": "gopay"}, 409),
    ],
)
async def test_nonsense(at: Bench, path: str, fields: dict[str, str], status: int) -> None:
    page = await at.page("o-1")
    assert (await fetched(at.sandbox.url + path if path else page.url, **fields))[0] == status


async def test_escapes_what_a_merchant_wrote(at: Bench) -> None:
    made = await Official(at.sandbox).create(
        "o-1", callbacks={"finish": 'https://x.example/"><script>alert(1)</script>'}
    )
    _, html = await fetched(made["redirect_url"], button="pay", channel="gopay")
    assert "<script" not in html
