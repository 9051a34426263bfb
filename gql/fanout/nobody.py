"""What an execution that many share can reach: everything but who is calling."""

from domain.actor import Actor, Origin
from domain.ids import uuid7_hex
from domain.overlay.model import Screen
from domain.ports import Ports
from gql.access import Judged
from gql.context import Context
from gql.cookies import CookieJar
from gql.loaders import Loaders

_NOWHERE = Origin(address="", request_id="")


class SharedContext(Judged, Context):
    """The context of nobody in particular. It notes whether anybody asked for somebody.

    To be nobody is an answer as well, so that a resolver that asks may show something else without any error: whatever
    came of it is not to be shown to anybody.
    """

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, None, uuid7_hex())
        self.renew()
        self.was_asked_for_somebody = False

    def __repr__(self) -> str:
        """For logs: they show everything that they find, and are nobody who asks."""
        return "<a context that many share>"

    def renew(self) -> None:
        """Forget what was looked up."""
        self._loaders = Loaders(self.ports, None)

    @property
    def actor(self) -> Actor | None:
        """Nobody."""
        self.was_asked_for_somebody = True
        return None

    @actor.setter
    def actor(self, actor: Actor | None) -> None:
        pass

    @property
    def screen(self) -> Screen | None:
        """None."""
        self.was_asked_for_somebody = True
        return None

    @screen.setter
    def screen(self, screen: Screen | None) -> None:
        pass

    @property
    def origin(self) -> Origin:
        """Nowhere."""
        self.was_asked_for_somebody = True
        return _NOWHERE

    @origin.setter
    def origin(self, origin: Origin) -> None:
        pass

    @property
    def cookies(self) -> CookieJar:
        """None."""
        self.was_asked_for_somebody = True
        return CookieJar()

    @cookies.setter
    def cookies(self, cookies: CookieJar) -> None:
        pass
