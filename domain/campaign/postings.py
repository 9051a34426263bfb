"""Which postings fund a campaign and return what is left of it."""

from domain.campaign.model import Campaign
from domain.ids import TransactionId, derived
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Money


def prepaid(campaign: Campaign) -> AccountKey:
    """What the brand has paid in, in the campaign's currency."""
    return AccountKey(campaign.owner, Purpose.BRAND_PREPAID, campaign.plan.currency)


def escrow(campaign: Campaign) -> AccountKey:
    """What is set aside for the campaign and nothing else."""
    return AccountKey(campaign.escrow_owner, Purpose.CAMPAIGN_ESCROW, campaign.plan.currency)


def funding(campaign: Campaign) -> Transaction:
    """The whole budget into escrow: once for each campaign."""
    posting = Posting(Kind.ESCROW, prepaid(campaign), escrow(campaign), campaign.plan.budget)
    return Transaction.move(TransactionId(derived("campaign:escrow", str(campaign.id))), posting)


def giving_back(campaign: Campaign, left: Money, seq: int) -> Transaction:
    """What is left in escrow back to the brand: once for each place in the escrow's statement."""
    posting = Posting(Kind.ESCROW_RETURN, escrow(campaign), prepaid(campaign), left)
    return Transaction.move(TransactionId(derived(f"campaign:return:{campaign.id}", str(seq))), posting)
