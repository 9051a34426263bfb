"""Lives of `tests.journeys.mortal`, from the side that gives the orders."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from adapters.config import ROOT


class Point(NamedTuple):
    """A step in one of a story's lives: where in our code, and the how-manieth time there."""

    life: int
    place: str
    number: int
    task: int
    """Which task of that life was at work: one for each request."""


class Doom(NamedTuple):
    """A point, and the side of it to die at."""

    point: Point
    side: str

    def __str__(self) -> str:
        return f"{self.side} {self.point.place} #{self.point.number} of life {self.point.life}"


class Life:
    """A process: begotten, perhaps ended."""

    def __init__(self, number: int) -> None:
        self.number = number
        loop = asyncio.get_running_loop()
        self.born: asyncio.Future[int] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()


class Nursery:
    """Begets lives on request. Made by `nursery()`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lives: dict[int, Life] = {}

    async def beget(
        self, role: str, settings: Mapping[str, object], folder: Path, passed: Path, doom: Doom | None
    ) -> Life:
        """A new life in a role; it notes the points that it passes in a file, and dies where it is told."""
        life = Life(len(self._lives) + 1)
        self._lives[life.number] = life
        end = [doom.point.place, doom.point.number, doom.side] if doom else None
        order = {
            "life": life.number, "role": role, "settings": dict(settings), "folder": str(folder),
            "passed": str(passed), "doom": end,
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        await life.born
        return life

    async def listen(self) -> None:
        """Hear of births and deaths until the nursery closes."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            news: dict[str, Any] = json.loads(line)
            life = self._lives[news["life"]]
            if "pid" in news:
                life.born.set_result(news["pid"])
            else:
                life.ended.set_result(news["status"])
        for life in self._lives.values():
            for awaited in (life.born, life.ended):
                if not awaited.done():
                    awaited.set_exception(RuntimeError("the nursery has ended"))
                    awaited.exception()  # heard of by whoever waits; nobody need


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery of one's own; every life ends with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.journeys.mortal", cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    opened = Nursery(process)
    listening = asyncio.create_task(opened.listen())
    try:
        yield opened
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening
