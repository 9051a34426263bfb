"""A storm of payments and of what is told about them, and what must be true when it is over."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from adapters.payments.midtrans import signature
from tests.journeys.house import SERVER_KEY, Journey, Person, order_of
from tests.waiting import eventually

CLIENTS = 16
TIMES = 3
SEED = 20_261_121
EACH_PERSON = 2

T = TypeVar("T")

_CREDITS = """
select owner, sum(amount)::bigint / 100 as credited, count(*) as times from journal join account on account.id = target
where kind = 'top_up' group by owner
"""
_STATES = """
select attempt.order_id, state, top_up.credited from top_up join top_up_attempt attempt on attempt.top_up = top_up.id
"""
_UNALLOCATED = """
select coalesce(sum(amount), 0)::bigint / 100 from journal join account on account.id = target where kind = 'misfit'
"""


@dataclass
class Intent:
    """A top-up, and what is untrue about it: nothing, or one of the three."""

    person: Person
    units: int
    order: str
    untrue: str = ""

    @property
    def credit(self) -> int:
        """What must have reached the wallet."""
        return 0 if self.untrue in {"forged", "paid short"} else self.units


async def brew(journey: Journey, intents: int) -> None:
    """A storm of so many intents; one in twenty is forged, paid short or claims another amount than was paid."""
    dice = random.Random(SEED)
    await journey.operate("POST", "/faults", {"kind": "lost", "times": 100 * intents})  # we tell what there is to tell
    people = [await journey.somebody() for _ in range(intents // EACH_PERSON)]
    begun = await at_once((begin(journey, people[n % len(people)], 10_000 + n)) for n in range(intents))
    for number, intent in enumerate(dice.sample(begun, intents // 20)):
        intent.untrue = ("forged", "paid short", "misquoted")[number % 3]
    await at_once(pay(journey, intent) for intent in begun if intent.untrue != "forged")
    letters = [(intent, letter) for intent in begun for letter in [await written(journey, intent)] * TIMES]
    dice.shuffle(letters)
    answers = Counter(await at_once(post(journey, intent, letter) for intent, letter in letters))
    forged = sum(intent.untrue == "forged" for intent in begun)
    assert answers == {("genuine", 200): TIMES * (intents - forged), ("forged", 403): TIMES * forged}
    await check(journey, begun)
    calls = await journey.operate("GET", "/calls")
    assert calls["snap.create"] == intents
    assert calls["core.status"] <= (TIMES + 1) * intents
    assert set(calls) == {"snap.create", "core.status"}


async def at_once(deeds: Iterable[Awaitable[T]]) -> list[T]:
    """Done by sixteen clients."""
    gate = asyncio.Semaphore(CLIENTS)

    async def one(deed: Awaitable[T]) -> T:
        async with gate:
            return await deed

    async with asyncio.TaskGroup() as tasks:
        begun = [tasks.create_task(one(deed)) for deed in deeds]
    return [task.result() for task in begun]


async def begin(journey: Journey, person: Person, units: int) -> Intent:
    top_up = await journey.start(person, units)
    assert top_up.get("state") == "PENDING", top_up
    return Intent(person, units, order_of(top_up))


async def pay(journey: Journey, intent: Intent) -> None:
    wish = {"amount": intent.units - 1_000} if intent.untrue == "paid short" else {}
    await journey.operate("POST", f"/payments/{intent.order}/pay", wish)


async def written(journey: Journey, intent: Intent) -> bytes:
    """What the gateway would tell; or what somebody makes up who has not its key."""
    body: dict[str, Any] = dict((await journey.operate("GET", f"/payments/{intent.order}"))["status"])
    if intent.untrue == "forged":
        body = {"order_id": intent.order, "status_code": "200", "gross_amount": f"{intent.units}.00"}
        body |= {"transaction_status": "settlement", "transaction_id": "made-up"}
    if intent.untrue == "misquoted":
        body["gross_amount"] = "99000000.00"
    key = "SB-Mid-server-of-nobody" if intent.untrue == "forged" else SERVER_KEY
    return signed(body, key)


def signed(body: Mapping[str, Any], key: str) -> bytes:
    """A notification, signed with a key."""
    made = signature(body["order_id"], body["status_code"], body["gross_amount"], key)
    return json.dumps({**body, "signature_key": made}).encode()


async def post(journey: Journey, intent: Intent, letter: bytes) -> tuple[str, int]:
    """Tell the house; again when it asks for that, as the gateway would."""
    headers = {"Content-Type": "application/json"}
    status = 0
    for _ in range(4):
        status = (await journey.request("POST", "/webhooks/midtrans", data=letter, headers=headers)).status
        if status != 503:
            break
    return "forged" if intent.untrue == "forged" else "genuine", status


async def check(journey: Journey, begun: list[Intent]) -> None:
    """Every credit once, none wrong."""
    expected: Counter[str] = Counter()
    for intent in begun:
        expected[intent.person.account] += intent.credit
    found = {row["owner"]: row for row in await journey.connection.fetch(_CREDITS)}
    assert {owner: row["credited"] for owner, row in found.items()} == {o: c for o, c in expected.items() if c}
    assert sum(row["times"] for row in found.values()) == sum(intent.credit > 0 for intent in begun)
    states = {
        row["order_id"]: (row["state"], row["credited"] // 100) for row in await journey.connection.fetch(_STATES)
    }
    for intent in begun:
        state = {"forged": "pending", "paid short": "in_review"}.get(intent.untrue, "settled")
        assert states[intent.order] == (state, intent.credit), intent
    short = sum(intent.units - 1_000 for intent in begun if intent.untrue == "paid short")
    assert await journey.connection.fetchval(_UNALLOCATED) == short
    await eventually(lambda: sealed(journey))


async def sealed(journey: Journey) -> bool:
    """Whether every row is in the chain."""
    query = "select max(last_position) = (select max(position) from journal) from seal"
    return bool(await journey.connection.fetchval(query))
