"""The story of `make demo`, told as a newcomer has it told; and that it ends where something is amiss, saying what."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest

from adapters.config import ROOT
from adapters.embedded.family import Family
from adapters.embedded.folders import delete_if_abandoned
from adapters.embedded.household import VAR
from adapters.embedded.story.checks import AmissError, expect, until
from adapters.embedded.story.client import Person, Watch
from tests.waiting import eventually

LONGEST_S = 240.0


@asynccontextmanager
async def a_demo() -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.cli", "demo", cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        for left in (VAR / "demo").glob(f"{process.pid}-*"):
            delete_if_abandoned(left)


async def said(process: Process, sentence: str) -> None:
    """Wait for a line with these words."""
    assert process.stdout is not None
    async with asyncio.timeout(LONGEST_S):
        async for line in process.stdout:
            if sentence in line.decode():
                return
    raise AssertionError(f"it ended without saying {sentence!r}")


async def started_by(process: Process) -> list[psutil.Process]:
    return await eventually(lambda: psutil.Process(process.pid).children(recursive=True))


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_the_story_ends_well_and_leaves_nothing_behind() -> None:
    async with a_demo() as process, asyncio.timeout(LONGEST_S):
        said_, complained = await process.communicate()
        lines = said_.decode().splitlines()
        assert (process.returncode, complained.decode()) == (0, ""), lines
        assert lines[-1] == "demo ok"
        assert any("audit ok" in line for line in lines)
        assert any("67 subscriptions went on behind their cursors" in line for line in lines)
        assert not list((VAR / "demo").glob(f"{process.pid}-*"))


async def test_a_process_that_dies_ends_the_story_with_what_and_where_and_every_other_process() -> None:
    async with a_demo() as process, asyncio.timeout(LONGEST_S):
        await said(process, "run as processes")
        children = await started_by(process)
        worker = next(child for child in children if child.cmdline()[-1:] == ["work"])
        worker.kill()
        _, complained = await process.communicate()
        assert process.returncode == 1
        assert "demo failed in '" in complained.decode()
        assert "`work` ended with status -9" in complained.decode()
        assert len(children) > 3
        await eventually(lambda: all(map(is_gone, children)))
        assert [file.name for file in (VAR / "demo").glob(f"{process.pid}-*/*")] == ["processes"]


async def test_a_story_that_is_broken_off_ends_everything_and_is_not_ok() -> None:
    async with a_demo() as process, asyncio.timeout(LONGEST_S):
        await said(process, "run as processes")
        children = await started_by(process)
        process.terminate()
        said_, _ = await process.communicate()
        assert process.returncode == 130
        assert b"demo ok" not in said_
        await eventually(lambda: all(map(is_gone, children)))
        assert not list((VAR / "demo").glob(f"{process.pid}-*"))


def test_a_figure_that_is_wrong_is_named() -> None:
    expect("a balance", "10.00", "10.00")
    with pytest.raises(AmissError, match=r"a balance: it is 10\.00, and it should be 20\.00"):
        expect("a balance", "10.00", "20.00")


async def test_waiting_ends_when_a_process_has_ended_and_when_time_is_up(tmp_path: Any) -> None:
    with pytest.raises(AmissError, match="a credit: not within 0 s"):
        await until("a credit", lambda: False, Family(tmp_path).check, timeout_s=0)


class Nobody(Person):
    """Never gets in."""

    def __init__(self) -> None:
        pass

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield


def entry(sequence: int) -> dict[str, Any]:
    amounts = {"change": {"amount": "1.00"}, "balanceAfter": {"amount": "1.00"}}
    return {"cursor": f"c{sequence}", "entry": {"sequence": sequence, "kind": "TOP_UP", **amounts}}


@pytest.mark.parametrize("told", [[4], [6], [5, 5], [5, 7]], ids=["known", "skipped", "doubled", "lost"])
async def test_a_watch_takes_every_entry_once_and_in_order(told: list[int]) -> None:
    watch = Watch(Nobody(), "wallet")
    newest = [{"node": {"sequence": 4}}]
    wallet = {"balance": {"total": {"amount": "1.00"}}, "statement": {"edges": newest}}
    watch._take({"snapshot": "c4", "wallet": wallet})
    for sequence in told[:-1]:
        watch._take(entry(sequence))
    with pytest.raises(AmissError, match="The subscription told entry"):
        watch._take(entry(told[-1]))
