"""Sends the whole corpus again and again, a document at each beat, until it is ended; answers are read and forgotten.

`python -m tests.soak.hostile_sender URL RATE` prints a line for each time through; the token comes by standard input.
"""

import asyncio
import sys

import aiohttp

from tests.gql.hostile.corpus import BODIES, DOCUMENTS
from tests.gql.house import RESPONSE

_AT_A_TIME = 4


async def send(url: str, rate: float, token: str) -> None:
    """Send for ever. What is not refused ends the program."""
    bodies = [body() for body in (*DOCUMENTS.values(), *BODIES.values())]
    headers = {"Content-Type": "application/json", "Accept": RESPONSE, "Authorization": f"Bearer {token}"}
    places = asyncio.Semaphore(_AT_A_TIME)
    async with aiohttp.ClientSession(headers=headers) as client:

        async def one(body: bytes) -> None:
            async with places, client.post(url, data=body) as answer:
                await answer.read()
                if not 400 <= answer.status < 500:
                    raise AssertionError(f"{answer.status} for {body[:200]!r}")

        while True:
            async with asyncio.TaskGroup() as group:
                for body in bodies:
                    await asyncio.sleep(1 / rate)
                    group.create_task(one(body))
            print("through", flush=True)


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], float(sys.argv[2]), sys.stdin.readline().strip()))
