"""Twitch's OAuth: the doors for tokens, as Twitch words their answers."""

from collections.abc import Mapping
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.platforms.oauth import faulty, form_of, page_routes, proves
from adapters.sandbox.platforms.office import Grant
from adapters.sandbox.twitch.sandbox import Sandbox


def routes() -> list[Route]:
    """Where they listen, and the page where an owner says yes."""
    return [
        *page_routes("/oauth2/authorize", "Twitch"),
        Route("/oauth2/token", faulty("token", _token), methods=["POST"]),
        Route("/oauth2/validate", faulty("validate", _validate), methods=["GET"]),
        Route("/oauth2/revoke", faulty("revoke", _revoke), methods=["POST"]),
    ]


async def _token(request: Request, sandbox: Sandbox) -> Response:
    form = await form_of(request)
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
    if code is None or not fits or not proves(code.challenge, form.get("code_verifier", "")):
        return _no(400, "Invalid authorization code")
    return _granted(sandbox.grant(code.channel, code.scopes))


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
    form = await form_of(request)
    if form.get("client_id") != sandbox.settings.client_id:
        return _no(404, "client does not exist")
    grant = sandbox.by_access(form.get("token", ""))
    if grant is None:
        return _no(400, "Invalid token")
    sandbox.grants.remove(grant)
    return Response(status_code=200)


def _no(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "message": message}, status)
