"""The wallet's verbs, where every door finds them."""

from domain.wallet.clearing import record_settlement
from domain.wallet.confirm import confirm_top_up
from domain.wallet.start import cancel_top_up, open_wallet, start_top_up
from domain.wallet.sweeps import expire_holds, sweep_top_ups

__all__ = [
    "cancel_top_up",
    "confirm_top_up",
    "expire_holds",
    "open_wallet",
    "record_settlement",
    "start_top_up",
    "sweep_top_ups",
]
