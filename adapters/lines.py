"""Connections of the web server that let a long answer at them: it hears that the server ends, and can break them."""

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINE = "gametriggers.line"
"""The name under which an answer finds its connection among its scope's extensions."""


class StreamingProtocol(HttpToolsProtocol):
    """The server's own protocol, known to what is answered over it.

    The server waits for all answers before it ends, and tells nobody that it does: an answer that never ends by itself
    would be cut off in the end, with an error in the log. Neither does it part with a client that takes nothing.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tell: Callable[[], None] | None = None

    def when_stopping(self, tell: Callable[[], None] | None) -> None:
        """Have somebody told when the server ends, or nobody any more."""
        self._tell = tell

    def abort(self) -> None:
        """Break the connection, whatever is still to be sent."""
        self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {LINE: {"connection": self}}

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        if self._tell is not None:
            self._tell()
