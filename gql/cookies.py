"""Sign-in cookies: for browsers that are to hold tokens where no script of a page can read them.

The endpoint reads them only of requests that no page of another site could have made a browser send.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.identity.model import REFRESH_LIFETIME
from domain.identity.sessions import SignedIn

_ACCESS, _REFRESH = "gametriggers-access", "gametriggers-refresh"


@dataclass(slots=True)
class CookieJar:
    """The cookies of one request, and those that its answer is to set.

    Without a domain they are for this very host, and their names make browsers see to it (`__Host-`); with one, that no
    page without TLS sets them (`__Secure-`). They are `Secure`, also in development: browsers take that over http from
    localhost alone.
    """

    domain: str | None = None
    taken: bool = False
    """Whether the answer may set cookies: over HTTP, and for who could not be another site's page."""
    presented: dict[str, str] = field(default_factory=dict, repr=False)
    written: list[str] = field(default_factory=list, repr=False)
    """What the endpoint sends as `Set-Cookie`, a header each."""

    @property
    def access(self) -> str | None:
        """The access token that came in a cookie."""
        return self.presented.get(self._name(_ACCESS)) or None

    @property
    def refresh(self) -> str | None:
        """The refresh token that came in a cookie."""
        return self.presented.get(self._name(_REFRESH)) or None

    def keep(self, signed_in: SignedIn, now: datetime) -> None:
        """Let the browser keep a session's tokens, each for as long as it holds."""
        self._write(_ACCESS, signed_in.access.text, signed_in.access.expires_at - now)
        if signed_in.refresh is not None:
            left = min(now + REFRESH_LIFETIME, signed_in.session.expires_at) - now
            self._write(_REFRESH, signed_in.refresh, left)

    def forget(self) -> None:
        """Let the browser forget the tokens that it has."""
        for name in (_ACCESS, _REFRESH):
            if self._name(name) in self.presented:
                self._write(name, "", timedelta())

    def _name(self, name: str) -> str:
        return f"__Secure-{name}" if self.domain else f"__Host-{name}"

    def _write(self, name: str, value: str, lasts: timedelta) -> None:
        place = f"; Domain={self.domain}" if self.domain else ""
        age = max(0, int(lasts.total_seconds()))
        self.written.append(f"{self._name(name)}={value}; Max-Age={age}; Path=/{place}; Secure; HttpOnly; SameSite=Lax")
