"""Everything that campaigns need, plugged in."""

from dataclasses import dataclass, fields

from adapters.markup import Nh3Markup
from adapters.postgres.campaign.reads import PostgresCampaignReads
from adapters.postgres.database import Database
from adapters.wiring.identity import IdentityAdapters


@dataclass(frozen=True, slots=True)
class CampaignAdapters(IdentityAdapters):
    """`domain.campaign.ports.CampaignPorts`, plugged in."""

    reads: PostgresCampaignReads
    markup: Nh3Markup


def campaigns_of(identity: IdentityAdapters, database: Database) -> CampaignAdapters:
    """What campaigns' actions are handed: all of identity, and campaigns besides."""
    return CampaignAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresCampaignReads(database),
        markup=Nh3Markup(),
    )
