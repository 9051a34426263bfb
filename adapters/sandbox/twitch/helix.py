"""Helix: who there is, who is live, who follows; and the counter of EventSub. Buckets and refusals as Twitch's."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.platforms.oauth import faulty
from adapters.sandbox.platforms.office import Channel
from adapters.sandbox.twitch.eventsub import stamp
from adapters.sandbox.twitch.sandbox import Sandbox

_MOST = 100
Answer = Callable[[Request, Sandbox], Awaitable[Response]]


def routes() -> list[Route]:
    """Where it listens."""
    return [
        Route("/helix/users", _door("users", _users), methods=["GET"]),
        Route("/helix/streams", _door("streams", _streams), methods=["GET"]),
        Route("/helix/channels/followers", _door("followers", _followers), methods=["GET"]),
        Route("/helix/eventsub/subscriptions", _door("subscribe", _subscribe), methods=["POST"]),
        Route("/helix/eventsub/subscriptions", _door("subscriptions", _subscriptions), methods=["GET"]),
        Route("/helix/eventsub/subscriptions", _door("unsubscribe", _unsubscribe), methods=["DELETE"]),
    ]


def _door(call: str, work: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request, sandbox: Sandbox) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not sandbox.knows(token):
            return _no(401, "Unauthorized", "Invalid OAuth token")
        if request.headers.get("client-id") != sandbox.settings.client_id:
            return _no(401, "Unauthorized", "Client ID and OAuth token do not match")
        left = sandbox.count()
        answer = await work(request, sandbox) if left >= 0 else _no(429, "Too Many Requests", "Too Many Requests")
        answer.headers["Ratelimit-Limit"] = str(sandbox.bucket)
        answer.headers["Ratelimit-Remaining"] = str(max(left, 0))
        answer.headers["Ratelimit-Reset"] = str(int(sandbox.bucket_full_at.timestamp()))
        return answer

    return faulty(call, serve)


async def _users(request: Request, sandbox: Sandbox) -> Response:
    ids = request.query_params.getlist("id")
    return JSONResponse({"data": [_user(sandbox.channels[id_]) for id_ in ids if id_ in sandbox.channels]})


def _user(channel: Channel) -> dict[str, object]:
    return {"id": channel.id, "login": channel.login, "display_name": channel.display_name, "broadcaster_type": ""}


async def _streams(request: Request, sandbox: Sandbox) -> Response:
    ids = request.query_params.getlist("user_id")
    if not 0 < len(ids) <= _MOST:
        return _no(400, "Bad Request", "The number of user_id parameters is not right")
    live = [channel for id_ in ids if (channel := sandbox.channels.get(id_)) and channel.live]
    return JSONResponse({"data": [_stream(sandbox, channel) for channel in live], "pagination": {}})


def _stream(sandbox: Sandbox, channel: Channel) -> dict[str, Any]:
    live = channel.live
    if live is None:
        raise ValueError("not live")
    return {
        "id": live.id, "user_id": channel.id, "user_login": channel.login, "user_name": channel.display_name,
        "game_id": "509658", "type": "live", "viewer_count": live.viewers(sandbox.clock()),
        "started_at": live.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip


async def _followers(request: Request, sandbox: Sandbox) -> Response:
    channel = sandbox.channels.get(request.query_params.get("broadcaster_id", ""))
    return JSONResponse({"total": channel.followers if channel else 0, "data": [], "pagination": {}})


async def _subscribe(request: Request, sandbox: Sandbox) -> Response:
    try:
        told = json.loads(await request.body())
        transport: Mapping[str, str] = told["transport"]
        kind, condition = str(told["type"]), dict(told["condition"])
        made = sandbox.eventsub.subscribe(kind, condition, transport["callback"], transport["secret"])
    except (ValueError, KeyError, TypeError):
        return _no(400, "Bad Request", "The body is not right")
    if made is None:
        return _no(409, "Conflict", "subscription already exists")
    return JSONResponse({"data": [made.shown], "total": len(sandbox.eventsub.subscriptions)}, 202)


async def _subscriptions(request: Request, sandbox: Sandbox) -> Response:
    known = list(sandbox.eventsub.subscriptions.values())
    begin = int(request.query_params.get("after", "0"))
    page = known[begin : begin + _MOST]
    pagination = {"cursor": str(begin + _MOST)} if begin + _MOST < len(known) else {}
    return JSONResponse({"data": [each.shown for each in page], "total": len(known), "pagination": pagination})


async def _unsubscribe(request: Request, sandbox: Sandbox) -> Response:
    found = sandbox.eventsub.subscriptions.pop(request.query_params.get("id", ""), None)
    return Response(status_code=204) if found else _no(404, "Not Found", "subscription not found")


def _event_online(channel: Channel) -> Mapping[str, object]:
    """What is told of a stream that begins."""
    live = channel.live
    if live is None:
        raise ValueError("not live")
    return {"id": live.id, **_broadcaster(channel), "type": "live", "started_at": stamp(live.started_at)}


def _broadcaster(channel: Channel) -> dict[str, object]:
    return {
        "broadcaster_user_id": channel.id,
        "broadcaster_user_login": channel.login,
        "broadcaster_user_name": channel.display_name,
    }


async def go_live(sandbox: Sandbox, channel: Channel, curve: list[int]) -> None:
    """A channel begins, before so many viewers minute by minute, over and over; whoever wants to be told is."""
    sandbox.begin(channel, curve)
    await sandbox.eventsub.tell("stream.online", channel.id, _event_online(channel))


async def go_offline(sandbox: Sandbox, channel: Channel) -> None:
    """A channel ends."""
    channel.live = None
    await sandbox.eventsub.tell("stream.offline", channel.id, _broadcaster(channel))


def _no(status: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "status": status, "message": message}, status)
