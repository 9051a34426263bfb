"""GraphQL over WebSocket: the sub-protocol graphql-transport-ws, and no other.

A token comes with `connection_init`, or in a cookie of the portal whose page opens the socket, and the socket lives no
longer than it. What is wrong with one operation is told
to that operation and ends nothing else; only what breaks the protocol closes the socket, with the protocol's own code.
"""

from collections.abc import Awaitable, Callable

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from domain.quotas import neighbourhood
from gql.conversation import Conversation
from gql.errors import RateLimitedError
from gql.socket_host import Admitted, Host
from gql.socket_messages import NO_PROTOCOL

__all__ = ["PROTOCOL", "Admitted", "GraphQLOverWebSocket", "Host"]

PROTOCOL = "graphql-transport-ws"
_COME_BACK_S = 5


class GraphQLOverWebSocket:
    """The endpoint."""

    def __init__(self, host: Host, count: Callable[[WebSocket], Awaitable[None]]) -> None:
        """`count` takes a handshake from its address's quota, and raises `RateLimitedError`."""
        self._host, self._count = host, count

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it closes. A page of a site that we do not know gets none: 403.

        A socket costs before anybody says who they are; who opens too many gets none: 429.
        """
        try:
            await self._count(websocket)
        except RateLimitedError as error:
            await _deny(websocket, str(error), error.retry_after_s)
            return
        if not self._host.welcomes(websocket.headers):
            await websocket.close()
            return
        places, address = self._host.places, neighbourhood(websocket.state.origin.address)
        conversation = Conversation(websocket, self._host)
        if not places.enter("sockets_of_address", address, conversation):
            await _deny(websocket, "Too many sockets of one address.", _COME_BACK_S)
            return
        try:
            await self._converse(websocket, conversation)
        finally:
            places.leave("sockets_of_address", address, conversation)

    @staticmethod
    async def _converse(websocket: WebSocket, conversation: Conversation) -> None:
        if PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(NO_PROTOCOL, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        await conversation.hold()


async def _deny(websocket: WebSocket, reason: str, retry_after_s: int) -> None:
    told = PlainTextResponse(f"{reason}\n", 429, {"Retry-After": str(retry_after_s)})
    await websocket.send_denial_response(told)
