"""What batched fields of campaigns look up with."""

from collections.abc import Mapping, Sequence

from domain.brand.model import Brand
from domain.campaign.creatives import Creative
from domain.campaign.model import Campaign, CampaignId
from domain.campaign.participation import Offer, ParticipationId
from domain.campaign.ports import CreativePage
from domain.campaign.spending import Rest
from domain.earning.analytics import Asked, Row
from domain.earning.model import EarnedMinute
from domain.earning.ports import MinutePage
from domain.ids import BrandId
from domain.ledger.chart import Purpose
from domain.ledger.ports import AccountView
from domain.message.model import ReadMessage
from domain.message.ports import MessagePage, Unread
from domain.ports import Ports
from domain.streamer.model import Streamer


async def escrows(ports: Ports, owners: Sequence[str]) -> Mapping[str, AccountView]:
    """Escrow accounts by the owner names of their campaigns."""
    return {each.key.owner: each for each in await ports.books.accounts_of(owners, [Purpose.CAMPAIGN_ESCROW])}


async def creatives(ports: Ports, pages: Sequence[CreativePage]) -> Mapping[CreativePage, Sequence[Creative]]:
    """Pages of creatives."""
    return await ports.campaign.reads.creatives(pages)


async def brands(ports: Ports, ids: Sequence[BrandId]) -> Mapping[BrandId, Brand]:
    """Brands, whosever they are."""
    return await ports.brand.reads.brands_by_id(ids)


async def campaigns(ports: Ports, ids: Sequence[CampaignId]) -> Mapping[CampaignId, Campaign]:
    """Campaigns, whosever they are."""
    return await ports.campaign.reads.campaigns_by_id(ids)


async def offers(ports: Ports, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Sequence[Offer]]:
    """The newest offers of participations."""
    return await ports.campaign.reads.offers_of(ids)


async def rests(ports: Ports, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Rest]:
    """Why participations rest, those that do."""
    return await ports.earning.reads.rests_of(ids)


async def minutes(ports: Ports, pages: Sequence[MinutePage]) -> Mapping[MinutePage, Sequence[EarnedMinute]]:
    """Pages of minutes."""
    return await ports.earning.reads.minutes(pages)


async def messages(ports: Ports, pages: Sequence[MessagePage]) -> Mapping[MessagePage, Sequence[ReadMessage]]:
    """Pages of messages."""
    return await ports.message.reads.messages(pages)


async def unread(ports: Ports, asked: Sequence[Unread]) -> Mapping[Unread, int]:
    """How many messages people have not read."""
    return await ports.message.reads.unread(asked)


async def figures(ports: Ports, asked: Sequence[Asked]) -> Mapping[Asked, Sequence[Row]]:
    """What campaigns and participations brought."""
    return await ports.earning.reads.analytics(asked)


async def streamers_in(ports: Ports, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Streamer]:
    """The streamers of participations."""
    parts = await ports.campaign.reads.participations_by_id(ids)
    streamers = {id_: part.streamer for id_, part in parts.items() if part.streamer is not None}
    found = await ports.streamer.reads.streamers(list(set(streamers.values())))
    return {id_: found[streamer] for id_, streamer in streamers.items() if streamer in found}
