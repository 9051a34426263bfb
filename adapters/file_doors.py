"""All doors that files are fetched or sent by over HTTP, by addresses that are good for a while."""

from collections.abc import Callable

from starlette.routing import Route

from adapters import exports
from adapters.assets import doors as asset_doors
from adapters.invoices import doors as invoice_doors
from domain.ports import Ports


def file_routes(ports: Callable[[], Ports]) -> list[Route]:
    """Doors of exports, of what people send, and of invoices."""
    return [
        *exports.routes(lambda: ports().privacy),
        *asset_doors.routes(ports),
        *invoice_doors.routes(lambda: ports().invoice),
    ]
