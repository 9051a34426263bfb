"""Addresses that tell operators how we are, and the short way to the one that everybody asks."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gql.telemetry import metrics


class AtOnce:
    """Answers requests for one address by one application, without asking any route whether it is meant."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self._app, self._path, self._endpoint = app, path, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["path"] == self._path:
            scope["endpoint"] = self._endpoint
            await self._endpoint(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Found(Protocol):
    """What was found of the parts that we lean on."""

    @property
    def ready(self) -> bool:
        """Whether requests can be served."""
        ...

    @property
    def redis(self) -> str:
        """How Redis is: without it we are slower."""
        ...


async def healthy(_: Request) -> Response:
    """The process is alive, whatever it leans on."""
    return JSONResponse({"status": "ok"})


async def figures(_: Request) -> Response:
    """All figures, as Prometheus reads them."""
    return metrics()


def ready(look: Callable[[], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """Answers whether the process can serve; `look` finds a dataclass that is `Found`."""

    async def ready(_: Request) -> Response:
        found = await look()
        status = ("degraded" if found.redis != "ok" else "ready") if found.ready else "unready"
        return JSONResponse({"status": status, **asdict(found)}, 200 if found.ready else 503)

    return ready


async def broken(request: Request, _: Exception) -> Response:
    """A mistake of ours outside of GraphQL: logged by the server, told by its id."""
    return PlainTextResponse(f"Something went wrong on our side: {request.state.request_id}\n", 500)
