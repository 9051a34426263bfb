"""The operator's side, which Twitch has not: go live and offline, order faults, take back what was granted."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.platforms.control import channel_door, order_fault, wish_of
from adapters.sandbox.platforms.office import Channel
from adapters.sandbox.twitch import helix
from adapters.sandbox.twitch.eventsub import Manner
from adapters.sandbox.twitch.sandbox import Sandbox


def routes() -> list[Route]:
    """Where the operator's API listens. It asks for no key: serve the sandbox on loopback only."""
    return [
        Route("/control/channels", _channels, methods=["GET"]),
        Route("/control/calls", _calls, methods=["GET"]),
        Route("/control/faults", order_fault, methods=["POST"]),
        Route("/control/eventsub/manner", _manner, methods=["POST"]),
        Route("/control/channels/{login}/online", _online, methods=["POST"]),
        Route("/control/channels/{login}/offline", _offline, methods=["POST"]),
        Route("/control/channels/{login}/disconnect", channel_door(Sandbox.disconnect), methods=["POST"]),
        Route("/control/channels/{login}/expire", channel_door(Sandbox.expire), methods=["POST"]),
    ]


async def _channels(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    granted = {grant.channel.id for grant in sandbox.grants}
    return JSONResponse([{**_shown(each), "granted": each.id in granted} for each in sandbox.channels.values()])


def _shown(channel: Channel) -> dict[str, object]:
    return {"id": channel.id, "login": channel.login, "followers": channel.followers, "live": channel.live is not None}


async def _calls(request: Request) -> Response:
    return JSONResponse(dict(request.app.state.sandbox.calls))


async def _manner(request: Request) -> Response:
    """Let messages be delivered in the manner {"manner"}; what was held back comes, the last first."""
    office = request.app.state.sandbox.eventsub
    try:
        office.manner = Manner(str((await wish_of(request)).get("manner")))
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)
    if office.manner is not Manner.HELD:
        await office.release()
    return Response(status_code=204)


async def _online(request: Request) -> Response:
    """Go live before {"viewers": [...]} minute by minute."""
    sandbox: Sandbox = request.app.state.sandbox
    channel = sandbox.channel(request.path_params["login"])
    curve = (await wish_of(request)).get("viewers", [120, 180, 240, 200])
    if channel is None or not isinstance(curve, list) or not curve:
        return JSONResponse({"error": "no such channel, or no viewers"}, 404)
    await helix.go_live(sandbox, channel, [int(each) for each in curve])
    return Response(status_code=204)


async def _offline(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    channel = sandbox.channel(request.path_params["login"])
    if channel is None:
        return JSONResponse({"error": "no such channel"}, 404)
    await helix.go_offline(sandbox, channel)
    return Response(status_code=204)
