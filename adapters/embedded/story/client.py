"""A client of the server like any other: GraphQL over HTTP, and a live subscription that comes back by itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from adapters.embedded.story.checks import AmissError

_PROTOCOL = "graphql-transport-ws"
_AGAIN_S = 0.1

_WALLETS = "{ viewer { wallets { id purpose } } }"
_OPEN = """
mutation { openWallet(input: { purpose: HOSTING_CREDIT, currency: IDR }) {
  ... on Wallet { id } ... on Refusal { code message }
} }
"""
_START = """
mutation ($input: StartTopUpInput!) { startTopUp(input: $input) {
  ... on TopUp { id state redirectUrl } ... on Refusal { code message }
} }
"""
_TOP_UPS = "{ viewer { topUps(first: 10) { edges { node { state credited { amount } takenBack { amount } } } } } }"
_WALLET = """
query ($id: ID!) { wallet(id: $id) {
  balance { total { amount } available { amount } } owes { amount }
  statement(first: 50, newestFirst: false) { edges { node { sequence kind change { amount } } } }
} }
"""
_CHANGES = """
subscription ($id: ID!, $after: Cursor) { walletChanged(walletId: $id, after: $after) {
  ... on WalletSnapshot { snapshot: cursor wallet {
    balance { total { amount } } statement(first: 1) { edges { node { sequence } } }
  } }
  ... on WalletEntry { cursor entry { sequence kind change { amount } balanceAfter { amount } } }
} }
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as the subscription told it; amounts as exact decimals."""

    sequence: int
    kind: str
    change: str
    balance: str = ""


@dataclass(frozen=True, slots=True)
class Holdings:
    """A wallet as a query answers it."""

    total: str
    owes: str
    entries: tuple[Entry, ...]


class Person:
    """Somebody with a token. All verbs raise `AmissError` for an answer with errors, aiohttp's errors without one."""

    def __init__(self, session: ClientSession, url: str, token: str) -> None:
        self._session, self._url = session, f"{url}/graphql"
        self._authorization = {"Authorization": f"Bearer {token}"}

    async def ask(self, query: str, **variables: object) -> Any:
        """The data of an operation's answer."""
        body = {"query": query, "variables": variables}
        async with self._session.post(self._url, json=body, headers=self._authorization) as answer:
            found: Any = await answer.json(content_type=None)
        if found.get("errors"):
            raise AmissError(f"GraphQL answered {found['errors'][0]['message']!r} to {' '.join(query.split())[:60]!r}.")
        return found["data"]

    async def change(self, mutation: str, **wish: object) -> Any:
        """What a mutation of one field made of its input. Raises `AmissError` for a refusal, too."""
        (answer,) = (await self.ask(mutation, input=wish)).values()
        return made(answer)

    async def wallet_for(self, purpose: str) -> str:
        """The id of the wallet of a purpose that was opened before."""
        found = (await self.ask(_WALLETS))["viewer"]["wallets"]
        return next(str(wallet["id"]) for wallet in found if wallet["purpose"] == purpose)

    async def open_wallet(self) -> str:
        """Open a wallet for hosting credit."""
        return str(made((await self.ask(_OPEN))["openWallet"])["id"])

    async def start_top_up(self, wallet: str, rupiah: int, method: str, key: str) -> Mapping[str, str]:
        """Start to put money into a wallet: `id`, `state` and `redirectUrl`."""
        amount = {"amount": str(rupiah), "currency": "IDR"}
        wish = {"walletId": wallet, "amount": amount, "method": method, "idempotencyKey": key}
        found: Mapping[str, str] = made((await self.ask(_START, input=wish))["startTopUp"])
        return found

    async def top_ups(self) -> list[tuple[str, str, str]]:
        """Where the last ten top-ups stand, newest first: state, what was credited, what was taken back."""
        edges = (await self.ask(_TOP_UPS))["viewer"]["topUps"]["edges"]
        found = (edge["node"] for edge in edges)
        return [(each["state"], each["credited"]["amount"], each["takenBack"]["amount"]) for each in found]

    async def holdings(self, wallet: str) -> Holdings:
        """What the ledger says about a wallet of at most 50 entries."""
        found = (await self.ask(_WALLET, id=wallet))["wallet"]
        entries = (edge["node"] for edge in found["statement"]["edges"])
        return Holdings(
            found["balance"]["total"]["amount"],
            found["owes"]["amount"],
            tuple(Entry(each["sequence"], each["kind"], each["change"]["amount"]) for each in entries),
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[ClientWebSocketResponse]:
        """A socket that has been let in."""
        async with self._session.ws_connect(self._url, protocols=(_PROTOCOL,)) as socket:
            await socket.send_json({"type": "connection_init", "payload": self._authorization})
            if (await _received(socket))["type"] != "connection_ack":
                raise AmissError("The server did not acknowledge a socket with a good token.")
            yield socket


class Watch:
    """A wallet watched live. Whatever happens to the server, it comes back and goes on behind its cursor."""

    def __init__(self, person: Person, wallet: str) -> None:
        self._person, self._wallet = person, wallet
        self._entries: list[Entry] = []
        self._cursor: str | None = None
        self._sequence: int | None = None
        self.connections = 0
        self._snapshot: str | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def snapshot(self) -> str | None:
        """The balance that the stream began with; None until it has. Raises as `entries` does."""
        self._raise_what_ended_it()
        return self._snapshot

    @property
    def entries(self) -> list[Entry]:
        """All that was told so far. Raises `AmissError` if one was lost or came twice, whenever that was."""
        self._raise_what_ended_it()
        return self._entries

    def _raise_what_ended_it(self) -> None:
        if self._task.done():
            self._task.result()

    async def _run(self) -> None:
        while True:
            try:
                async with self._person.connected() as socket:
                    await self._follow(socket)
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                await asyncio.sleep(_AGAIN_S)

    async def _follow(self, socket: ClientWebSocketResponse) -> None:
        variables = {"id": self._wallet, "after": self._cursor}
        payload = {"query": _CHANGES, "variables": variables}
        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
        self.connections += 1
        while True:
            message = await _received(socket)
            if message["type"] == "ping":
                await socket.send_json({"type": "pong"})
            elif message["type"] == "next" and not message["payload"].get("errors"):
                self._take(message["payload"]["data"]["walletChanged"])
            elif message["type"] != "pong":
                raise AmissError(f"The subscription ended with {message}.")

    def _take(self, change: Mapping[str, Any]) -> None:
        if "snapshot" in change:
            if self._cursor is not None:
                raise AmissError("A subscription that resumed after its cursor began again with a snapshot.")
            newest = change["wallet"]["statement"]["edges"]
            self._sequence = newest[0]["node"]["sequence"] if newest else 0
            self._snapshot, self._cursor = change["wallet"]["balance"]["total"]["amount"], change["snapshot"]
            return
        told = change["entry"]
        if self._sequence is None or told["sequence"] != self._sequence + 1:
            raise AmissError(f"The subscription told entry {told['sequence']} right after entry {self._sequence}.")
        self._sequence, self._cursor = told["sequence"], change["cursor"]
        amounts = told["change"]["amount"], told["balanceAfter"]["amount"]
        self._entries.append(Entry(told["sequence"], told["kind"], *amounts))


def made(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a mutation made. Raises `AmissError` for a refusal."""
    if "code" in answer:
        raise AmissError(f"The server refused: {answer['code']}, {answer['message']}")
    return answer


async def _received(socket: ClientWebSocketResponse) -> Any:
    """The next message. Raises `ConnectionError` when the socket closed instead."""
    message = await socket.receive()
    if message.type is not WSMsgType.TEXT:
        raise ConnectionResetError(f"the socket closed with {socket.close_code}")
    return message.json()
