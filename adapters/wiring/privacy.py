"""Everything that privacy needs, plugged in."""

from dataclasses import dataclass, fields

from adapters.postgres.books import PostgresBooks
from adapters.postgres.database import Database
from adapters.postgres.deeds import PostgresDeeds
from adapters.postgres.identity.privacy_reads import PostgresPrivacyReads
from adapters.wiring.identity import IdentityAdapters
from domain.identity.privacy import PrivacyPolicy


@dataclass(frozen=True, slots=True)
class PrivacyAdapters(IdentityAdapters):
    """`domain.identity.privacy_stores.PrivacyPorts`, plugged in."""

    books: PostgresBooks
    audit_log: PostgresDeeds
    reads: PostgresPrivacyReads
    policy: PrivacyPolicy


def privacy_of(
    identity: IdentityAdapters, database: Database, audit_log: PostgresDeeds, policy: PrivacyPolicy
) -> PrivacyAdapters:
    """What privacy's actions are handed: all of identity, and what is a person's besides."""
    return PrivacyAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        books=PostgresBooks(database),
        audit_log=audit_log,
        reads=PostgresPrivacyReads(database, identity.vault),
        policy=policy,
    )
