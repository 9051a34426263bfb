"""The storm: many payers at once, the server killed amid it, and nobody's live view may lose or double an entry."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from adapters.embedded.story.checks import decimal, expect, rupiah
from adapters.embedded.story.client import Person, Watch
from adapters.embedded.story.gateway import PayPage
from adapters.embedded.story.scene import Scene
from domain.ids import uuid7

_PAYMENTS = 200
_MOST_PENDING = 3
"""Payments of one person: as many as may be pending at once."""
_SMALLEST, _STEP = 10_000, 100
_AT_ONCE = 16
_BEFORE_THE_KILL, _WHILE_DOWN = 90, 50
_SEEN_BEFORE_THE_KILL = 40
_METHODS = ("BANK_TRANSFER", "QRIS", "GOPAY", "CARD")
_SWEPT_S = 75.0
_TELL_EVERY_S = 4.0


_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclass
class _Payer:
    """Somebody who pays a few times, each time another amount, and watches."""

    person: Person
    wallet: str
    watch: Watch
    amounts: list[int] = field(default_factory=list)
    """What they start to pay, in rupiah."""


async def told(scene: Scene) -> None:
    """Let it break loose, and hold everybody's money to account."""
    payers = await _each(partial(_payer, scene), range(-(-_PAYMENTS // _MOST_PENDING)))
    await scene.until("everybody's snapshot", lambda: all(payer.watch.snapshot for payer in payers))
    pages = await _each(partial(_start, scene, payers), range(_PAYMENTS))
    owed = sum(sum(payer.amounts) for payer in payers)
    scene.say(f"{len(payers)} people watch their wallets and start {_PAYMENTS} top-ups, {rupiah(owed)} in all.")
    await _pay_through_a_crash(scene, payers, pages)
    await _all_credited(scene, payers)
    await _each(_check, payers)
    resumed = sum(payer.watch.connections > 1 for payer in payers)
    expect("subscriptions that were resumed", resumed, len(payers))
    unheard = len(await scene.gateway.unheard())
    scene.say(f"Each is credited once, though of {unheard} nobody took the webhook that told of the money.")
    scene.say(f"{_PAYMENTS} top-ups are SETTLED; the statements say {rupiah(owed)}, and so did the live entries:")
    scene.say(f"{resumed} subscriptions went on behind their cursors, with no entry lost and none doubled.")


async def _payer(scene: Scene, number: int) -> _Payer:
    person = await scene.person(f"payer-{number}")
    wallet = await person.open_wallet()
    return _Payer(person, wallet, Watch(person, wallet))


async def _start(scene: Scene, payers: list[_Payer], number: int) -> PayPage:
    payer = payers[number % len(payers)]
    amount = _SMALLEST + _STEP * number
    payer.amounts.append(amount)
    method = _METHODS[number % len(_METHODS)]
    top_up = await payer.person.start_top_up(payer.wallet, amount, method, str(uuid7()))
    return await scene.gateway.open_page(top_up["redirectUrl"])


async def _pay_through_a_crash(scene: Scene, payers: list[_Payer], pages: list[PayPage]) -> None:
    """Pay some, kill the server while their webhooks are under way, pay on, bring it back, pay the rest."""
    gateway = scene.gateway
    first, down = pages[:_BEFORE_THE_KILL], pages[_BEFORE_THE_KILL : _BEFORE_THE_KILL + _WHILE_DOWN]
    paying = asyncio.create_task(_each(gateway.press_pay, first))
    await scene.until("the first credits", lambda: _credits(payers) >= _SEEN_BEFORE_THE_KILL)
    await asyncio.to_thread(scene.stage.kill_server)
    scene.say(f"kill -9 of the server, after {_credits(payers)} credits were seen live. People go on paying.")
    starting = asyncio.create_task(asyncio.to_thread(scene.stage.start_server))
    await paying
    await _each(gateway.press_pay, down)
    await starting
    scene.say(f"The server is back; the gateway has {await gateway.settled_orders()} payments by now.")
    await _each(gateway.press_pay, pages[_BEFORE_THE_KILL + _WHILE_DOWN :])


async def _all_credited(scene: Scene, payers: list[_Payer]) -> None:
    """Wait for the last credit, saying now and then how far it is."""
    loop = asyncio.get_running_loop()
    tell_at = loop.time()

    def all_seen() -> bool:
        nonlocal tell_at
        seen = _credits(payers)
        if loop.time() >= tell_at:
            scene.say(
                f"... {seen} of {_PAYMENTS} credits seen live; the sweep asks about payments that we were not told of"
            )
            tell_at += _TELL_EVERY_S
        return seen >= _PAYMENTS

    await scene.until(f"all {_PAYMENTS} credits seen live", all_seen, _SWEPT_S)


async def _check(payer: _Payer) -> None:
    """The live view, the statement and the top-ups of a payer agree with what they paid, each payment once."""
    paid = sorted(map(decimal, payer.amounts))
    expect("credits told live", sorted(entry.change for entry in payer.watch.entries), paid)
    found = await payer.person.holdings(payer.wallet)
    expect("credits in the statement", sorted(entry.change for entry in found.entries), paid)
    expect("a payer's balance", found.total, decimal(sum(payer.amounts)))
    settled = [("SETTLED", amount, decimal(0)) for amount in paid]
    expect("a payer's top-ups", sorted(await payer.person.top_ups()), settled)


async def _each(do: Callable[[_Item], Awaitable[_Made]], items: Iterable[_Item]) -> list[_Made]:
    """Do it with each, not with more at once than a server takes from one place."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: _Item) -> _Made:
        async with gate:
            return await do(item)

    return await asyncio.gather(*map(one, items))


def _credits(payers: Iterable[_Payer]) -> int:
    return sum(len(payer.watch.entries) for payer in payers)
