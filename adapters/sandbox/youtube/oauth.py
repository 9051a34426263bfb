"""Google's OAuth: the page where an owner says yes, and the doors for tokens, as Google words their answers."""

from collections.abc import Mapping
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.platforms.oauth import faulty, form_of, page_routes, proves
from adapters.sandbox.platforms.office import Grant
from adapters.sandbox.youtube.sandbox import Sandbox

PAGE = "/o/oauth2/v2/auth"


def routes() -> list[Route]:
    """Where they listen, and the page where an owner says yes."""
    return [
        *page_routes(PAGE, "YouTube"),
        Route("/token", faulty("token", _token), methods=["POST"]),
        Route("/revoke", faulty("revoke", _revoke), methods=["POST"]),
    ]


async def _token(request: Request, sandbox: Sandbox) -> Response:
    form = await form_of(request)
    known, secret = sandbox.settings.client_id, sandbox.settings.client_secret
    if form.get("client_id") != known or not compare_digest(form.get("client_secret", "").encode(), secret.encode()):
        return _no(401, "invalid_client", "Unauthorized")
    return _renewed(sandbox, form) if form.get("grant_type") == "refresh_token" else _exchanged(sandbox, form)


def _renewed(sandbox: Sandbox, form: Mapping[str, str]) -> Response:
    grant = sandbox.by_refresh(form.get("refresh_token", ""))
    if grant is None:
        return _no(400, "invalid_grant", "Token has been expired or revoked.")
    sandbox.renew(grant)
    return _granted(grant, with_refresh=False)


def _exchanged(sandbox: Sandbox, form: Mapping[str, str]) -> Response:
    code = sandbox.code(form.get("code", ""))
    fits = code is not None and code.redirect_uri == form.get("redirect_uri")
    if code is None or not fits or not proves(code.challenge, form.get("code_verifier", "")):
        return _no(400, "invalid_grant", "Malformed auth code.")
    return _granted(sandbox.grant(code.channel, code.scopes), with_refresh=code.is_offline)


def _granted(grant: Grant, *, with_refresh: bool) -> Response:
    """Tokens; a refresh token comes once, with the code of whoever asked for one."""
    told = {
        "access_token": grant.access,
        "expires_in": 3599,
        "scope": " ".join(grant.scopes),
        "token_type": "Bearer",
    }
    if with_refresh:
        told["refresh_token"] = grant.refresh
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def _revoke(request: Request, sandbox: Sandbox) -> Response:
    """Whichever token comes, all that its owner granted us is over."""
    token = (await form_of(request)).get("token", "")
    grant = sandbox.by_refresh(token) or sandbox.by_access(token)
    if grant is None:
        return _no(400, "invalid_token", "Token expired or revoked")
    sandbox.disconnect(grant.channel)
    return JSONResponse({})


def _no(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)
