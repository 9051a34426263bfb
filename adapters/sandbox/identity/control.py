"""The operator's side, which no provider has: order faults, count calls, rotate keys, have Telegram sign."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.people import Person, Site
from adapters.sandbox.identity.proofs import launch_text, widget_fields
from adapters.sandbox.identity.sandbox import Sandbox


def routes() -> list[Route]:
    """Where the operator's API listens. It asks for no key: serve the sandbox on loopback only."""
    return [
        Route("/control/people", _people, methods=["GET"]),
        Route("/control/faults", _faults, methods=["GET"]),
        Route("/control/faults", _order_fault, methods=["POST"]),
        Route("/control/faults", _clear_faults, methods=["DELETE"]),
        Route("/control/calls", _calls, methods=["GET"]),
        Route("/control/calls", _forget_calls, methods=["DELETE"]),
        Route("/control/keys/{site}", _rotate, methods=["POST"]),
        Route("/control/telegram/widget", _widget, methods=["POST"]),
        Route("/control/telegram/mini-app", _mini_app, methods=["POST"]),
    ]


async def _people(request: Request) -> Response:
    return JSONResponse([asdict(person) for person in _sandbox(request).settings.people])


async def _faults(request: Request) -> Response:
    return JSONResponse(_sandbox(request).faults.listed())


async def _order_fault(request: Request) -> Response:
    try:
        fault = _sandbox(request).faults.order(await _wish(request))
    except ValueError as error:
        return _complaint(400, str(error))
    return JSONResponse(asdict(fault), 201)


async def _clear_faults(request: Request) -> Response:
    _sandbox(request).faults.clear()
    return Response(status_code=204)


async def _calls(request: Request) -> Response:
    return JSONResponse(dict(_sandbox(request).calls))


async def _forget_calls(request: Request) -> Response:
    _sandbox(request).calls.clear()
    return Response(status_code=204)


async def _rotate(request: Request) -> Response:
    named = request.path_params["site"]
    if named not in set(Site):
        return _complaint(404, "no such site")
    return JSONResponse({"kid": _sandbox(request).rotate(Site(named)).kid}, 201)


async def _widget(request: Request) -> Response:
    """The widget's fields for {"person": key}, signed so many "seconds_ago"."""
    sandbox = _sandbox(request)
    try:
        person, ago = _signer(sandbox, await _wish(request))
    except ValueError as error:
        return _complaint(400, str(error))
    return JSONResponse(widget_fields(person, sandbox.settings.bot_token, sandbox.clock() - ago))


async def _mini_app(request: Request) -> Response:
    """The launch text for {"person": key}, signed so many "seconds_ago"."""
    sandbox = _sandbox(request)
    try:
        person, ago = _signer(sandbox, await _wish(request))
    except ValueError as error:
        return _complaint(400, str(error))
    return PlainTextResponse(launch_text(person, sandbox.settings.bot_token, sandbox.clock() - ago))


def _signer(sandbox: Sandbox, wish: Mapping[str, object]) -> tuple[Person, timedelta]:
    person = sandbox.person(str(wish.get("person")))
    if person is None:
        raise ValueError("no such person")
    return person, timedelta(seconds=float(str(wish.get("seconds_ago", 0))))


async def _wish(request: Request) -> Mapping[str, object]:
    found = json.loads(await request.body() or b"{}")
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - it is answered like other bad input
    return found


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


def _complaint(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status)
