"""YouTube's API: channels, broadcasts and videos, each call for a unit; refusals as YouTube words them."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.platforms.oauth import faulty
from adapters.sandbox.platforms.office import Channel
from adapters.sandbox.youtube.sandbox import Broadcast, Sandbox, rounded

PATH = "/youtube/v3"
_MOST = 50
_FILTERS = ("broadcastStatus", "id", "mine")
Answer = Callable[[Request, Sandbox, Channel | None], Awaitable[Response]]
"""Answers a call, in the name of a channel's owner or, with our key alone, in nobody's."""


def routes() -> list[Route]:
    """Where it listens."""
    calls = {"channels": _channels, "liveBroadcasts": _live_broadcasts, "videos": _videos}
    return [Route(f"{PATH}/{call}", _door(call, work), methods=["GET"]) for call, work in calls.items()]


def _door(call: str, work: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request, sandbox: Sandbox) -> Response:
        if not sandbox.charge():
            return _no(403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer":
            grant = sandbox.by_access(token)
            if grant is None:
                return _no(401, "authError", "Invalid Credentials")
            if not any(scope.endswith("/youtube.readonly") for scope in grant.scopes):
                return _no(403, "insufficientPermissions", "Insufficient Permission")
            return await work(request, sandbox, grant.channel)
        if request.headers.get("x-goog-api-key") != sandbox.api_key:
            return _no(400, "badRequest", "API key not valid. Please pass a valid API key.")
        return await work(request, sandbox, None)

    return faulty(call, serve)


async def _channels(request: Request, sandbox: Sandbox, owner: Channel | None) -> Response:
    parts = request.query_params.get("part", "").split(",")
    if request.query_params.get("mine") == "true":
        found = [owner] if owner else []
    else:
        ids = _ids(request)
        if ids is None:
            return _no(400, "invalidFilters", "Too many ids")
        found = [sandbox.channels[id_] for id_ in ids if id_ in sandbox.channels]
    return _list([_channel(sandbox, each, parts) for each in found])


def _channel(sandbox: Sandbox, channel: Channel, parts: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": "youtube#channel", "id": channel.id}
    if "snippet" in parts:
        told["snippet"] = {"title": channel.display_name, "customUrl": f"@{channel.login}"}
    if "statistics" in parts:
        is_hidden = channel.id in sandbox.hidden_subscribers
        told["statistics"] = {"viewCount": "1000", "hiddenSubscriberCount": is_hidden, "videoCount": "12"}
        if not is_hidden:
            told["statistics"]["subscriberCount"] = str(rounded(channel.followers))
    return told


async def _live_broadcasts(request: Request, sandbox: Sandbox, owner: Channel | None) -> Response:
    if owner is None:
        return _no(401, "authError", "Login Required.")
    if sum(name in request.query_params for name in _FILTERS) != 1:
        return _no(400, "incompatibleParameters", "Incompatible parameters specified in the request")
    active = [each for each in sandbox.broadcasts.values() if each.channel is owner and each.ended_at is None]
    return _list([_broadcast(each) for each in active])


def _broadcast(each: Broadcast) -> dict[str, Any]:
    began = _stamp(each)
    snippet = {"channelId": each.channel.id, "title": "Live", "actualStartTime": began}
    status = {"lifeCycleStatus": "live", "privacyStatus": each.privacy, "recordingStatus": "recording"}
    return {"kind": "youtube#liveBroadcast", "id": each.live.id, "snippet": snippet, "status": status}


async def _videos(request: Request, sandbox: Sandbox, owner: Channel | None) -> Response:
    ids = _ids(request)
    if ids is None:
        return _no(400, "invalidFilters", "Too many ids")
    found = [sandbox.broadcasts[id_] for id_ in ids if id_ in sandbox.broadcasts]
    return _list([_video(sandbox, each) for each in found if each.privacy != "private" or each.channel is owner])


def _video(sandbox: Sandbox, each: Broadcast) -> dict[str, Any]:
    details = {"actualStartTime": _stamp(each), "scheduledStartTime": _stamp(each)}
    if each.ended_at is not None:
        details["actualEndTime"] = each.ended_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    elif each.channel.id not in sandbox.hidden_viewers:
        details["concurrentViewers"] = str(each.live.viewers(sandbox.clock()))
    return {"kind": "youtube#video", "id": each.live.id, "liveStreamingDetails": details}


def _ids(request: Request) -> list[str] | None:
    ids = request.query_params.get("id", "").split(",")
    return ids if len(ids) <= _MOST else None


def _stamp(each: Broadcast) -> str:
    return each.live.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(items: list[dict[str, Any]]) -> Response:
    return JSONResponse({"kind": "youtube#list", "pageInfo": {"totalResults": len(items)}, "items": items})


def _no(status: int, reason: str, message: str) -> Response:
    error = {"message": message, "domain": "youtube", "reason": reason}
    return JSONResponse({"error": {"code": status, "message": message, "errors": [error]}}, status)
