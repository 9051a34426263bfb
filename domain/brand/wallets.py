"""A brand's wallet, which campaigns are funded from: its managers open and fill it, its members look on."""

from domain.actor import Actor
from domain.brand.ports import BrandPorts
from domain.brand.profiles import as_member
from domain.ids import AccountId, BrandId
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey
from domain.money import Currency
from domain.refusal import Refusal
from domain.rights import BrandRole


async def open_brand_wallet(ports: BrandPorts, actor: Actor, id_: BrandId, currency: Currency) -> AccountId | Refusal:
    """Open a brand's prepaid wallet in a currency. Its door: the mutation, for managers. Again, and it is the same."""
    async with ports.work() as work:
        found = await as_member(work, actor, id_, BrandRole.MANAGER)
        if isinstance(found, Refusal):
            return found
        return await work.ledger.open(AccountKey(found.owner, Purpose.BRAND_PREPAID, currency))
