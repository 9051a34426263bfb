"""The operator's side, which YouTube has not: a page, and doors that the page and programs use alike."""

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.page import html_page
from adapters.sandbox.platforms.control import order_fault, wish_of
from adapters.sandbox.platforms.oauth import form_of
from adapters.sandbox.platforms.office import Channel
from adapters.sandbox.youtube.sandbox import DAILY_UNITS, Sandbox

PAGE = "/control"
_FORM = "application/x-www-form-urlencoded"
_USUAL = "120,180,240,200"
Act = Callable[[Sandbox, Channel, Mapping[str, object]], None]


def routes() -> list[Route]:
    """Where the page and the operator's doors are. They ask for no key: serve the sandbox on loopback only."""
    acts: dict[str, Act] = {
        "online": _online, "offline": _offline, "viewers": _viewers, "hide": _hide, "disconnect": _disconnect,
        "expire": _expire,
    }  # fmt: skip
    return [
        Route(PAGE, _page, methods=["GET"]),
        Route("/control/channels", _channels, methods=["GET"]),
        Route("/control/calls", _calls, methods=["GET"]),
        Route("/control/faults", order_fault, methods=["POST"]),
        Route("/control/units", _units, methods=["POST"]),
        *(Route(f"/control/channels/{{login}}/{name}", _door(act), methods=["POST"]) for name, act in acts.items()),
    ]


async def _page(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    channels = "".join(_row(sandbox, each) for each in sandbox.channels.values())
    units = _button("/control/units", "Use up the day's units", left="0")
    units += _button("/control/units", "Give them back", left=str(DAILY_UNITS))
    return html_page("YouTube", f"<h1>Channels</h1>{channels}<h2>Units: {sandbox.spent} used</h2>{units}")


def _row(sandbox: Sandbox, channel: Channel) -> str:
    at, live = f"/control/channels/{channel.login}", channel.live
    state = f"live before {live.viewers(sandbox.clock())}" if live else "not live"
    granted = any(each.channel is channel for each in sandbox.grants)
    buttons = [
        _button(f"{at}/offline", "Go offline") if live else _button(f"{at}/online", "Go live", viewers=_USUAL),
        _button(f"{at}/viewers", "Have 5000 viewers", viewers="5000") if live else "",
        _hider(at, "viewers", is_hidden=channel.id in sandbox.hidden_viewers),
        _hider(at, "subscribers", is_hidden=channel.id in sandbox.hidden_subscribers),
        _button(f"{at}/disconnect", "Take back what was granted") if granted else "",
    ]
    return f"<h2>{escape(channel.display_name)}</h2><p>{state}</p>{''.join(buttons)}"


def _hider(at: str, what: str, *, is_hidden: bool) -> str:
    return _button(f"{at}/hide", f"{'Show' if is_hidden else 'Hide'} {what}", **{what: "" if is_hidden else "yes"})


def _button(door: str, words: str, **told: str) -> str:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in told.items())
    return f'<form method="post" action="{door}">{hidden}<button>{words}</button></form>'


async def _channels(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    granted = {grant.channel.id for grant in sandbox.grants}
    return JSONResponse(
        [
            {"id": each.id, "login": each.login, "followers": each.followers, "live": each.live is not None,
             "granted": each.id in granted}
            for each in sandbox.channels.values()
        ]
    )  # fmt: skip


async def _calls(request: Request) -> Response:
    return JSONResponse(dict(request.app.state.sandbox.calls))


async def _units(request: Request) -> Response:
    """Let {"left"} units be left of this day."""
    sandbox: Sandbox = request.app.state.sandbox
    try:
        sandbox.units = sandbox.spent + int(str((await _wish(request)).get("left", DAILY_UNITS)))
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)
    return _done(request)


def _door(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        sandbox: Sandbox = request.app.state.sandbox
        channel = sandbox.channel(request.path_params["login"])
        if channel is None:
            return JSONResponse({"error": "no such channel"}, 404)
        try:
            act(sandbox, channel, await _wish(request))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return _done(request)

    return serve


def _online(sandbox: Sandbox, channel: Channel, wish: Mapping[str, object]) -> None:
    """Go live before {"viewers": [...]} minute by minute, with {"privacy"}."""
    sandbox.begin(channel, _curve(wish), str(wish.get("privacy", "public")))


def _offline(sandbox: Sandbox, channel: Channel, _: Mapping[str, object]) -> None:
    sandbox.end(channel)


def _viewers(_: Sandbox, channel: Channel, wish: Mapping[str, object]) -> None:
    """Have {"viewers": [...]} from now on."""
    if channel.live is None:
        raise ValueError("not live")
    channel.live.curve[:] = _curve(wish)


def _hide(sandbox: Sandbox, channel: Channel, wish: Mapping[str, object]) -> None:
    """Hide {"viewers", "subscribers"}, or show them again."""
    for name, hidden in (("viewers", sandbox.hidden_viewers), ("subscribers", sandbox.hidden_subscribers)):
        if name in wish:
            (hidden.add if wish[name] else hidden.discard)(channel.id)


def _disconnect(sandbox: Sandbox, channel: Channel, _: Mapping[str, object]) -> None:
    sandbox.disconnect(channel)


def _expire(sandbox: Sandbox, channel: Channel, _: Mapping[str, object]) -> None:
    sandbox.expire(channel)


def _curve(wish: Mapping[str, object]) -> list[int]:
    """A list, or numbers with commas between them. Raises ValueError for anything else."""
    told = wish.get("viewers", _USUAL)
    found = [int(each) for each in (told if isinstance(told, list) else str(told).split(","))]
    if not found:
        raise ValueError("nobody watches for no minute")
    return found


async def _wish(request: Request) -> Mapping[str, object]:
    return await form_of(request) if _is_form(request) else await wish_of(request)


def _done(request: Request) -> Response:
    """Nothing, or back to the page for whoever pressed a button."""
    return RedirectResponse(PAGE, 303) if _is_form(request) else Response(status_code=204)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith(_FORM)
