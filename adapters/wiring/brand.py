"""Everything that brands need, plugged in."""

from dataclasses import dataclass, fields

from adapters.postgres.brand.reads import PostgresBrandReads
from adapters.postgres.database import Database
from adapters.wiring.identity import IdentityAdapters


@dataclass(frozen=True, slots=True)
class BrandAdapters(IdentityAdapters):
    """`domain.brand.ports.BrandPorts`, plugged in."""

    reads: PostgresBrandReads


def brands_of(identity: IdentityAdapters, database: Database) -> BrandAdapters:
    """What brands' actions are handed: all of identity, and brands besides."""
    return BrandAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresBrandReads(database, identity.vault),
    )
