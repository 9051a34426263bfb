"""The gateway's other side as its users see it: the payer in front of the page, the operator behind it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession

from adapters.embedded.story.checks import AmissError

_ORDER = re.compile(r"Order ([\w~.-]+)")
_CHANNEL = re.compile(r"<option>([^<]+)</option>")
_MONEY_CAME = {"capture", "settlement"}


@dataclass(frozen=True, slots=True)
class PayPage:
    """A payment page in front of its payer."""

    url: str
    order_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A try to notify us, as the gateway noted it: the news, and the HTTP status that we answered (None: no answer)."""

    news: str
    status: int | None


class Gateway:
    """The sandbox. Its verbs raise `AmissError` where it does not do what it is asked."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session, self._control = session, f"{url}/control"

    async def open_page(self, url: str) -> PayPage:
        """Look at a payment page as a browser does."""
        async with self._session.get(url) as answer:
            html = await answer.text()
        order, channel = _ORDER.search(html), _CHANNEL.search(html)
        if answer.status != HTTPStatus.OK or order is None or channel is None:
            raise AmissError(f"The page {url} is no page to pay on (HTTP {answer.status}).")
        return PayPage(url, order[1], channel[1])

    async def press_pay(self, page: PayPage) -> None:
        """Post the page's form as a browser does."""
        form = {"channel": page.channel, "button": "pay"}
        async with self._session.post(page.url, data=form, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.SEE_OTHER:
                raise AmissError(f"Paying order {page.order_id} answered HTTP {answer.status}: {await answer.text()}")

    async def order_fault(self, kind: str, **details: object) -> None:
        """Let something go wrong with what comes next."""
        await self._operate("faults", {"kind": kind, **details})

    async def charge_back(self, order_id: str) -> None:
        """Let the payer's bank take all of a payment back."""
        await self._operate(f"payments/{order_id}/chargeback", {})

    async def notices(self, order_id: str) -> list[Notice]:
        """How we were notified about an order, oldest first."""
        tries = (await self._look("deliveries"))["tries"]
        return [Notice(each["transaction_status"], each["status"]) for each in tries if each["order_id"] == order_id]

    async def unheard(self) -> set[str]:
        """The orders that were paid without a webhook that reached us and told so."""
        tries = (await self._look("deliveries"))["tries"]
        of_money = [each for each in tries if each["transaction_status"] in _MONEY_CAME]
        return {each["order_id"] for each in of_money} - {
            each["order_id"] for each in of_money if each["status"] == HTTPStatus.OK
        }

    async def settled_orders(self) -> int:
        """How many payments have gone through."""
        return sum(each["state"] == "settlement" for each in await self._look("payments"))

    async def status_calls(self) -> int:
        """How often we asked how a payment stands."""
        return int((await self._look("calls")).get("core.status", 0))

    async def _operate(self, path: str, wish: Mapping[str, object]) -> None:
        async with self._session.post(f"{self._control}/{path}", json=wish) as answer:
            if not answer.ok:
                raise AmissError(f"The sandbox refused {path}: {await answer.text()}")

    async def _look(self, path: str) -> Any:
        async with self._session.get(f"{self._control}/{path}") as answer:
            answer.raise_for_status()
            return await answer.json()
