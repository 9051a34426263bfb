"""Who comes in, and who has to leave: sessions become actors, and whoever stays is judged again when rights change.

A request is judged once. A socket stays: whenever the standing of its person may have changed it is judged anew, all
sockets that are in doubt together in one look.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from domain.actor import Actor, Origin
from domain.errors import UnavailableError
from domain.identity.model import SignedOutError, Standing
from domain.identity.ports import StandingPorts
from domain.identity.sessions import actor_of
from domain.ids import PersonId, SessionId
from domain.overlay.model import OverlayId, Screen
from domain.overlay.ports import OverlayPorts
from gql.errors import UnauthenticatedError

ENDED = "Forbidden: your session has ended"
CHANGED = "Forbidden: your rights have changed; connect again"
SHUT = "Forbidden: this overlay is off, or has another token"

_AGAIN_S = 1.0
_log = structlog.get_logger("gametriggers.doorkeeper")

Leave = Callable[[str], None]
"""Makes somebody leave; it is told why."""


@dataclass(eq=False, slots=True)
class Guest:
    """Somebody who stays, and who they are at this moment."""

    actor: Actor
    session: SessionId
    leave: Leave
    screen: None = None

    @property
    def subject(self) -> str:
        """By what they are counted."""
        return str(self.actor.person)

    @property
    def concerned(self) -> set[PersonId]:
        """By whose standing they stay."""
        return {person for person in (self.actor.person, self.actor.impersonator) if person is not None}


@dataclass(eq=False, slots=True)
class ScreenGuest:
    """An overlay's page that stays."""

    screen: Screen
    leave: Leave
    actor: None = None

    @property
    def subject(self) -> str:
        """By what it is counted."""
        return self.screen.subject

    @property
    def concerned(self) -> frozenset[PersonId]:
        """By whose standing it stays."""
        return self.screen.people


class KeeperPorts(StandingPorts, Protocol):
    """What it takes to know who may stay."""

    @property
    def overlay(self) -> OverlayPorts:
        """Overlays."""
        ...


class Doorkeeper:
    """Knows who has come in to stay. Use it within `async with keeper.on_duty()`."""

    def __init__(self, ports: KeeperPorts) -> None:
        self._ports = ports
        self._guests: dict[PersonId, set[Guest | ScreenGuest]] = {}
        self._doubtful = set[Guest | ScreenGuest]()
        self._doubts = asyncio.Event()

    @asynccontextmanager
    async def on_duty(self) -> AsyncIterator["Doorkeeper"]:
        """Hear of changes while the block lasts."""
        forget = self._ports.standings.watch(self._doubt)
        judging = asyncio.create_task(self._judge_on())
        try:
            yield self
        finally:
            forget()
            judging.cancel()
            await asyncio.gather(judging, return_exceptions=True)

    async def admit(self, session: SessionId, origin: Origin, leave: Leave) -> Guest:
        """Let somebody in to stay. Raises `SignedOutError`, or `UnavailableError` where nobody can say."""
        guest = Guest(await actor_of(self._ports, session, origin), session, leave)
        self._add(guest)
        try:
            # A change that was told while we looked was told to nobody yet; memory has it no more then.
            self._judge(guest, await self._ports.standings.of(session), self._ports.clock())
        except BaseException:
            self.part(guest)
            raise
        return guest

    async def admit_screen(self, token: str, leave: Leave) -> ScreenGuest:
        """Let an overlay's page in to stay. Raises `UnauthenticatedError`, or `UnavailableError`."""
        screen = await screen_of(self._ports.overlay, token)
        guest = ScreenGuest(screen, leave)
        self._add(guest)
        try:
            self._judge_screen(guest, (await self._ports.overlay.overlays.screens([screen.overlay])))
        except BaseException:
            self.part(guest)
            raise
        return guest

    def part(self, guest: Guest | ScreenGuest) -> None:
        """Somebody has left."""
        for person in guest.concerned:
            guests = self._guests.get(person, set())
            guests.discard(guest)
            if not guests:
                self._guests.pop(person, None)
        self._doubtful.discard(guest)

    def _add(self, guest: Guest | ScreenGuest) -> None:
        for person in guest.concerned:
            self._guests.setdefault(person, set()).add(guest)

    def _doubt(self, person: PersonId | None) -> None:
        if person is None:
            self._doubtful.update(*self._guests.values())
        else:
            self._doubtful |= self._guests.get(person, set())
        if self._doubtful:
            self._doubts.set()

    async def _judge_on(self) -> None:
        while True:
            await self._doubts.wait()
            self._doubts.clear()
            doubtful, self._doubtful = self._doubtful, set()
            try:
                await self._judge_all(doubtful)
            except UnavailableError as error:
                _log.warning("guests_unjudged", guests=len(doubtful), error=repr(error))
            except Exception:  # noqa: BLE001  # one mistake of ours must not let everybody stay for ever
                _log.exception("guests_unjudged", guests=len(doubtful))
            else:
                continue
            self._doubtful |= {guest for guest in doubtful if self._is_here(guest)}
            await asyncio.sleep(_AGAIN_S)
            if self._doubtful:
                self._doubts.set()

    def _is_here(self, guest: Guest | ScreenGuest) -> bool:
        return any(guest in self._guests.get(person, ()) for person in guest.concerned)

    async def _judge_all(self, guests: Iterable[Guest | ScreenGuest]) -> None:
        """All people in one look, and all overlays in another."""
        people = [guest for guest in guests if isinstance(guest, Guest)]
        screens = [guest for guest in guests if isinstance(guest, ScreenGuest)]
        if people:
            known = await self._ports.standings.of_all({guest.session for guest in people})
            now = self._ports.clock()
            for guest in people:
                self._judge(guest, known.get(guest.session), now)
        if screens:
            found = await self._ports.overlay.overlays.screens({each.screen.overlay for each in screens})
            for each in screens:
                self._judge_screen(each, found)

    @staticmethod
    def _judge_screen(guest: ScreenGuest, known: Mapping[OverlayId, Screen]) -> None:
        found = known.get(guest.screen.overlay)
        if found is None or not found.is_on or found.digest != guest.screen.digest:
            guest.leave(SHUT)

    def _judge(self, guest: Guest, standing: Standing | None, now: datetime) -> None:
        """Let a guest stay, or make them leave. A fresh code or sign-in widens what they may, and ends nothing."""
        try:
            actor = standing.actor(now, guest.actor.origin) if standing else None
        except SignedOutError:
            actor = None
        if actor is None:
            guest.leave(ENDED)
        elif _rights(actor) != _rights(guest.actor):
            guest.leave(CHANGED)
        else:
            guest.actor = actor


async def screen_of(ports: OverlayPorts, token: str) -> Screen:
    """The overlay that has a token. Raises `UnauthenticatedError` for any other, and while it is off."""
    found = await ports.overlays.screen_of(ports.opaque_tokens.digest(token))
    if found is None or not found.is_on:
        raise UnauthenticatedError("There is no such overlay, or it is off.")
    return found


def _rights(actor: Actor) -> tuple[object, ...]:
    """What nobody keeps who has lost it; codes, sign-ins and addresses that are proven meanwhile are not among it."""
    return (
        actor.person, actor.staff_role, actor.permissions, actor.brands, actor.is_streamer, actor.also,
        actor.impersonator,
    )  # fmt: skip
