"""Where invoices are fetched over HTTP: an address is all it takes, it names one, and is good for a short while."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.invoices.paper import written
from domain.invoice.addresses import invoice_at
from domain.invoice.ports import InvoicePorts
from domain.quotas import REQUESTS_OF_ADDRESS, neighbourhood

_AT_ONCE: Final = 2
"""So many are written at a time by one process: its own thread has other things to do."""
_ALWAYS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def routes(ports: Callable[[], InvoicePorts]) -> list[Route]:
    """The door of invoices."""
    writers = asyncio.Semaphore(_AT_ONCE)

    async def fetch(request: Request) -> Response:
        taken = await ports().quotas.take(REQUESTS_OF_ADDRESS, neighbourhood(request.state.origin.address))
        if not taken.allowed:
            told = {**_ALWAYS, "Retry-After": str(taken.retry_after_s)}
            return PlainTextResponse("Too many requests. Wait a while.\n", 429, told)
        invoice = await invoice_at(ports(), request.path_params["address"])
        if invoice is None:
            return PlainTextResponse("There is nothing here, or not any more.\n", 404, _ALWAYS)
        async with writers:
            paper = await asyncio.to_thread(written, invoice, ports().policy.time_zone)
        told = {**_ALWAYS, "Content-Disposition": f'attachment; filename="{invoice.serial}.pdf"'}
        return Response(paper, 200, told, "application/pdf")

    return [Route("/invoices/{address}", fetch, methods=["GET", "HEAD"])]
