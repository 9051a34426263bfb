"""A unit of work on PostgreSQL: one connection, one database transaction, every context's rows and the ledger."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import Connection

from adapters.postgres.accounts import AccountIndex
from adapters.postgres.asset.store import PostgresAssets
from adapters.postgres.brand.store import PostgresBrands, PostgresInvitations, PostgresTeams
from adapters.postgres.campaign.creatives import PostgresCreatives
from adapters.postgres.campaign.participations import PostgresParticipations
from adapters.postgres.campaign.store import PostgresCampaigns
from adapters.postgres.database import Database
from adapters.postgres.deeds import write_deed
from adapters.postgres.earning.disputes import PostgresDisputes
from adapters.postgres.earning.minutes import PostgresMinutes
from adapters.postgres.identity.consents import PostgresConsents
from adapters.postgres.identity.erasures import PostgresErasures
from adapters.postgres.identity.estates import PostgresEstates
from adapters.postgres.identity.exports import PostgresExports
from adapters.postgres.identity.letters import PostgresLetters
from adapters.postgres.identity.mail_requests import PostgresMailRequests
from adapters.postgres.identity.mailboxes import PostgresMailboxes
from adapters.postgres.identity.members import PostgresMembers
from adapters.postgres.identity.merges import PostgresMerges
from adapters.postgres.identity.people import PostgresPeople
from adapters.postgres.identity.second_factors import PostgresSecondFactors
from adapters.postgres.identity.sessions import PostgresSessions
from adapters.postgres.identity.tickets import PostgresTickets
from adapters.postgres.invoice.store import PostgresInvoices
from adapters.postgres.ledger import LedgerCore, PostgresLedger
from adapters.postgres.lock_order import LockOrder
from adapters.postgres.message.store import PostgresMessages
from adapters.postgres.outbox import write_events
from adapters.postgres.overlay.store import PostgresOverlays
from adapters.postgres.register import PostgresAccountRegister
from adapters.postgres.streamer.grants import PostgresGrants
from adapters.postgres.streamer.links import PostgresPlatformLinks
from adapters.postgres.streamer.listing import PostgresListing
from adapters.postgres.streamer.live import PostgresLive
from adapters.postgres.streamer.profiles import PostgresStreamers
from adapters.postgres.wallet import PostgresTopUps
from domain.audit_log import Deed
from domain.clock import Clock
from domain.events import Event
from domain.vault import Vault


class PostgresWork:
    """What `ports.work()` gives to an action."""

    def __init__(self, connection: Connection, core: LedgerCore, vault: Vault) -> None:
        self._connection, self._vault = connection, vault
        order = LockOrder()
        self.ledger = PostgresLedger(connection, core, order)
        self.register = PostgresAccountRegister(connection, order)
        self.top_ups = PostgresTopUps(connection)
        self.people = PostgresPeople(connection)
        self.sessions = PostgresSessions(connection)
        self.tickets = PostgresTickets(connection)
        self.second_factors = PostgresSecondFactors(connection)
        self.merges = PostgresMerges(connection)
        self.members = PostgresMembers(connection)
        self.mailboxes = PostgresMailboxes(connection)
        self.mail_requests = PostgresMailRequests(connection)
        self.letters = PostgresLetters(connection)
        self.consents = PostgresConsents(connection)
        self.exports = PostgresExports(connection)
        self.erasures = PostgresErasures(connection)
        self.estates = PostgresEstates(connection)
        self.streamers = PostgresStreamers(connection)
        self.platform_links = PostgresPlatformLinks(connection)
        self.overlays = PostgresOverlays(connection)
        self.listing = PostgresListing(connection)
        self.grants = PostgresGrants(connection)
        self.live = PostgresLive(connection)
        self.brands = PostgresBrands(connection)
        self.teams = PostgresTeams(connection)
        self.invitations = PostgresInvitations(connection)
        self.assets = PostgresAssets(connection)
        self.campaigns = PostgresCampaigns(connection)
        self.creatives = PostgresCreatives(connection)
        self.participations = PostgresParticipations(connection)
        self.minutes = PostgresMinutes(connection)
        self.disputes = PostgresDisputes(connection)
        self.invoices = PostgresInvoices(connection)
        self.messages = PostgresMessages(connection)

    async def emit(self, *events: Event) -> None:
        """Record events in the outbox by one statement; the same event again is the same row."""
        await write_events(self._connection, events)

    async def record(self, deed: Deed) -> None:
        """Write a line of the audit log, what is personal of it encrypted; the same deed again is the same line."""
        await write_deed(self._connection, self._vault, deed)


class Works:
    """Opens units of work. Holds no connection itself."""

    def __init__(self, database: Database, index: AccountIndex, clock: Clock, *, vault: Vault) -> None:
        self._database, self._index, self._clock, self._vault = database, index, clock, vault

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PostgresWork]:
        """Everything done through the work commits at the end of the block, or nothing does."""
        index = self._index.child()
        async with self._database.transaction() as connection:
            yield PostgresWork(connection, LedgerCore(index, self._clock), self._vault)
        index.publish()
