"""The page where a channel's owner says yes or no, and doors that count who calls and go wrong when told to."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.page import PAGE_HEADERS, html_page, with_told
from adapters.sandbox.platforms.office import Code, FaultKind, Office

Work = Callable[[Request, Any], Awaitable[Response]]
"""Answers a request, with the office whose door it came by."""
Serve = Callable[[Request], Awaitable[Response]]


def page_routes(path: str, platform: str) -> list[Route]:
    """Where the page listens."""

    async def show(request: Request) -> Response:
        return _show(request, platform)

    async def choose(request: Request) -> Response:
        return await _choose(request, platform)

    return [Route(path, show, methods=["GET"]), Route(path, choose, methods=["POST"])]


def faulty(call: str, work: Work) -> Serve:
    """A door that counts who calls, and goes wrong when it was told to."""

    async def serve(request: Request) -> Response:
        sandbox: Office = request.app.state.sandbox
        sandbox.calls[call] += 1
        if sandbox.take(FaultKind.SERVER_ERROR, call):
            return JSONResponse({"status": 500, "message": "Internal Server Error"}, 500)
        if sandbox.take(FaultKind.GARBAGE, call):
            return HTMLResponse("<html><body>It works!</body></html>")
        if sandbox.take(FaultKind.HUNG, call):
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response(status_code=504)
        lost = sandbox.take(FaultKind.LOST, call)
        answer = await work(request, sandbox)
        return Response(status_code=502) if lost else answer

    return serve


def proves(challenge: str, verifier: str) -> bool:
    """Whether who brings the verifier made the challenge (S256), if there was one."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return not challenge or compare_digest(digest, challenge.encode())


async def form_of(request: Request) -> Mapping[str, str]:
    """What was sent as a form."""
    text = (await request.body()).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _show(request: Request, platform: str) -> Response:
    sandbox: Office = request.app.state.sandbox
    if complaint := _complaint(sandbox, request.query_params):
        return html_page(platform, f"<p>{escape(complaint)}</p>", 400)
    buttons = "".join(
        f'<button name="login" value="{escape(each.login, quote=True)}">{escape(each.display_name)}</button>'
        for each in sandbox.channels.values()
    )
    no = '<button class="no" name="login" value="">Say no</button>'
    return html_page(platform, f'<h1>Whose channel is it?</h1><form method="post">{buttons}{no}</form>')


async def _choose(request: Request, platform: str) -> Response:
    sandbox: Office = request.app.state.sandbox
    asked = request.query_params
    if _complaint(sandbox, asked):
        return _show(request, platform)
    form = await form_of(request)
    chosen = form.get("login", "")
    channel = sandbox.channel(chosen)
    if chosen and channel is None:
        return html_page(platform, "<p>There is no such channel.</p>", 400)
    told = {"state": asked.get("state", "")}
    if channel is None:
        told |= {"error": "access_denied", "error_description": "The user denied you access"}
    else:
        scopes = form.get("scope", asked.get("scope", "")).split()
        is_offline = (asked.get("access_type"), asked.get("prompt")) == ("offline", "consent")
        made = Code(
            channel, asked["redirect_uri"], asked.get("code_challenge", ""), scopes, sandbox.clock(), is_offline
        )
        told |= {"code": sandbox.give_code(made), "scope": " ".join(scopes)}
    return RedirectResponse(with_told(asked["redirect_uri"], told), status_code=303, headers=PAGE_HEADERS)


def _complaint(sandbox: Office, asked: Mapping[str, str]) -> str:
    """What is wrong with what the client asks; nobody is sent back anywhere then."""
    if not sandbox.settings.client_id or asked.get("client_id") != sandbox.settings.client_id:
        return "The site that sent you is not known here."
    if urlsplit(asked.get("redirect_uri", "")).scheme not in {"http", "https"} or asked.get("response_type") != "code":
        return "The site asks for something that there is not."
    return ""
