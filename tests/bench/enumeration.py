"""Whether the time of an answer tells who has an account: known against unknown addresses, by turns, over HTTP.

`python -m tests.bench.enumeration [--rounds 60]` prints, for each way to ask, the ratio of the medians and what the
same measurement says of unknown against unknown: a difference within that is no difference. A ratio beyond both that
and 5 % ends it with status 1.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters.embedded.database import make_database
from adapters.identity.passwords import common_passwords
from tests.accounts_house import SIGN_IN, SIGN_UP, AccountsHouse, running_accounts
from tests.servers import PASSWORDS, Servers, drop_database
from tests.vaults import open_vault

ALLOWED = 0.05
RESET_ASKED = "mutation ($mail: String!) { requestPasswordReset(input: {mail: $mail}) { __typename } }"
WRONG = "not the right one, at any rate"

Ask = Callable[[AccountsHouse, str], Awaitable[object]]


async def sign_in(house: AccountsHouse, mail: str) -> object:
    return await house.one(SIGN_IN, mail=mail, password=WRONG)


async def sign_up(house: AccountsHouse, mail: str) -> object:
    return await house.one(SIGN_UP, mail=mail, password=WRONG)


async def ask_for_reset(house: AccountsHouse, mail: str) -> object:
    return await house.one(RESET_ASKED, mail=mail)


WAYS: dict[str, Ask] = {"signIn": sign_in, "signUp": sign_up, "requestPasswordReset": ask_for_reset}


async def timed(house: AccountsHouse, ask: Ask, mail: str) -> float:
    house.stage.turn(hours=1, seconds=1)  # no limit stands in the way
    begun = time.perf_counter()
    await ask(house, mail)
    return time.perf_counter() - begun


async def measure(house: AccountsHouse, name: str, known: list[str], rounds: int) -> bool:
    """Print one way's figures; whether known and unknown differ by no more than unknown and unknown do."""
    times: dict[str, list[float]] = {"known": [], "unknown": [], "unknown again": []}
    for number in range(rounds + 5):
        new = [f"{secrets.token_hex(8)}@mail.example" for _ in range(2)]
        whom = {"known": known[number % len(known)], "unknown": new[0], "unknown again": new[1]}
        for kind in secrets.SystemRandom().sample(list(times), 3):
            times[kind].append(await timed(house, WAYS[name], whom[kind]))
    known_s, unknown_s, again_s = (statistics.median(found[5:]) for found in times.values())
    ratio, noise = known_s / unknown_s, again_s / unknown_s
    print(
        f"{name:22} known {known_s * 1000:7.2f} ms  ratio={ratio:.3f}  unknown against unknown={noise:.3f}", flush=True
    )
    return abs(ratio - 1) <= max(ALLOWED, 2 * abs(noise - 1))


async def measured(superuser_url: str, template: str, folder: Path, rounds: int) -> bool:
    common_passwords()
    name = f"bench_{secrets.token_hex(6)}"
    addresses = await make_database(superuser_url, name, PASSWORDS, template=template)
    try:
        async with (
            open_vault(addresses) as vault,
            running_accounts(folder, addresses, vault=vault, costly=True) as house,
        ):
            known = [f"known{number}@mail.example" for number in range(10)]
            for mail in known:
                await house.stage.member(mail)
            return all([await measure(house, way, known, rounds) for way in WAYS])
    finally:
        await drop_database(superuser_url, name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    servers = Servers()
    try:
        started = servers.start()
        with tempfile.TemporaryDirectory() as folder:
            alike = asyncio.run(measured(started.superuser_url, started.template, Path(folder), rounds))
    finally:
        servers.stop()
    sys.exit(0 if alike else 1)


if __name__ == "__main__":
    main()
