"""Everything that earnings need, plugged in."""

from dataclasses import dataclass, fields

from adapters.config import Settings
from adapters.postgres.batcher import Batcher
from adapters.postgres.database import Database
from adapters.postgres.earning.evidence import PostgresEvidence
from adapters.postgres.earning.reads import PostgresEarningReads
from adapters.postgres.streamer.live_reads import PostgresLiveReads
from adapters.wiring.identity import IdentityAdapters
from domain.earning.model import EarningPolicy
from domain.earning.rates import Rate, Rates


@dataclass(frozen=True, slots=True)
class EarningAdapters(IdentityAdapters):
    """`domain.earning.ports.EarningPorts`, plugged in."""

    evidence: PostgresEvidence
    reads: PostgresEarningReads
    streams: PostgresLiveReads
    submissions: Batcher
    policy: EarningPolicy


def earnings_of(
    identity: IdentityAdapters, database: Database, submissions: Batcher, policy: EarningPolicy
) -> EarningAdapters:
    """What the actions of earnings are handed: all of identity, minutes, and what we know of streams by ourselves."""
    return EarningAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        evidence=PostgresEvidence(database),
        reads=PostgresEarningReads(database, identity.vault),
        streams=PostgresLiveReads(database, identity.vault),
        submissions=submissions,
        policy=policy,
    )


def earning_policy(settings: Settings) -> EarningPolicy:
    """The rules as the settings say."""
    rates = (settings.take_rate, settings.withholding_tax_rate, settings.value_added_tax_rate)
    return EarningPolicy(rates=Rates(*map(Rate, rates)))
