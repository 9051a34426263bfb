"""Sign-in cookies by themselves: whose they are, what they are called, and what a browser is told about them."""

from datetime import timedelta

import pytest

from domain.identity.model import Portal, Session
from domain.identity.ports import AccessToken
from domain.identity.sessions import SignedIn
from domain.ids import PersonId, uuid7
from gql.cookies import CookieJar
from gql.errors import BadInputError
from tests.people import session_of

EVERYBODYS = {
    f"{kind}-gametriggers-{portal}-{name}": f"{name} of {portal} by {kind}"
    for kind in ("__Host", "__Secure")
    for portal in Portal
    for name in ("access", "refresh")
}


def session(portal: Portal) -> Session:
    return session_of(PersonId(uuid7()), portal)


def kept(jar: CookieJar, portal: Portal) -> list[str]:
    """What the browser is told to keep of a session that began this moment."""
    begun = session(portal)
    now = begun.created_at
    jar.keep(SignedIn(begun, AccessToken("a.b.c", now + timedelta(minutes=15)), "opaque"), now)
    return jar.written


@pytest.mark.parametrize("domain", [None, "portal.example"])
@pytest.mark.parametrize("portal", Portal)
def test_a_portals_page_is_heard_by_its_own_cookies_alone(portal: Portal, domain: str | None) -> None:
    jar = CookieJar(portal, domain, presented=EVERYBODYS)
    kind = "__Secure" if domain else "__Host"
    assert (jar.access, jar.refresh) == (f"access of {portal} by {kind}", f"refresh of {portal} by {kind}")
    without = {name: value for name, value in EVERYBODYS.items() if f"-{portal}-" not in name}
    assert CookieJar(portal, domain, presented=without).access is None
    assert CookieJar(portal, domain, presented=without).refresh is None


def test_who_is_no_portals_page_is_heard_by_none() -> None:
    nobodys = {**EVERYBODYS, "__Host-gametriggers-None-access": "x", "__Host-gametriggers-None-refresh": "y"}
    jar = CookieJar(presented=nobodys)
    assert (jar.access, jar.refresh) == (None, None)
    jar.forget()
    assert jar.written == []


@pytest.mark.parametrize("portal", Portal)
def test_a_session_is_kept_under_its_portals_name_where_no_script_sees_it(portal: Portal) -> None:
    rest = "Path=/; Secure; HttpOnly; SameSite=Lax"
    assert kept(CookieJar(portal, taken=True), portal) == [
        f"__Host-gametriggers-{portal}-access=a.b.c; Max-Age=900; {rest}",
        f"__Host-gametriggers-{portal}-refresh=opaque; Max-Age=604800; {rest}",
    ]
    placed = rest.replace("Path=/", "Path=/; Domain=portal.example")
    assert kept(CookieJar(portal, "portal.example", taken=True), portal)[0] == (
        f"__Secure-gametriggers-{portal}-access=a.b.c; Max-Age=900; {placed}"
    )


@pytest.mark.parametrize("jar", [CookieJar(Portal.BRAND, taken=True), CookieJar(Portal.ADMIN), CookieJar(taken=True)])
def test_staffs_session_is_kept_for_staffs_page_alone(jar: CookieJar) -> None:
    assert not jar.takes(Portal.ADMIN)
    with pytest.raises(BadInputError):
        kept(jar, Portal.ADMIN)
    assert jar.written == []


def test_only_the_portals_own_are_forgotten() -> None:
    jar = CookieJar(Portal.BRAND, taken=True, presented=EVERYBODYS)
    jar.forget()
    assert [each.partition("=")[0] for each in jar.written] == [
        "__Host-gametriggers-brand-access",
        "__Host-gametriggers-brand-refresh",
    ]
    assert all("Max-Age=0" in each for each in jar.written)
