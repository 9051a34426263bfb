"""The operator's side of the sandbox, for tests: letters as JSON, and faults to order."""

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.mail.faults import Faults
from adapters.sandbox.mail.mailbox import Mailbox, ReceivedLetter


def routes() -> list[Route]:
    """Where the operator's API listens. It asks for no key: serve the sandbox on loopback only."""
    return [
        Route("/control/letters", _letters, methods=["GET"]),
        Route("/control/letters", _forget, methods=["DELETE"]),
        Route("/control/faults", _faults, methods=["GET"]),
        Route("/control/faults", _order_fault, methods=["POST"]),
        Route("/control/faults", _clear_faults, methods=["DELETE"]),
    ]


async def _letters(request: Request) -> Response:
    """Letters, newest first: those `to` an address, and those `after` a number, if either is given."""
    mailbox: Mailbox = request.app.state.mailbox
    after = request.query_params.get("after", "0")
    if not after.isdecimal():
        return JSONResponse({"error": "after is the number of a letter"}, 400)
    return JSONResponse([_shown(letter) for letter in mailbox.sent_to(request.query_params.get("to", ""), int(after))])


async def _forget(request: Request) -> Response:
    request.app.state.mailbox.clear()
    return Response(status_code=204)


async def _faults(request: Request) -> Response:
    faults: Faults = request.app.state.faults
    return JSONResponse(faults.listed())


async def _order_fault(request: Request) -> Response:
    faults: Faults = request.app.state.faults
    try:
        wish = json.loads(await request.body())
        if not isinstance(wish, dict):
            return JSONResponse({"error": "a fault is an object"}, 400)
        return JSONResponse(asdict(faults.order(wish)), 201)
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)


async def _clear_faults(request: Request) -> Response:
    request.app.state.faults.clear()
    return Response(status_code=204)


def _shown(letter: ReceivedLetter) -> dict[str, object]:
    return {
        "number": letter.number,
        "receivedAt": letter.received_at.isoformat(),
        "messageId": letter.message_id,
        "from": letter.sender,
        "to": list(letter.to),
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "links": letter.links,
        "repeated": letter.repeated,
    }
