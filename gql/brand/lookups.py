"""What batched fields of brands look up with."""

from collections.abc import Mapping, Sequence

from domain.brand.model import InvitationView, Member
from domain.brand.ports import TeamPage
from domain.ids import AssetId
from domain.ledger.chart import Purpose
from domain.ledger.ports import AccountView
from domain.ports import Ports
from gql.asset.lookups import Located, assets


async def members(ports: Ports, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[Member]]:
    """Pages of members."""
    return await ports.brand.reads.members(pages)


async def invitations(ports: Ports, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[InvitationView]]:
    """Pages of open invitations."""
    return await ports.brand.reads.invitations(pages)


async def documents(
    ports: Ports, lists: Sequence[tuple[AssetId, ...]]
) -> Mapping[tuple[AssetId, ...], Sequence[Located]]:
    """Lists of documents."""
    found = await assets(ports, list({id_ for each in lists for id_ in each}))
    return {each: [found[id_] for id_ in each if id_ in found] for each in lists}


async def wallets(ports: Ports, owners: Sequence[str]) -> Mapping[str, Sequence[AccountView]]:
    """Prepaid wallets by the brand's name in the ledger."""
    found: dict[str, list[AccountView]] = {owner: [] for owner in owners}
    for account in await ports.books.accounts_of(owners, [Purpose.BRAND_PREPAID]):
        found[account.key.owner].append(account)
    return found
