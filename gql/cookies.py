"""Sign-in cookies: for browsers that are to hold tokens where no script of a page can read them.

The endpoint reads them only of requests that no page of another site could have made a browser send. Each portal has
cookies of its own, and its pages' requests are answered by those alone: a script that slipped into one portal does
nothing in a session of another, staff's least of all, and one browser may be signed in at each.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.identity.model import REFRESH_LIFETIME, Portal
from domain.identity.sessions import SignedIn
from gql.errors import BadInputError

_ACCESS, _REFRESH = "access", "refresh"


@dataclass(slots=True)
class CookieJar:
    """The cookies of one request, and those that its answer is to set.

    Without a domain they are for this very host, and their names make browsers see to it (`__Host-`); with one, that no
    page without TLS sets them (`__Secure-`). They are `Secure`, also in development: browsers take that over http from
    localhost alone.
    """

    portal: Portal | None = None
    """Whose page asks. Without one no cookie is read or set."""
    domain: str | None = None
    taken: bool = False
    """Whether the answer may set cookies: over HTTP, for a portal's page that another site's could not pass for."""
    presented: dict[str, str] = field(default_factory=dict, repr=False)
    written: list[str] = field(default_factory=list, repr=False)
    """What the endpoint sends as `Set-Cookie`, a header each."""

    @property
    def access(self) -> str | None:
        """The access token that came in a cookie."""
        return self._presented(_ACCESS)

    @property
    def refresh(self) -> str | None:
        """The refresh token that came in a cookie."""
        return self._presented(_REFRESH)

    def takes(self, portal: Portal) -> bool:
        """Whether the answer may set the cookies of a portal: only its own pages' requests bring them again."""
        return self.taken and self.portal is portal

    def keep(self, signed_in: SignedIn, now: datetime) -> None:
        """Let the browser keep a session's tokens, each for as long as it holds.

        Raises `BadInputError` for a session of another portal than that whose page asks.
        """
        if not self.takes(signed_in.session.portal):
            raise BadInputError("The session is of another portal than the page that asks: it cannot have its cookies.")
        self._write(_ACCESS, signed_in.access.text, signed_in.access.expires_at - now)
        if signed_in.refresh is not None:
            left = min(now + REFRESH_LIFETIME, signed_in.session.expires_at) - now
            self._write(_REFRESH, signed_in.refresh, left)

    def forget(self) -> None:
        """Let the browser forget the tokens that it has."""
        for name in (_ACCESS, _REFRESH):
            if self._presented(name):
                self._write(name, "", timedelta())

    def _presented(self, name: str) -> str | None:
        return (self.presented.get(self._name(name)) or None) if self.portal else None

    def _name(self, name: str) -> str:
        return f"{'__Secure' if self.domain else '__Host'}-gametriggers-{self.portal}-{name}"

    def _write(self, name: str, value: str, lasts: timedelta) -> None:
        place = f"; Domain={self.domain}" if self.domain else ""
        age = max(0, int(lasts.total_seconds()))
        self.written.append(f"{self._name(name)}={value}; Max-Age={age}; Path=/{place}; Secure; HttpOnly; SameSite=Lax")
