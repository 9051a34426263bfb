"""What passes between a gateway and our bank, so that the gateway's clearing account returns to zero."""

from domain.ids import TransactionId, derived
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Code, Outcome, Posting, Transaction
from domain.money import Money
from domain.refusal import Refusal
from domain.wallet.model import GatewayNotBound, IdReused
from domain.wallet.ports import WalletPorts
from domain.wallet.postings import HOUSE, clearing


async def record_settlement(ports: WalletPorts, gateway: str, amount: Money, reference: str) -> Outcome | Refusal:
    """Record that a gateway paid `amount` to our bank; once for each `reference`, the bank's or the gateway's own.

    Its door: the command `settlement`. A refusal by the ledger (an amount of nothing) is in the outcome.
    """
    if gateway not in ports.policy.gateways:
        return GatewayNotBound(f"There is no gateway {gateway!r}.")
    source = AccountKey(HOUSE, Purpose.BANK, amount.currency)
    target = clearing(gateway, amount.currency)
    id_ = TransactionId(derived("gateway-settlement", f"{gateway}:{reference}"))
    async with ports.work() as work:
        await work.ledger.open(source)
        await work.ledger.open(target)
        posting = Posting(Kind.GATEWAY_SETTLEMENT, source, target, amount)
        outcome = await work.ledger.post(Transaction.move(id_, posting))
    if outcome.code is Code.ID_REUSED:
        return IdReused(f"Reference {reference!r} was recorded with another amount.")
    return outcome
