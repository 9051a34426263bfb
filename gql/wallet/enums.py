"""What the wallet's enumerations mean to clients."""

from enum import Enum

import strawberry

from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountStatus, Operation
from domain.wallet.gateway import Method
from domain.wallet.model import TopUpState
from gql.enums import describe

describe(
    Purpose,
    "Purpose",
    "What the money in an account is for. Money moves between purposes only where the rules of the ledger allow it.",
    {
        Purpose.PLAYER_CASH: "A player's own money.",
        Purpose.PLAYER_BONUS: "A player's bonus, not withdrawable before it is released.",
        Purpose.HOSTING_CREDIT: "Credit for hosted applications.",
        Purpose.BRAND_PREPAID: "A brand's money for campaigns.",
        Purpose.CAMPAIGN_ESCROW: "Money set apart for one campaign.",
        Purpose.STREAMER_EARNED: "What a streamer has earned.",
        Purpose.REFERRAL: "What a person has earned by referring others.",
        Purpose.RECEIVABLE: "What a person owes us, as a negative balance.",
        Purpose.GATEWAY_CLEARING: "Money under way between a payment gateway and us.",
        Purpose.PROVIDER_FLOAT: "Money under way between a game provider and us.",
        Purpose.BANK: "Our bank accounts.",
        Purpose.UNALLOCATED: "Money that came in and fits nothing yet.",
        Purpose.FEES: "Fees, taken and paid.",
        Purpose.TAX: "Taxes to be paid on.",
        Purpose.REVENUE: "Our revenue.",
        Purpose.WRITE_OFF: "What we no longer expect to be paid.",
        Purpose.OPENING: "Balances brought from an older system.",
    },
)

describe(
    Kind,
    "EntryKind",
    "Why money moved.",
    {
        Kind.TOP_UP: "A payment came in.",
        Kind.MISFIT: "A payment came in that fits no order.",
        Kind.ALLOCATION: "A payment that fitted no order was given to its owner.",
        Kind.GATEWAY_FEE: "The payment gateway's fee.",
        Kind.GATEWAY_SETTLEMENT: "The payment gateway paid us.",
        Kind.GATEWAY_FUNDING: "We put money into the payment gateway.",
        Kind.REFUND: "A payment was given back.",
        Kind.CANCELLATION: "A payment was cancelled after it had come in.",
        Kind.CHARGEBACK: "The payer's bank took a payment back.",
        Kind.REPAYMENT: "A debt to us was paid from a credit.",
        Kind.WRITE_OFF: "A debt was given up.",
        Kind.TRANSFER: "The owner moved it from another purpose of their own.",
        Kind.ESCROW: "Set apart for a campaign.",
        Kind.ESCROW_RETURN: "What a campaign did not spend came back.",
        Kind.EARNING: "Earned in a campaign.",
        Kind.TAKE_RATE: "The platform's share of a campaign.",
        Kind.VALUE_ADDED_TAX: "Value-added tax.",
        Kind.WITHHOLDING_TAX: "Tax withheld from earnings.",
        Kind.TAX_PAYMENT: "Tax paid on to the authority.",
        Kind.WAGER: "A wager in a game.",
        Kind.WIN: "A win in a game.",
        Kind.GAME_DEPOSIT: "Taken along to a game provider.",
        Kind.GAME_WITHDRAWAL: "Brought back from a game provider.",
        Kind.PROVIDER_SETTLEMENT: "A game provider and we settled.",
        Kind.BONUS_GRANT: "A bonus was granted.",
        Kind.BONUS_RELEASE: "A bonus became cash.",
        Kind.BONUS_EXPIRY: "A bonus expired.",
        Kind.COMMISSION: "A commission for a referral.",
        Kind.CLAWBACK: "A commission was taken back.",
        Kind.HOSTING_CHARGE: "Paid for a hosted application.",
        Kind.HOSTING_REFUND: "Given back for a hosted application.",
        Kind.PAYOUT: "Paid out to the owner.",
        Kind.ADJUSTMENT: "Put right by staff, two of them.",
        Kind.OPENING_BALANCE: "Brought from an older system.",
    },
)

describe(
    Operation,
    "EntryOperation",
    "How money moved.",
    {
        Operation.MOVE: "It moved at once.",
        Operation.HOLD: "It was set aside: no longer available, still in the wallet.",
        Operation.CAPTURE: "What was set aside moved, whole or in part.",
        Operation.VOID: "What was set aside became available again.",
        Operation.EXPIRE: "What was set aside became available again because its time was over.",
        Operation.REVERSE: "An earlier movement was undone.",
    },
)

describe(
    AccountStatus,
    "WalletStatus",
    "Whether money may move.",
    {
        AccountStatus.OPEN: "Money comes and goes.",
        AccountStatus.FROZEN: "Nothing leaves; what comes in lands.",
        AccountStatus.CLOSED: "Nothing moves any more.",
    },
)

describe(
    Method,
    "PaymentMethod",
    "How to pay.",
    {
        Method.BANK_TRANSFER: "A transfer to a virtual account.",
        Method.CARD: "A credit or debit card.",
        Method.GOPAY: "The e-wallet GoPay.",
        Method.SHOPEEPAY: "The e-wallet ShopeePay.",
        Method.DANA: "The e-wallet DANA.",
        Method.OVO: "The e-wallet OVO.",
        Method.QRIS: "A QRIS code, by any e-wallet or bank that reads it.",
        Method.CONVENIENCE_STORE: "Cash at a convenience store.",
    },
)

describe(
    TopUpState,
    "TopUpState",
    "Where a top-up stands. A payment that comes late still lands, whatever the state.",
    {
        TopUpState.REQUESTED: "Noted; the page to pay on is not there yet.",
        TopUpState.PENDING: "Waiting to be paid.",
        TopUpState.CHALLENGED: "Paid, but held by the gateway until it has been checked.",
        TopUpState.SETTLED: "The money is in the wallet.",
        TopUpState.IN_REVIEW: "Something came in that does not fit; our staff look at it.",
        TopUpState.EXPIRED: "Nobody paid in time.",
        TopUpState.CANCELLED: "Cancelled.",
        TopUpState.FAILED: "The gateway or the payer's bank declined.",
    },
)


@strawberry.enum(name="TimeBasis", description="Which of an entry's two times counts.")
class TimeBasis(Enum):
    """Which of an entry's two times counts."""

    RECORDED = strawberry.enum_value("recorded", description="When the ledger learnt of it.")
    EFFECTIVE = strawberry.enum_value("effective", description="When it happened.")
