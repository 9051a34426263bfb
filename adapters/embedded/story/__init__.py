"""`make demo`: the main job told in a terminal, from nothing, each step with the figures that prove it."""

import asyncio
import time
from collections.abc import Callable

import aiohttp

from adapters.embedded.dev import asked_to_stop
from adapters.embedded.story.chapters import told
from adapters.embedded.story.scene import Scene
from adapters.embedded.story.stage import Stage, new_stage

_REQUEST_S = 20.0


class StoryFailedError(Exception):
    """Something was amiss; its text says in which chapter, and what."""


def tell(say: Callable[[str], None]) -> None:
    """Tell the story and end in `demo ok`; whatever was started has ended by then. Raises `StoryFailedError`."""
    teller = _Teller(say)
    stage: Stage | None = None
    with asked_to_stop() as asked:
        try:
            teller.chapter("A stage of our own")
            with new_stage(teller.say) as stage:
                try:
                    asyncio.run(_tell(stage, teller))
                except Exception:
                    stage.family.check()
                    raise
        except Exception as error:
            what = str(error) if type(error).__module__.startswith("adapters.") else repr(error)
            logs = f"\nThe logs of its processes are kept in {stage.family.folder}." if stage else ""
            raise StoryFailedError(f"demo failed in {teller.title!r}: {what}{logs}") from error
    if asked:
        raise KeyboardInterrupt
    say(f"\nAll of it took {teller.elapsed_s:.0f} s, and everything that was started has ended.\ndemo ok")


async def _tell(stage: Stage, teller: "_Teller") -> None:
    timeout = aiohttp.ClientTimeout(total=_REQUEST_S)
    endless = aiohttp.TCPConnector(limit=0, force_close=True)  # one that was kept may be closed just as it is used
    async with aiohttp.ClientSession(timeout=timeout, connector=endless) as session:
        await told(Scene(stage, session, teller.say), teller.chapter)


class _Teller:
    """Says what happens, and knows which chapter we are in and how long it all takes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._began, self._number = say, time.monotonic(), 0
        self.title = ""

    @property
    def elapsed_s(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def chapter(self, title: str) -> None:
        """Begin the next chapter."""
        self._number += 1
        self.title = f"{self._number}. {title}"
        self._say(f"\n{self.title}")

    def say(self, sentence: str) -> None:
        """Say a sentence, with the seconds since the beginning before it."""
        self._say(f"  {self.elapsed_s:4.1f} s  {sentence}")
