"""What a resolver may reach: who is calling, the domain's ports, and the loaders of this request."""

from dataclasses import dataclass, field

import strawberry

from domain.actor import Actor, Origin
from domain.identity.model import Portal, SignedOutError
from domain.identity.ports import IdentityPorts
from domain.identity.sessions import actor_by_now
from domain.ids import PersonId
from domain.ledger.ports import AccountView
from domain.overlay.model import Screen
from domain.ports import Ports
from domain.rights import BrandRole
from gql.budget import Budget
from gql.cookies import CookieJar
from gql.errors import UnauthenticatedError
from gql.loaders import Loaders

_NOWHERE = Origin(address="", request_id="")


@dataclass(slots=True)
class Context:
    """One operation's context."""

    ports: Ports
    actor: Actor | None
    correlation_id: str
    origin: Origin = _NOWHERE
    """Where the request came from."""
    cookies: CookieJar = field(default_factory=CookieJar)
    """What cookies came, and what the answer is to set."""
    screen: Screen | None = None
    """The overlay that is calling, which is nobody: there is no actor then."""
    budget: Budget = field(init=False)
    _loaders: Loaders | None = field(default=None, init=False)
    _has_changed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.budget = Budget(self.ports.quotas, self.actor, self.origin, self.screen)

    @property
    def loaders(self) -> Loaders:
        """What was looked up so far."""
        if self._loaders is None:
            self._loaders = Loaders(self.ports, self.actor)
        return self._loaders

    def renew(self) -> None:
        """Forget what was looked up: a subscription's next event must see what is true then."""
        self._loaders = None

    async def before_change(self) -> None:
        """Before each change but the first, look who the caller is by now, and forget what was looked up before.

        An earlier one of the same request may have ended their session, in which case they are nobody, or taken a
        right from them. Raises `UnavailableError` where nobody can say.
        """
        if self._has_changed:
            await self.look_again()
        self._has_changed = True

    async def look_again(self) -> None:
        """Look who the caller is by now, and forget what was looked up: after what may have given them a right, too."""
        if self.actor is not None and self.actor.session is not None:
            try:
                self.actor = await actor_by_now(self.ports, self.actor.session, self.origin)
            except SignedOutError:
                self.actor = None
        self.renew()

    @property
    def portal(self) -> Portal | None:
        """The portal whose session the caller has; where nobody is signed in, that whose page asks, if any's does."""
        return Portal(self.actor.portal) if self.actor is not None and self.actor.portal else self.cookies.portal

    @property
    def identity(self) -> IdentityPorts:
        """What identity's actions are handed."""
        return self.ports.identity

    @property
    def person(self) -> PersonId:
        """The person who is calling. Raises `UnauthenticatedError` if that is nobody."""
        return self.caller.person

    @property
    def caller(self) -> Actor:
        """Who is calling. Raises `UnauthenticatedError` if that is nobody."""
        if self.actor is None:
            raise UnauthenticatedError
        return self.actor

    @property
    def calling_screen(self) -> Screen:
        """The overlay that is calling. Raises `UnauthenticatedError` if none is."""
        if self.screen is None:
            raise UnauthenticatedError
        return self.screen

    def owns(self, account: AccountView | None) -> bool:
        """Whether an account exists and is the caller's own: for all others it is as if it did not exist."""
        actor = self.actor
        return account is not None and actor is not None and actor.stands_for(account.key.owner, BrandRole.VIEWER)


Info = strawberry.Info[Context, None]
"""What a resolver is handed."""
