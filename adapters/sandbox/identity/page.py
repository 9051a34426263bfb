"""The page on which a person chooses who to be, or says no: plain HTML and a form, no script."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.doors import NAMES_ITSELF, issuer_of, site_of
from adapters.sandbox.identity.faults import FaultKind
from adapters.sandbox.identity.people import Person, Site
from adapters.sandbox.identity.sandbox import Grant, Sandbox
from adapters.sandbox.identity.tokens import ELSEWHERE

_CALL = "authorize"
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:26rem;margin:8vh auto;padding:0 1rem}
small{opacity:.7}h1{font-size:1.6rem;margin:.2rem 0 1rem}
button{display:block;width:100%;margin:.5rem 0;padding:.7rem;font:inherit;border:1px solid #8888;
border-radius:.5rem;text-align:left;cursor:pointer}
button.no{text-align:center;background:none}
"""


def routes() -> list[Route]:
    """Where the page is, below each site's name. A test may POST to it without having looked."""
    return [
        Route("/{site}/authorize", _show, methods=["GET"]),
        Route("/{site}/authorize", _choose, methods=["POST"]),
    ]


async def _show(request: Request) -> Response:
    sandbox, site = _asked(request)
    complaint = "There is no such site." if site is None else _complaint(sandbox, site, request.query_params)
    if site is None or complaint:
        return html_page("Sign in", f"<p>{escape(complaint)}</p>", 400)
    return html_page("Sign in", form(site, sandbox.settings.people))


async def _choose(request: Request) -> Response:
    sandbox, site = _asked(request)
    asked = request.query_params
    if site is None or _complaint(sandbox, site, asked):
        return await _show(request)
    sandbox.calls[f"{site}.{_CALL}"] += 1
    chosen = parse_qs((await request.body()).decode("utf-8", "replace")).get("person", [""])[0]
    person = sandbox.person(chosen)
    if chosen and person is None:
        return html_page("Sign in", "<p>There is no such person.</p>", 400)
    told = {"error": "access_denied"} if person is None else {"code": _code(sandbox, site, asked, person)}
    told["state"] = asked.get("state", "")
    if site in NAMES_ITSELF:
        told["iss"] = issuer_of(request, site)
    _spoil(sandbox, site, told)
    return RedirectResponse(with_told(asked["redirect_uri"], told), status_code=303, headers=PAGE_HEADERS)


def _asked(request: Request) -> tuple[Sandbox, Site | None]:
    return request.app.state.sandbox, site_of(request)


def _complaint(sandbox: Sandbox, site: Site, asked: Mapping[str, str]) -> str:
    """What is wrong with what the client asks; nobody is sent back anywhere then."""
    client = sandbox.settings.clients.get(site)
    if client is None or asked.get("client_id") != client.client_id:
        return "The site that sent you is not known here."
    target = asked.get("redirect_uri", "")
    if urlsplit(target).scheme not in {"http", "https"} or (
        client.redirect_uris and target not in client.redirect_uris
    ):
        return "The address to send you back to is not registered."
    if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
        return "The site asks for something else than to sign you in."
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "The site does not use PKCE."
    return ""


def _code(sandbox: Sandbox, site: Site, asked: Mapping[str, str], person: Person) -> str:
    code = sandbox.give_code(
        Grant(
            site,
            asked["client_id"],
            asked["redirect_uri"],
            asked["code_challenge"],
            asked.get("nonce"),
            frozenset(asked["scope"].split()) | _named_claims(asked.get("claims", "")),
            person,
            sandbox.clock(),
        )
    )
    if sandbox.faults.take(FaultKind.REPLAYED_CODE, site, _CALL):
        sandbox.grant(code)
    return code


def _named_claims(text: str) -> frozenset[str]:
    try:
        return frozenset(json.loads(text)["id_token"]) if text else frozenset()
    except (ValueError, TypeError, KeyError):
        return frozenset()


def _spoil(sandbox: Sandbox, site: Site, told: dict[str, str]) -> None:
    take = sandbox.faults.take
    if take(FaultKind.MIXED_UP_ISSUER, site, _CALL):
        told["iss"] = ELSEWHERE
    if take(FaultKind.NO_ISSUER, site, _CALL):
        told.pop("iss", None)
    if take(FaultKind.WRONG_STATE, site, _CALL):
        told["state"] = "of-another-journey"


def form(site: Site, people: Iterable[Person]) -> str:
    """A button for each person, and one to say no."""
    buttons = "".join(_button(person) for person in people)
    no = '<button class="no" name="person" value="">Say no</button>'
    return f'<h1>Who are you at {site.title()}?</h1><form method="post">{buttons}{no}</form>'


def with_told(url: str, told: Mapping[str, str]) -> str:
    """The address with these parameters besides its own."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(told))))))


def _button(person: Person) -> str:
    mail = person.mail or "no mail address"
    doubt = "" if person.mail is None or person.mail_verified else ", not verified"
    return (
        f'<button name="person" value="{escape(person.key, quote=True)}">{escape(person.name)}'
        f"<br><small>{escape(mail)}{doubt}</small></button>"
    )


def html_page(title: str, body: str, status: int = 200) -> Response:
    """A whole page around this body."""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title} · identity sandbox</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main><p><small>A sandbox: these people are made up.</small></p></body></html>"
    )
    return HTMLResponse(page, status, headers=PAGE_HEADERS)
