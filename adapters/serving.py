"""The web server that carries the application."""

from typing import Any

import uvicorn

from adapters.config import Settings
from adapters.logs import configure_logging

APPLICATION = "gql.app:from_environment"
"""Named and not imported: the application stands above the adapters."""

OPTIONS: dict[str, Any] = {
    "http": "adapters.lines:StreamingProtocol",  # httptools, known to long answers
    "ws": "adapters.frames:FrameProtocol",
    "ws_max_size": 128 * 1024,
    "ws_per_message_deflate": False,  # compressing small frames costs more than half of a server's sockets
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    "proxy_headers": False,  # the application knows which proxies to believe; the server would believe any on loopback
    "access_log": False,  # the application writes its own, with request ids and without secrets
    "log_config": None,
    "server_header": False,
    "timeout_graceful_shutdown": 10,
}


def serve(settings: Settings, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests finish for a few seconds."""
    configure_logging(settings)
    uvicorn.run(
        APPLICATION, factory=True, host=settings.host, port=settings.port, workers=workers, loop="uvloop", **OPTIONS
    )
