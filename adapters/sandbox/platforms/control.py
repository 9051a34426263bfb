"""The operator's side, which no platform has: what every sandbox of one can be told."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.sandbox.platforms.office import Channel, FaultKind


async def order_fault(request: Request) -> Response:
    """Let {"kind", "call", "times"} happen."""
    try:
        wish = await wish_of(request)
        kind, call = FaultKind(str(wish.get("kind"))), str(wish.get("call"))
        request.app.state.sandbox.order(kind, call, int(str(wish.get("times", 1))))
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)
    return Response(status_code=204)


def channel_door(act: Callable[[Any, Channel], None]) -> Callable[[Request], Response]:
    """A door that does something to the channel that it names, or says that there is none."""

    def serve(request: Request) -> Response:
        sandbox = request.app.state.sandbox
        channel = sandbox.channel(request.path_params["login"])
        if channel is None:
            return JSONResponse({"error": "no such channel"}, 404)
        act(sandbox, channel)
        return Response(status_code=204)

    return serve


async def wish_of(request: Request) -> Mapping[str, object]:
    """The JSON object that was sent, or an empty one. Raises ValueError for anything else."""
    found = json.loads(await request.body() or b"{}")
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - it is answered like other bad input
    return found
