"""A process that refreshes one session many times at once, when it is told to, and says what came of it."""

import asyncio
import json
import subprocess
import sys
from typing import Self

from adapters.config import ROOT
from adapters.embedded.database import DatabaseAddresses
from domain.identity.sessions import SignedIn, refresh_session
from tests.accounts_stage import origin, staged_accounts


async def race(url: str, token: str, times: int) -> None:
    async with staged_accounts(DatabaseAddresses("", url, "", "")) as stage:
        await stage.value("select 1")
        print("ready", flush=True)
        sys.stdin.readline()
        found = await asyncio.gather(*(refresh_session(stage, token, origin()) for _ in range(times)))
        print(json.dumps([each.refresh if isinstance(each, SignedIn) else each.code for each in found]), flush=True)


class Racer:
    """The process, as the test holds it."""

    def __init__(self, url: str, token: str, times: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.refresh_racer", url, token, str(times)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def line(self) -> str:
        """The next that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        """Let it run."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], sys.argv[2], int(sys.argv[3])))
