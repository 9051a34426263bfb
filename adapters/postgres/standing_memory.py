"""Standings that are remembered: as many as there is room for; first to go is what was asked for longest ago."""

from collections import OrderedDict
from collections.abc import Iterator

from domain.identity.model import Standing
from domain.ids import PersonId, SessionId

_MOST = 20_000


class StandingMemory:
    """Standings by session, and found by whom they concern: the person, and staff who look through their eyes."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: OrderedDict[SessionId, Standing] = OrderedDict()
        self._of: dict[PersonId, set[SessionId]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, session: SessionId) -> Standing | None:
        """A standing, if it is remembered."""
        found = self._known.get(session)
        if found is not None:
            self._known.move_to_end(session)
        return found

    def put(self, standing: Standing) -> None:
        """Remember a standing in place of what was known of its session."""
        session = standing.session.id
        self._drop(session)
        self._known[session] = standing
        for person in _concerned(standing):
            self._of.setdefault(person, set()).add(session)
        if len(self._known) > self._most:
            self._drop(next(iter(self._known)))

    def forget(self, person: PersonId | None) -> None:
        """Forget all sessions of a person; of everybody for None."""
        if person is None:
            self._known.clear()
            self._of.clear()
            return
        for session in tuple(self._of.get(person, ())):
            self._drop(session)

    def _drop(self, session: SessionId) -> None:
        standing = self._known.pop(session, None)
        if standing is None:
            return
        for person in _concerned(standing):
            sessions = self._of[person]
            sessions.discard(session)
            if not sessions:
                del self._of[person]


def _concerned(standing: Standing) -> Iterator[PersonId]:
    session = standing.session
    yield session.person
    if session.impersonator is not None and session.impersonator != session.person:
        yield session.impersonator
