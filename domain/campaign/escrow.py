"""A campaign's budget in escrow: put there whole, and given back, once it has ended, by as much as nobody waits for.

Minutes that were shown are closed some while later, and what a ruling frees comes free later still. So of a campaign
that anybody went live in, the rest returns by a job, in as many parts as it takes, until the escrow is empty. Nothing
of it returns while a streamer may still appeal: whoever is right in the end finds what they are to be paid from.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from domain.campaign.model import Campaign
from domain.campaign.ports import CampaignPorts, CampaignWork
from domain.campaign.postings import escrow, funding, giving_back, prepaid
from domain.campaign.refusals import BudgetNotCovered, PrepaidFrozen
from domain.errors import ConflictError
from domain.ledger.model import AccountStatus, Transaction
from domain.money import Money
from domain.refusal import Refusal
from domain.work import Swept

_BATCH: Final = 100
_LAST_REPORTS: Final = timedelta(minutes=5)
"""A report that was being written as the campaign ended is in the database by then, and whose clock is behind has
appealed."""
APPEALED_WITHIN: Final = timedelta(days=7)
"""After staff rejected the evidence of a minute, so long its streamer may appeal: as long as a price waits that their
brand may dispute, so that neither side's word comes later than the other's."""


async def fund(work: CampaignWork, campaign: Campaign) -> Refusal | None:
    """Move the budget into escrow, or say why not: no refusal of the ledger's is ever asked for, so none is kept."""
    source, target, budget = prepaid(campaign), escrow(campaign), campaign.plan.budget
    await work.ledger.open(source)
    await work.ledger.open(target)
    balance = (await work.ledger.lock([source, target]))[source]
    if balance.status is not AccountStatus.OPEN:
        return PrepaidFrozen()
    if balance.available < budget.minor:
        missing = Money(budget.minor - balance.available, budget.currency)
        return BudgetNotCovered(f"The prepaid wallet lacks {missing} {missing.currency} of the budget.", missing)
    await _post(work, funding(campaign))
    return None


async def give_back(work: CampaignWork, campaign: Campaign, now: datetime) -> Campaign:
    """Return what nobody holds on the escrow of a campaign that has ended and is locked; emptied where that was all.

    Each part is named by where the escrow's statement stood: who comes again finds nothing left, or another part.
    """
    source, target = escrow(campaign), prepaid(campaign)
    balance = (await work.ledger.lock([source, target]))[source]
    if balance.available > 0:
        left = Money(balance.available, campaign.plan.currency)
        await _post(work, giving_back(campaign, left, balance.seq))
    return campaign if balance.held else replace(campaign, emptied_at=now)


async def return_escrow(ports: CampaignPorts, now: datetime) -> Swept:
    """Return what is left of campaigns that have ended, where no minute waits for a price, an appeal or staff's word.

    Its door: the schedule; many may run at once, and it comes again to a campaign of which something comes free later.
    """
    swept, before = Swept(), now - _LAST_REPORTS
    since = before - APPEALED_WITHIN
    for id_ in await ports.reads.to_empty(before, since, _BATCH):
        swept.looked_at += 1
        try:
            async with ports.work() as work:
                campaign = await work.campaigns.lock(id_)
                if campaign is not None and campaign.owes_escrow and not await work.campaigns.is_awaited(id_, since):
                    await work.campaigns.save(await give_back(work, campaign, now))
        except Exception as error:  # noqa: BLE001  # one campaign's trouble must not stop the others
            swept.failed.append((str(id_), error))
    return swept


async def _post(work: CampaignWork, transaction: Transaction) -> None:
    """Post what the locks made sure of. Raises `ConflictError` where the ledger says no all the same."""
    outcome = await work.ledger.post(transaction)
    if not outcome.posted:
        raise ConflictError(f"the ledger refuses {transaction.id}: {outcome.code}")
