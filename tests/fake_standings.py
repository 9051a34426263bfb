"""Standings in memory: whoever is asked for a session has one, and a change is told at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.actor import Actor
from domain.errors import UnavailableError
from domain.identity.model import PersonStatus, Session, Standing
from domain.ids import PersonId, SessionId
from tests.people import session_of


class FakeStandings:
    """`domain.identity.ports.Standings`. `uses` says when each session was used; `away` that nobody answers."""

    def __init__(self) -> None:
        self.known: dict[SessionId, Standing] = {}
        self.watchers: list[Callable[[PersonId | None], None]] = []
        self.uses: dict[SessionId, datetime] = {}
        self.looks: list[int] = []
        self.away = False

    async def of(self, session: SessionId) -> Standing | None:
        return (await self._looked()).get(session)

    async def of_all(self, sessions: Collection[SessionId]) -> Mapping[SessionId, Standing]:
        self.looks.append(len(sessions))
        known = await self._looked()
        return {session: known[session] for session in sessions if session in known}

    def used(self, session: SessionId, now: datetime) -> None:
        self.uses[session] = now

    def watch(self, watcher: Callable[[PersonId | None], None]) -> Callable[[], None]:
        self.watchers.append(watcher)
        return lambda: self.watchers.remove(watcher)

    def session(self, actor: Actor) -> Session:
        """The session of somebody; they have had one all along."""
        for standing in self.known.values():
            if standing.session.person == actor.person:
                return standing.session
        return self.begin(session_of(actor.person))

    def begin(self, session: Session, **more: Any) -> Session:
        """A session begins."""
        self.known[session.id] = Standing(session, PersonStatus.ACTIVE, **more)
        return session

    def change(self, session: Session, /, **changes: Any) -> None:
        """Something of a session's standing changes, and everybody hears of it."""
        self.known[session.id] = replace(self.known[session.id], **changes)
        self.tell(session.person)

    def tell(self, person: PersonId | None) -> None:
        for watcher in self.watchers:
            watcher(person)

    async def _looked(self) -> Mapping[SessionId, Standing]:
        if self.away:
            raise UnavailableError("nobody answers")
        return self.known
