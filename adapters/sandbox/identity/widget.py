"""Telegram's Login Widget as a page: whoever is chosen comes back with signed fields, as from the real button."""

from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.page import PAGE_HEADERS, form, html_page, with_told
from adapters.sandbox.identity.people import Site
from adapters.sandbox.identity.proofs import widget_fields
from adapters.sandbox.identity.sandbox import Sandbox


def routes() -> list[Route]:
    """Where the page is; `return_to` says where people come back to. Who says no comes back with nothing."""
    return [Route("/telegram/widget", _show, methods=["GET"]), Route("/telegram/widget", _choose, methods=["POST"])]


async def _show(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    if not _return_to(request):
        return html_page("Sign in", "<p>Say where to come back to: return_to=http://…</p>", 400)
    return html_page("Sign in", form(Site.TELEGRAM, sandbox.settings.people))


async def _choose(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    chosen = parse_qs((await request.body()).decode("utf-8", "replace")).get("person", [""])[0]
    person, target = sandbox.person(chosen), _return_to(request)
    if not target or (chosen and person is None):
        return await _show(request)
    fields = {} if person is None else widget_fields(person, sandbox.settings.bot_token, sandbox.clock())
    return RedirectResponse(with_told(target, fields), status_code=303, headers=PAGE_HEADERS)


def _return_to(request: Request) -> str:
    named = request.query_params.get("return_to", "")
    return named if urlsplit(named).scheme in {"http", "https"} else ""
