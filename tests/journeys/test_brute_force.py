"""Wrong passwords by the hundred from many addresses on many accounts: few are even tried, and owners get in by mail.

BRUTE_FORCE=all makes a thousand of them, from fifty addresses on ten accounts.
"""

import asyncio
import os
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.embedded.database import DatabaseAddresses
from adapters.redis.quotas import RedisQuotas
from domain.quotas import SIGN_IN_OF_ACCOUNT
from tests.accounts_house import NEW, RESET, SIGN_IN, AccountsHouse, running_accounts
from tests.servers import Valkey

RESET_ASKED = "mutation ($mail: String!) { requestPasswordReset(input: {mail: $mail}) { __typename } }"
ALL = os.environ.get("BRUTE_FORCE") == "all"
OWNERS = [f"owner{number}@mail.example" for number in range(10 if ALL else 5)]
PLACES = [f"198.51.100.{number}" for number in range(1, 51 if ALL else 31)]
AT_ONCE = 8
ROUNDS = 2


async def attack(house: AccountsHouse, rounds: int) -> Counter[str]:
    """Every account is tried from every address so often, in any order; what was answered."""
    tries = [(owner, place) for owner in OWNERS for place in PLACES] * rounds
    random.Random(4).shuffle(tries)
    gate, answers = asyncio.Semaphore(AT_ONCE), Counter[str]()

    async def one(owner: str, place: str) -> None:
        async with gate:
            found = await house.one(SIGN_IN, {"X-Forwarded-For": place}, mail=owner, password="password of the day")
            answers[found["code"]] += 1

    await asyncio.gather(*(one(owner, place) for owner, place in tries))
    return answers


async def by_link(house: AccountsHouse, owner: str, place: str) -> Any:
    """What an owner is answered who comes by a mail's link."""
    at_home = {"X-Forwarded-For": place}
    assert (await house.one(RESET_ASKED, at_home, mail=owner))["__typename"] == "MailOnItsWay"
    await house.stage.post()
    link = next(letter for letter in reversed(house.stage.mailer.letters) if letter.to == owner)
    assert link.subject == "ResetPassword"
    return await house.one(RESET, at_home, token=link.text.partition("#")[2], password=NEW)


async def test_few_of_many_passwords_are_tried_and_owners_get_in_by_mail(
    tmp_path: Path, database: DatabaseAddresses, valkey: Valkey
) -> None:
    hourly = SIGN_IN_OF_ACCOUNT
    async with (
        RedisQuotas(valkey.url, bytes(32), {}, {}).running() as quotas,
        running_accounts(tmp_path, database, quotas=quotas, trusted_proxies=1) as house,
    ):
        stage = house.stage
        for owner in OWNERS:
            await stage.member(owner)
        stage.passwords.calls.clear()
        answers = await attack(house, ROUNDS)
        tries = ROUNDS * len(OWNERS) * len(PLACES)
        assert sum(answers.values()) == tries >= 3 * hourly.times * len(OWNERS)
        assert answers["SIGN_IN_REFUSED"] == stage.passwords.calls["verify"] == hourly.times * len(OWNERS)
        assert answers["RATE_LIMITED"] == tries - answers["SIGN_IN_REFUSED"]
        assert hourly.window == timedelta(hours=1)
        assert await stage.count("session") == len(OWNERS)
        attacking = asyncio.create_task(attack(house, 1))
        for number, owner in enumerate(OWNERS):
            found = await by_link(house, owner, f"203.0.113.{number}")
            assert found["__typename"] == "SignedIn", found
        again = await attacking
        assert set(again) <= {"SIGN_IN_REFUSED", "RATE_LIMITED"}
        assert stage.passwords.calls["verify"] <= 2 * hourly.times * len(OWNERS)
        assert await stage.count("session", "ended_at is null") == len(OWNERS)
        wrong = await stage.count("deed", "action = 'sign_in.wrong_password' and about is not null")
        assert wrong == answers["SIGN_IN_REFUSED"] + again["SIGN_IN_REFUSED"]
