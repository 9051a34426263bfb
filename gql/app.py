"""The application: its addresses, what it lives with, and the only place where GraphQL meets the adapters."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from adapters import webhooks, wiring
from adapters.address import Located
from adapters.config import Environment, Settings, UntrustedDocuments, read_settings
from adapters.demo import DEMO, demo_password, demo_session, mail_of
from adapters.file_doors import file_routes
from adapters.identity.published import key_routes
from adapters.identity.tokens import TokenError, Tokens, Verified
from adapters.logs import configure_logging
from adapters.postgres.trusted_documents import PostgresTrustedDocuments
from adapters.readiness import UNREACHABLE, Readiness, readiness
from adapters.twitch_webhook import twitch_routes
from adapters.wiring import Adapters
from domain.actor import Actor, Origin
from domain.clock import Clock, system_clock
from domain.identity.model import SignedOutError
from domain.identity.sessions import actor_of
from domain.ids import uuid7, uuid7_hex
from domain.ledger.chart import Purpose
from domain.overlay.model import TOKEN_PREFIX
from domain.ports import Ports
from gql import graphiql, portal, routing
from gql.budget import Budget
from gql.context import Context
from gql.cookies import CookieJar
from gql.document_files import DocumentsError, trust_of
from gql.doorkeeper import Doorkeeper, Guest, Leave, ScreenGuest, screen_of
from gql.errors import UnauthenticatedError
from gql.execution import Schema
from gql.fanout.groups import Fanout
from gql.fanout.nobody import SharedContext
from gql.fanout.places import Places, Room
from gql.http import GraphQLOverHttp, Reception
from gql.node import global_id
from gql.overlay import page
from gql.requests import bearer_of, presented_cookies
from gql.routing import AtOnce
from gql.schema import build_schema
from gql.sites import CHOSEN, PortalSites, Sites, origin_of
from gql.sse import Door
from gql.telemetry import OPERATIONS, Observed
from gql.wallet.types import Wallet
from gql.websocket import Admitted, GraphQLOverWebSocket, Host

GRAPHQL = "/graphql"
_DEMO_TOKEN = timedelta(hours=12)
"""So long a developer's GraphiQL is signed in as the demo account."""

Connect = Callable[[Settings], AbstractAsyncContextManager[Ports]]


class Application:
    """Everything that answers requests. Its ports are there while the server runs."""

    def __init__(self, settings: Settings, connect: Connect, clock: Clock) -> None:
        self._settings, self._connect, self.clock = settings, connect, clock
        self._tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        self._ports: Ports | None = None
        self._keeper: Doorkeeper | None = None
        self._looking: asyncio.Task[Readiness] | None = None
        self.development = settings.environment is Environment.DEVELOPMENT
        self.sites = PortalSites(settings.portals, origin_of(settings.public_url), self.development)
        self.schema: Schema = build_schema(development=self.development, unavailable=UNREACHABLE)
        self.fanout = Fanout(self.schema, lambda: SharedContext(self.ports))
        self.places = Places(
            Room(settings.sockets_of_address, settings.sockets_of_person, settings.operations_of_person)
        )
        self.trust = trust_of(self.schema.core, others=settings.untrusted_documents is UntrustedDocuments.ALLOW)
        self.schema.admission.rely_on(self.trust, ahead=not self.development)

    @property
    def ports(self) -> Ports:
        """The ports. Raises RuntimeError before the server has started and after it has ended."""
        if self._ports is None:
            raise RuntimeError("the application is not running")
        return self._ports

    @property
    def keeper(self) -> Doorkeeper:
        """Who knows all that have come in to stay. Raises RuntimeError as `ports` does."""
        if self._keeper is None:
            raise RuntimeError("the application is not running")
        return self._keeper

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Connect while the server runs."""
        async with self._connect(self._settings) as ports, Doorkeeper(ports).on_duty() as keeper:
            if isinstance(ports, Adapters):
                await self.trust.look_into(PostgresTrustedDocuments(ports.database))
            self._ports, self._keeper = ports, keeper
            try:
                yield
            finally:
                await self.fanout.end()
                await self.schema.changes.rest()
                self._ports = self._keeper = None

    async def open_http_context(self, request: Request) -> Context:
        """A request's context; without a token it is nobody's. Raises `UnauthenticatedError` for a bad one."""
        token = bearer_of(request.headers.get("authorization"))
        noted = request.scope["state"]
        origin: Origin = noted["origin"]
        if token and token.startswith(TOKEN_PREFIX):
            screen = await screen_of(self.ports.overlay, token)
            return Context(self.ports, None, noted["request_id"], origin, screen=screen)
        portal = self.sites.portal_of(request.headers, request.headers.get(CHOSEN))
        cookies = presented_cookies(request, portal, self._settings.cookie_domain)
        actor = await self._actor(token, origin) if token else await self._actor_by(cookies, origin)
        return Context(self.ports, actor, noted["request_id"], origin, cookies)

    def open_budget(self, request: HTTPConnection) -> Budget:
        """What is counted of who comes to a door and whom nobody knows yet, or whose token is no good."""
        return Budget(self.ports.quotas, None, request.state.origin)

    def open_socket_context(self, guest: Guest | ScreenGuest, origin: Origin) -> Context:
        """The context of one operation on a socket."""
        OPERATIONS.count("websocket")
        if isinstance(guest, Guest):
            self.ports.standings.used(guest.session, self.ports.clock())
        request_id = uuid7_hex()
        noted = replace(origin, request_id=request_id)
        return Context(self.ports, guest.actor, request_id, noted, screen=guest.screen)

    async def admit(self, handshake: HTTPConnection, payload: Mapping[str, Any], leave: Leave) -> Admitted:
        """Judge the payload of `connection_init`: `Authorization` as a header has it, or `token` alone, or a cookie."""
        said = {name.lower(): value for name, value in payload.items()}
        given = said.get("authorization", said.get("token", self._token_in_cookie(handshake, said)))
        if not isinstance(given, str):
            raise UnauthenticatedError
        token = bearer_of(given) if "authorization" in said else given
        return await self._admitted(token, handshake.state.origin, leave)

    async def stay(self, request: Request, context: Context, leave: Leave) -> Admitted | None:
        """Let who reads a stream stay as long as their token lasts; nobody has no token that could end."""
        if context.actor is None and context.screen is None:
            return None
        token = bearer_of(request.headers.get("authorization")) or context.cookies.access
        admitted = await self._admitted(token, context.origin, leave)
        context.actor, context.screen = admitted.guest.actor, admitted.guest.screen
        return admitted

    async def _admitted(self, token: str | None, origin: Origin, leave: Leave) -> Admitted:
        if not token:
            raise UnauthenticatedError
        try:
            if token.startswith(TOKEN_PREFIX):
                return Admitted(await self.keeper.admit_screen(token, leave), None)
            verified = self._verified(token)
            guest = await self.keeper.admit(verified.session, origin, leave)
        except SignedOutError as error:
            raise UnauthenticatedError(str(error)) from None
        if guest.actor.person != verified.person:
            self.keeper.part(guest)
            raise UnauthenticatedError
        return Admitted(guest, verified.expires_at)

    def part(self, guest: Guest | ScreenGuest) -> None:
        """Somebody who stayed has left."""
        if self._keeper is not None:
            self._keeper.part(guest)

    async def page(self, _: Request) -> Response:
        """GraphiQL, signed in as the demo account, its tabs filled for that account's wallet."""
        session = demo_session(DEMO)
        wallets = await self.ports.books.accounts_of([Actor(session.person).owner], [Purpose.HOSTING_CREDIT])
        wallet = global_id(Wallet.kind, wallets[0].id) if wallets else None
        token = self._tokens.issue(session, self.clock(), _DEMO_TOKEN).text
        known = graphiql.Known(mail_of(DEMO), demo_password(self._settings.identity_key_bytes))
        return graphiql.page(token, wallet, str(uuid7()), known)

    async def readiness(self) -> Readiness:
        """Whether the parts that we lean on answer. All who ask at once share one look: anybody may ask, unsigned."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> Readiness:
        if not isinstance(self.ports, Adapters):
            return Readiness("ok", "ok", "ok")
        return await readiness(self.ports.database, self._settings.redis_url.get_secret_value())

    def published_keys(self) -> dict[str, Any]:
        """The keys by which others check our tokens."""
        return self._tokens.published(self.clock())

    def _token_in_cookie(self, handshake: HTTPConnection, said: Mapping[str, Any]) -> str | None:
        """The access token among a handshake's cookies, of the portal whose page began it."""
        portal = self.sites.portal_of(handshake.headers, said.get(CHOSEN))
        return CookieJar(portal, self._settings.cookie_domain, presented=dict(handshake.cookies)).access

    async def _actor_by(self, cookies: CookieJar, origin: Origin) -> Actor | None:
        """Whose cookies these are. Old ones are nobody's, and no error: how else could one sign in again?"""
        try:
            return await self._actor(cookies.access, origin) if cookies.access else None
        except UnauthenticatedError:
            return None

    async def _actor(self, token: str, origin: Origin) -> Actor:
        verified = self._verified(token)
        try:
            actor = await actor_of(self.ports, verified.session, origin)
        except SignedOutError as error:
            raise UnauthenticatedError(str(error)) from None
        if actor.person != verified.person:
            raise UnauthenticatedError
        return actor

    def _verified(self, token: str) -> Verified:
        try:
            return self._tokens.verify(token, self.clock())
        except TokenError as error:
            raise UnauthenticatedError(str(error)) from None


def create_app(settings: Settings, connect: Connect = wiring.connect, clock: Clock = system_clock) -> Starlette:
    """The application as an ASGI callable. `connect` gives its ports for as long as the server runs."""
    application = Application(settings, connect, clock)
    over_http = _over_http(application)
    return Starlette(
        routes=[Route(GRAPHQL, over_http), *_routes(application, settings)],
        middleware=[
            Middleware(Observed),
            Middleware(Located, trusted_proxies=settings.trusted_proxies),
            Middleware(Sites, allowed=settings.portals),
            Middleware(AtOnce, path=GRAPHQL, endpoint=over_http),
        ],
        lifespan=application.lifespan,
        exception_handlers={500: routing.broken},
    )


def from_environment() -> Starlette:
    """The application as the environment sets it up: what the server is told to run."""
    settings = read_settings(Settings)
    configure_logging(settings)
    try:
        application = create_app(settings)
    except DocumentsError as error:
        raise SystemExit(f"Trusted documents are not in order:\n{error}") from None
    gc.freeze()  # the schema and its plans stay as long as we do: to look through them would hold up everybody
    return application


def _over_http(application: Application) -> GraphQLOverHttp:
    return GraphQLOverHttp(
        application.schema,
        Reception(
            application.open_http_context,
            application.open_budget,
            Door(application.stay, application.part, application.clock, application.fanout, application.places),
        ),
        application.page if application.development else None,
    )


def _routes(application: Application, settings: Settings) -> list[Any]:
    over_websocket = GraphQLOverWebSocket(
        Host(
            application.schema,
            application.admit,
            application.part,
            application.open_socket_context,
            application.sites.welcome,
            application.clock,
            application.fanout,
            application.places,
        ),
        lambda websocket: application.open_budget(websocket).take_request(),
    )
    routes: list[Any] = [
        WebSocketRoute(GRAPHQL, over_websocket.serve),
        Route("/healthz", routing.healthy),
        Route("/readyz", routing.ready(application.readiness)),
        Route("/metrics", routing.figures),
        *key_routes(application.published_keys),
        *page.routes(application.trust.shipped),
        *file_routes(lambda: application.ports),
        *webhooks.routes(lambda: application.ports, wiring.midtrans_keys(settings)),
        *twitch_routes(lambda: application.ports.streamer, wiring.twitch_secret(settings)),
    ]
    if application.development:
        routes += [Route(f"{GRAPHQL}/assets/{{name}}", graphiql.asset), *portal.routes()]
    return routes
