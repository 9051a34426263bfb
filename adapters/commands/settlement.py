"""`gametriggers settlement`: what a gateway paid to our bank becomes a posting, once for each reference."""

from adapters.config import Settings
from adapters.wiring import connect
from domain.money import Currency, Money
from domain.refusal import Refusal
from domain.wallet.clearing import record_settlement


async def run(settings: Settings, gateway: str, amount: str, reference: str) -> str:
    """Book it and say how it went. Raises `InvalidMoneyError` for an amount that is none."""
    money = Money.parse(amount, Currency.IDR)
    async with connect(settings) as ports:
        outcome = await record_settlement(ports, gateway, money, reference)
    if isinstance(outcome, Refusal):
        return f"{outcome.code}: {outcome.message}"
    if not outcome.posted:
        return f"The ledger refused it: {outcome.code}."
    return f"{'It was booked before' if outcome.replayed else 'Booked'}: {money} {money.currency} from {gateway}."
