"""What the sites' back doors answer: discovery, keys, and the token endpoint, each as its site words it."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from urllib.parse import parse_qs, unquote_plus

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.faults import FaultKind
from adapters.sandbox.identity.people import Site
from adapters.sandbox.identity.sandbox import Client, Sandbox
from adapters.sandbox.identity.tokens import LIVES_S, id_token

SECRET_BY = {
    Site.GOOGLE: ("client_secret_post", "client_secret_basic"),
    Site.TWITCH: ("client_secret_post",),
    Site.TELEGRAM: ("client_secret_basic",),
}
NAMES_ITSELF = frozenset({Site.GOOGLE})
"""Whose returns bear `iss`."""

_PADDING = "x" * 400_000
Work = Callable[[Request, Sandbox, Site], Awaitable[Response]]


def routes() -> list[Route]:
    """Where they listen, below each site's name."""
    return [
        Route("/{site}/.well-known/openid-configuration", _faulty("discovery", _discovery), methods=["GET"]),
        Route("/{site}/keys", _faulty("keys", _keys), methods=["GET"]),
        Route("/{site}/token", _faulty("token", _token), methods=["POST"]),
    ]


def issuer_of(request: Request, site: Site) -> str:
    """The site's name and address."""
    return f"{str(request.base_url).rstrip('/')}/{site}"


def site_of(request: Request) -> Site | None:
    """Which site was asked."""
    named = request.path_params["site"]
    return Site(named) if named in set(Site) else None


def _faulty(call: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        sandbox: Sandbox = request.app.state.sandbox
        site = site_of(request)
        if site is None:
            return Response(status_code=404)
        sandbox.calls[f"{site}.{call}"] += 1
        take = sandbox.faults.take
        if take(FaultKind.SERVER_ERROR, site, call):
            return JSONResponse({"error": "server_error"}, 500)
        if take(FaultKind.GARBAGE, site, call):
            return HTMLResponse("<html><body>It works!</body></html>")
        if take(FaultKind.HUGE_ANSWER, site, call):
            return JSONResponse({"padding": _PADDING})
        if fault := take(FaultKind.TIME_OUT, site, call):
            await _wait_until_gone(request, fault.seconds)
        return await work(request, sandbox, site)

    return serve


async def _discovery(request: Request, _: Sandbox, site: Site) -> Response:
    issuer = issuer_of(request, site)
    return JSONResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": SECRET_BY[site],
            "code_challenge_methods_supported": ["S256"],
            "claims_parameter_supported": site is Site.TWITCH,
            "authorization_response_iss_parameter_supported": site in NAMES_ITSELF,
        }
    )


async def _keys(_: Request, sandbox: Sandbox, site: Site) -> Response:
    return JSONResponse({"keys": [sandbox.key(site).as_dict(private=False)]})


async def _token(request: Request, sandbox: Sandbox, site: Site) -> Response:
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
    client = sandbox.settings.clients.get(site)
    if client is None or not _is_client(request, form, client, site):
        return _no(site, "invalid_client", 403 if site is Site.TWITCH else 401)
    if form.get("grant_type") != "authorization_code":
        return _no(site, "unsupported_grant_type")
    grant = sandbox.grant(form.get("code", ""))
    if (
        grant is None
        or (grant.site, grant.client_id, grant.redirect_uri) != (site, client.client_id, form.get("redirect_uri"))
        or not compare_digest(grant.challenge.encode(), _challenge(form.get("code_verifier", "")))
    ):
        return _no(site, "invalid_grant")
    access_token = secrets.token_urlsafe(24)
    answer: dict[str, object] = {"access_token": access_token, "token_type": "bearer", "expires_in": LIVES_S}
    if site is Site.TWITCH:
        answer["scope"] = sorted(grant.asked)
    if not sandbox.faults.take(FaultKind.NO_ID_TOKEN, site, "token"):
        answer["id_token"] = id_token(sandbox, grant, issuer_of(request, site), access_token)
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _is_client(request: Request, form: Mapping[str, str], client: Client, site: Site) -> bool:
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and "client_secret_basic" in SECRET_BY[site]:
        try:
            name, _, secret = base64.b64decode(told).decode().partition(":")
        except ValueError:
            return False
        return _fits(unquote_plus(name), unquote_plus(secret), client)
    posted = "client_secret_post" in SECRET_BY[site]
    return posted and _fits(form.get("client_id", ""), form.get("client_secret", ""), client)


def _fits(name: str, secret: str, client: Client) -> bool:
    return name == client.client_id and compare_digest(secret.encode(), client.client_secret.encode())


def _challenge(verifier: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")


def _no(site: Site, error: str, status: int = 400) -> Response:
    if site is Site.TWITCH:  # whose failures have no `error`
        return JSONResponse({"status": status, "message": error.replace("_", " ")}, status)
    return JSONResponse({"error": error}, status)


async def _wait_until_gone(request: Request, seconds: float) -> None:
    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return
