"""A process may die anywhere: right before or after each commit, request, publication. In the end nothing shows it.

Each story is told once without a death, and its points are counted on the way: no list of them is kept by hand. Then it
is told again for each point and each side of it, with a real process and a real `os._exit` at that very place.
"""

import ast
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from adapters.config import ROOT
from tests.journeys.crash_stage import EVERYWHERE, crash_stage
from tests.journeys.crash_stories import STORIES
from tests.journeys.nursery import Doom, Nursery, Point, nursery
from tests.servers import Addresses, Valkey

pytestmark = pytest.mark.asyncio(loop_scope="module")

AFTERWARDS = timedelta(minutes=11)
"""When the sweep comes by again after a death: an order that the dead had in hand is put off for some minutes."""

BESIDE_THE_PATHS = {"batcher", "trusted_documents"}
"""The other door of the ledger has a crash test of its own, and no path here goes through it; documents are uploaded in
one database transaction, all or none, and no money moves by it."""


class Ending(NamedTuple):
    """How a story ended."""

    outcome: dict[str, Any]
    findings: list[str]
    points: list[Point]
    died: bool
    left: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lives() -> AsyncIterator[Nursery]:
    async with nursery() as opened:
        yield opened


@pytest.fixture(scope="module")
def endings() -> dict[str, Ending]:
    """How stories end in which nobody dies, as far as they were told."""
    return {}


class Theatre:
    """Tells stories, each time on a stage of its own."""

    def __init__(
        self, lives: Nursery, servers: Addresses, valkey: Valkey, folder: Path, endings: dict[str, Ending]
    ) -> None:
        self._lives, self._servers, self._valkey, self._folder = lives, servers, valkey, folder
        self._numbers, self._endings = count(1), endings

    async def undisturbed(self, name: str) -> Ending:
        """A story in which nobody dies, told once."""
        if name not in self._endings:
            self._endings[name] = await self.tell(name)
        return self._endings[name]

    async def tell(self, name: str, doom: Doom | None = None) -> Ending:
        story, folder = STORIES[name], self._folder / str(next(self._numbers))
        async with crash_stage(self._lives, self._servers, self._valkey.url, folder, doom, story.settings) as stage:
            await story.tell(stage)
            points = stage.points
            if stage.died:
                await stage.sweep(AFTERWARDS)
            await stage.close_server()
            if story.told or EVERYWHERE:
                await stage.tell()
            outcome = await stage.outcome()
            mine = next(minor for account, _, minor in outcome["balances"] if account == "me hosting_credit")
            return Ending(outcome, await stage.audited(), points, stage.died, mine // 100)


@pytest.fixture
def theatre(lives: Nursery, servers: Addresses, valkey: Valkey, tmp_path: Path, endings: dict[str, Ending]) -> Theatre:
    return Theatre(lives, servers, valkey, tmp_path, endings)


@pytest.mark.parametrize("name", STORIES)
async def test_a_death_anywhere_changes_nothing(name: str, theatre: Theatre) -> None:
    without = await theatre.undisturbed(name)
    assert without.left == STORIES[name].left
    assert without.findings == []
    assert without.points
    wrong = {}
    for doom in dooms(without.points):
        try:
            with_it = await theatre.tell(name, doom)
        except Exception as error:  # noqa: BLE001  # the whole table is worth more than its first gap
            wrong[str(doom)] = repr(error)
            continue
        if difference := differences(without, with_it):
            wrong[str(doom)] = difference
    assert not wrong, "\n".join(f"{doom}: {what}" for doom, what in wrong.items())


async def test_no_unit_of_work_is_forgotten(theatre: Theatre) -> None:
    seen = set[str]()
    for name in STORIES:
        seen |= {point.place for point in (await theatre.undisturbed(name)).points}
    assert set(units_of_work()) - seen == set()
    assert {"gateway snap.create", "gateway core.status", "gateway core.cancel", "relay.publish"} <= seen
    assert {"outbox.number_events", "outbox.mark_published", "tail.save", "seal.seal_next", "seal._append"} <= seen


def dooms(points: list[Point]) -> Iterator[Doom]:
    """Both sides of each point. Within a task, to die right after a point is to die right before the next one."""
    for point in points:
        yield Doom(point, "before")
        later = points[points.index(point) + 1 :]
        if EVERYWHERE or not any((next_.life, next_.task) == (point.life, point.task) for next_ in later):
            yield Doom(point, "after")


def differences(without: Ending, with_it: Ending) -> str:
    """What a death has changed, in words; nothing if nothing."""
    if not with_it.died:
        return "nobody died: the story does not come to this point again"
    found = [f"audit: {finding}" for finding in with_it.findings]
    for name, expected in without.outcome.items():
        if with_it.outcome[name] != expected:
            found.append(f"{name}: expected {expected}, found {with_it.outcome[name]}")
    return "; ".join(found)


def units_of_work() -> Iterator[str]:
    """Every function of the money's paths that commits, by the source."""
    campaigns = [ROOT / "domain" / "campaign" / f"{name}.py" for name in ("running", "escrow")]
    wallet, postgres = (ROOT / "domain" / "wallet").rglob("*.py"), (ROOT / "adapters" / "postgres").glob("*.py")
    earnings = [ROOT / "domain" / "earning" / f"{name}.py" for name in ("asking", "closing", "disputing", "releasing")]
    for file in [*wallet, *postgres, *campaigns, *earnings]:
        if file.stem in BESIDE_THE_PATHS | {"work", "database"}:
            continue
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.AsyncFunctionDef) and any(map(commits, ast.walk(function))):
                yield f"{file.stem}.{function.name}"


def commits(node: ast.AST) -> bool:
    """`async with ports.work()` or `async with ....transaction()`."""
    return isinstance(node, ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call)
        and isinstance(item.context_expr.func, ast.Attribute)
        and item.context_expr.func.attr in {"work", "transaction"}
        for item in node.items
    )
