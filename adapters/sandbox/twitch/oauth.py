"""Twitch's OAuth: the page where an owner says yes, and the doors for tokens, as Twitch words their answers."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from html import escape
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.page import PAGE_HEADERS, html_page, with_told
from adapters.sandbox.twitch.sandbox import Code, FaultKind, Grant, Sandbox

Work = Callable[[Request, Sandbox], Awaitable[Response]]


def routes() -> list[Route]:
    """Where they listen."""
    return [
        Route("/oauth2/authorize", _show, methods=["GET"]),
        Route("/oauth2/authorize", _choose, methods=["POST"]),
        Route("/oauth2/token", faulty("token", _token), methods=["POST"]),
        Route("/oauth2/validate", faulty("validate", _validate), methods=["GET"]),
        Route("/oauth2/revoke", faulty("revoke", _revoke), methods=["POST"]),
    ]


def faulty(call: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    """A door that counts who calls, and goes wrong when it was told to."""

    async def serve(request: Request) -> Response:
        sandbox: Sandbox = request.app.state.sandbox
        sandbox.calls[call] += 1
        if sandbox.take(FaultKind.SERVER_ERROR, call):
            return JSONResponse({"status": 500, "message": "Internal Server Error"}, 500)
        if sandbox.take(FaultKind.GARBAGE, call):
            return HTMLResponse("<html><body>It works!</body></html>")
        lost = sandbox.take(FaultKind.LOST, call)
        answer = await work(request, sandbox)
        return Response(status_code=502) if lost else answer

    return serve


async def _show(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    if complaint := _complaint(sandbox, request.query_params):
        return html_page("Twitch", f"<p>{escape(complaint)}</p>", 400)
    buttons = "".join(
        f'<button name="login" value="{escape(each.login, quote=True)}">{escape(each.display_name)}</button>'
        for each in sandbox.channels.values()
    )
    no = '<button class="no" name="login" value="">Say no</button>'
    return html_page("Twitch", f'<h1>Whose channel is it?</h1><form method="post">{buttons}{no}</form>')


async def _choose(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    asked = request.query_params
    if _complaint(sandbox, asked):
        return await _show(request)
    chosen = (await _form(request)).get("login", "")
    channel = sandbox.channel(chosen)
    if chosen and channel is None:
        return html_page("Twitch", "<p>There is no such channel.</p>", 400)
    told = {"state": asked.get("state", "")}
    if channel is None:
        told |= {"error": "access_denied", "error_description": "The user denied you access"}
    else:
        scopes = asked.get("scope", "").split()
        made = Code(channel, asked["redirect_uri"], asked.get("code_challenge", ""), scopes, sandbox.clock())
        told |= {"code": sandbox.give_code(made), "scope": " ".join(scopes)}
    return RedirectResponse(with_told(asked["redirect_uri"], told), status_code=303, headers=PAGE_HEADERS)


def _complaint(sandbox: Sandbox, asked: Mapping[str, str]) -> str:
    """What is wrong with what the client asks; nobody is sent back anywhere then."""
    if not sandbox.settings.client_id or asked.get("client_id") != sandbox.settings.client_id:
        return "The site that sent you is not known here."
    if urlsplit(asked.get("redirect_uri", "")).scheme not in {"http", "https"} or asked.get("response_type") != "code":
        return "The site asks for something that there is not."
    return ""


async def _token(request: Request, sandbox: Sandbox) -> Response:
    form = await _form(request)
    if form.get("client_id") != sandbox.settings.client_id:
        return _no(400, "invalid client")
    if not compare_digest(form.get("client_secret", "").encode(), sandbox.settings.client_secret.encode()):
        return _no(403, "invalid client secret")
    kinds = {"refresh_token": _renewed, "client_credentials": _for_ourselves}
    return kinds.get(form.get("grant_type", ""), _exchanged)(sandbox, form)


def _for_ourselves(sandbox: Sandbox, _: Mapping[str, str]) -> Response:
    return JSONResponse({"access_token": sandbox.app_token(), "expires_in": 5_000_000, "token_type": "bearer"})


def _renewed(sandbox: Sandbox, form: Mapping[str, str]) -> Response:
    grant = sandbox.by_refresh(form.get("refresh_token", ""))
    if grant is None:
        return _no(400, "Invalid refresh token")
    sandbox.renew(grant)
    return _granted(grant)


def _exchanged(sandbox: Sandbox, form: Mapping[str, str]) -> Response:
    code = sandbox.code(form.get("code", ""))
    fits = code is not None and code.redirect_uri == form.get("redirect_uri")
    if code is None or not fits or not _proves(code.challenge, form.get("code_verifier", "")):
        return _no(400, "Invalid authorization code")
    return _granted(sandbox.grant(code.channel, code.scopes))


def _proves(challenge: str, verifier: str) -> bool:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return not challenge or compare_digest(digest, challenge.encode())


def _granted(grant: Grant) -> Response:
    told = {
        "access_token": grant.access, "refresh_token": grant.refresh, "expires_in": 14400, "token_type": "bearer",
        "scope": grant.scopes,
    }  # fmt: skip
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def _validate(request: Request, sandbox: Sandbox) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    grant = sandbox.by_access(token)
    if scheme.lower() not in {"oauth", "bearer"} or grant is None:
        return _no(401, "invalid access token")
    left = int((grant.expires_at - sandbox.clock()).total_seconds())
    return JSONResponse(
        {
            "client_id": sandbox.settings.client_id,
            "login": grant.channel.login,
            "scopes": grant.scopes,
            "user_id": grant.channel.id,
            "expires_in": left,
        }
    )


async def _revoke(request: Request, sandbox: Sandbox) -> Response:
    form = await _form(request)
    if form.get("client_id") != sandbox.settings.client_id:
        return _no(404, "client does not exist")
    grant = sandbox.by_access(form.get("token", ""))
    if grant is None:
        return _no(400, "Invalid token")
    sandbox.grants.remove(grant)
    return Response(status_code=200)


async def _form(request: Request) -> Mapping[str, str]:
    return {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}


def _no(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "message": message}, status)
