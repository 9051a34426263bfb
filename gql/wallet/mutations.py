"""What a person may do with their wallets."""

from typing import Annotated

import strawberry

from domain.ledger.chart import Purpose
from domain.money import Currency
from domain.refusal import Refusal
from domain.wallet import actions, model
from domain.wallet.gateway import Method
from domain.wallet.model import LONGEST_KEY
from gql.access import Right, field
from gql.context import Info
from gql.errors import BadInputError
from gql.money import MoneyInput
from gql.node import key_of
from gql.refusals import result, show
from gql.wallet.queries import account_id, fetch_wallet, top_up_id
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet
from gql.weights import VENDOR

OpenWalletResult = result(
    "OpenWalletResult",
    Wallet,
    model.WalletNotOffered,
    description="The wallet, or why there is none.",
)

StartTopUpResult = result(
    "StartTopUpResult",
    TopUp,
    model.WalletNotFound,
    model.WalletFrozen,
    model.CurrencyNotSupported,
    model.GatewayNotBound,
    model.MethodNotOffered,
    model.AmountNotRepresentable,
    model.BelowMinimum,
    model.AboveMaximum,
    model.TooManyPending,
    model.TooManyTopUps,
    model.MailNotVerified,
    model.DailyCapReached,
    model.IdReused,
    model.GatewayRefused,
    description="The top-up with the page to pay on, or why there is none.",
)

CancelTopUpResult = result(
    "CancelTopUpResult",
    TopUp,
    model.TopUpNotFound,
    model.NotCancellable,
    description="The cancelled top-up, or why it is not cancelled.",
)


@strawberry.input(description="Which wallet to open.")
class OpenWalletInput:
    """Which wallet to open."""

    purpose: Purpose = strawberry.field(description="What the money is to be for.")
    currency: Currency = strawberry.field(description="The currency of all that will be in it.")


@strawberry.input(description="How to put money into a wallet.")
class StartTopUpInput:
    """How to put money into a wallet."""

    wallet_id: strawberry.ID = strawberry.field(description="The id of the wallet that the money is for.")
    amount: MoneyInput = strawberry.field(description="How much.")
    method: Method = strawberry.field(description="How it is to be paid.")
    idempotency_key: str = strawberry.field(
        description="A text of your making, new for every top-up: sending the same one again starts no second top-up"
        f" but answers the first. 1 to {LONGEST_KEY} characters."
    )


@strawberry.input(description="Which top-up to cancel.")
class CancelTopUpInput:
    """Which top-up to cancel."""

    top_up_id: strawberry.ID = strawberry.field(description="The id of the top-up.")


@strawberry.type
class WalletMutation:
    """The wallet's verbs."""

    @field(
        Right.SIGNED_IN,
        "Open a wallet of your own. Opening it again answers the same wallet.",
        graphql_type=OpenWalletResult,
    )
    async def open_wallet(
        self, info: Info, wanted: Annotated[OpenWalletInput, strawberry.argument(name="input", description="Which.")]
    ) -> object:
        """Open a wallet of the caller's own."""
        context = info.context
        made = await actions.open_wallet(context.ports, context.caller, wanted.purpose, wanted.currency)
        return show(made) if isinstance(made, Refusal) else await fetch_wallet(context, str(made))

    @field(
        Right.OWNER,
        "Start to put money into a wallet of yours, or of a brand that you manage. What you may start in a day counts"
        " for you, whosever wallets you fill. Pay on the page at `redirectUrl`; where that is still null, ask"
        " again with the same key, or look at the top-up a moment later.",
        graphql_type=StartTopUpResult,
        cost=VENDOR,
    )
    async def start_top_up(
        self, info: Info, wanted: Annotated[StartTopUpInput, strawberry.argument(name="input", description="How.")]
    ) -> object:
        """Start to put money into a wallet of the caller's."""
        context = info.context
        wallet = account_id(key_of(Wallet.kind, wanted.wallet_id))
        made = await actions.start_top_up(
            context.ports,
            context.caller,
            wallet,
            wanted.amount.parsed(),
            wanted.method,
            _checked_key(wanted.idempotency_key),
        )
        return show(made) if isinstance(made, Refusal) else TopUp(top_up=made)

    @field(
        Right.OWNER,
        "Cancel a top-up that nobody has paid yet, for a wallet of yours or of a brand that you manage."
        " A payment that is under way all the same still lands.",
        graphql_type=CancelTopUpResult,
        cost=VENDOR,
    )
    async def cancel_top_up(
        self, info: Info, wanted: Annotated[CancelTopUpInput, strawberry.argument(name="input", description="Which.")]
    ) -> object:
        """Cancel a top-up of the caller's."""
        context = info.context
        top_up = top_up_id(key_of(TopUp.kind, wanted.top_up_id))
        made = await actions.cancel_top_up(context.ports, context.caller, top_up)
        return show(made) if isinstance(made, Refusal) else TopUp(top_up=made)


def _checked_key(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise BadInputError(f"`idempotencyKey` is a printable text of 1 to {LONGEST_KEY} characters.")
    return key
