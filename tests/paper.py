"""One order on paper: answers are applied to a book as the unit of work applies them to the database."""

from dataclasses import dataclass, field

from domain.ledger.book import AccountState, Book
from domain.ledger.decision import decide
from domain.ledger.model import AccountKey, Balance, Code
from domain.money import Money
from domain.wallet.effects import Effects, effects
from domain.wallet.gateway import PaymentState, PaymentStatus, TakenBack
from domain.wallet.model import Attempt, TopUp
from domain.wallet.policy import MIDTRANS, MethodTerms
from domain.wallet.postings import charged, receivable, settlement
from tests.builders import CLEARING, FEES, FIFTY, UNALLOCATED, paper_attempt, paper_top_up, rupiah, status

NOW = paper_top_up().created_at


@dataclass
class Paper:
    """One order whose answers are applied to a book on paper, as the unit of work applies them to the database."""

    top_up: TopUp = field(default_factory=paper_top_up)
    attempt: Attempt = field(init=False)
    book: Book = field(init=False)
    terms: MethodTerms | None = None

    def __post_init__(self) -> None:
        self.attempt = paper_attempt(self.top_up)
        self.terms = self.terms or MIDTRANS.methods[self.top_up.method]
        platform = {account: AccountState() for account in (CLEARING, FEES, UNALLOCATED)}
        self.book = Book(
            {
                self.top_up.account: AccountState(floor=0),
                receivable(self.top_up.account): AccountState(ceiling=0),
                **platform,
            }
        )

    def answer(
        self, state: PaymentState, amount: Money = FIFTY, *backs: TakenBack, transaction_id: str = "one"
    ) -> Effects:
        return self.apply(status(self.attempt.order_id, state, amount, *backs, transaction_id=transaction_id))

    def apply(self, answer: PaymentStatus, *, over: bool = False, to_wallet: bool = True) -> Effects:
        found = effects(self.top_up, self.attempt, answer, latest=True, over=over, to_wallet=to_wallet)
        found = charged(found, self.terms)
        if found.moves:
            balances = {
                key: Balance(state.posted, state.held, state.seq, state.status)
                for key, state in self.book.accounts.items()
            }
            made = settlement(found, balances, None)
            assert decide(self.book, made.transaction, NOW).code is Code.POSTED
        self.top_up, self.attempt = found.top_up, found.attempt
        return found

    def posted(self, account: AccountKey) -> int:
        """In whole rupiah; of platform accounts from the rows, as they keep no figures."""
        change = 0
        for row in self.book.rows:
            assert row.source is not None
            assert row.target is not None
            change += row.amount * ((row.target.account == account) - (row.source.account == account))
        return change // 100

    @property
    def wallet(self) -> int:
        return self.posted(self.top_up.account)

    @property
    def owed(self) -> int:
        return -self.posted(receivable(self.top_up.account))


def back(reference: str, units: int, *, final: bool = True) -> TakenBack:
    return TakenBack(reference, rupiah(units), final)
