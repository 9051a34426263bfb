"""Connections of the web server that let a long answer at them: it hears that the server ends, and can break them."""

from collections.abc import Callable
from typing import Any

from adapters.heads import BoundedProtocol

LINE = "gametriggers.line"
"""The name under which an answer finds its connection among its scope's extensions."""


class StreamingProtocol(BoundedProtocol):
    """The server's own protocol, known to what is answered over it.

    The server waits for all answers before it ends, and tells nobody that it does: an answer that never ends by itself
    would be cut off in the end, with an error in the log. Neither does it part with a client that takes nothing.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tell: Callable[[], None] | None = None
        self.on_room: Callable[[], None] | None = None
        """Is called when the client has taken most of what was on its way."""

    def when_stopping(self, tell: Callable[[], None] | None) -> None:
        """Have somebody told when the server ends, or nobody any more."""
        self._tell = tell

    def abort(self) -> None:
        """Break the connection, whatever is still to be sent."""
        self.transport.abort()

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up: little is on its way."""
        return not self.flow.write_paused

    @property
    def unsent(self) -> int:
        """Bytes that are on their way."""
        return self.transport.get_write_buffer_size()

    def write_frame(self, frame: bytes) -> None:
        """Send a piece of the answer that has begun, unless the client is gone."""
        cycle = self.cycle
        if cycle.chunked_encoding and not (cycle.response_complete or self.transport.is_closing()):
            self.transport.write(b"%x\r\n%b\r\n" % (len(frame), frame))

    def resume_writing(self) -> None:
        """Called by the transport."""
        super().resume_writing()
        if self.on_room is not None:
            self.on_room()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {LINE: {"connection": self}}

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        if self._tell is not None:
            self._tell()
