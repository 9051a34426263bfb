"""What the stories cannot see from outside: the chart pair by pair, and the book after a decision."""

from copy import deepcopy
from itertools import product

import pytest

from domain.ids import TransactionId, derived
from domain.ledger.book import AccountState, Book
from domain.ledger.chart import ALLOWED, TAKES_BACK, Kind, Limits, Purpose
from domain.ledger.decision import decide
from domain.ledger.model import KEPT_REFUSALS, AccountKey, AccountStatus, Code, JournalRow, Side, Transaction
from domain.money import LARGEST_MINOR, Currency
from tests.ledger_library import NAMES
from tests.ledger_stories import NOON, STORIES, Hands, Says, Together, World, post

WORLD = World("decision", Hands())
A, B = WORLD.wallet("a"), WORLD.wallet("b")

LEGAL = """
adjustment: player_bonus>revenue player_cash>revenue hosting_credit>revenue brand_prepaid>revenue referral>revenue
    campaign_escrow>revenue streamer_earned>revenue revenue>player_bonus revenue>player_cash revenue>hosting_credit
    revenue>brand_prepaid revenue>referral revenue>campaign_escrow revenue>streamer_earned
allocation: unallocated>hosting_credit unallocated>brand_prepaid unallocated>player_cash
bonus_expiry: player_bonus>revenue
bonus_grant: revenue>player_bonus
bonus_release: player_bonus>player_cash
cancellation: hosting_credit>gateway_clearing brand_prepaid>gateway_clearing player_cash>gateway_clearing
    receivable>gateway_clearing unallocated>gateway_clearing
chargeback: hosting_credit>gateway_clearing brand_prepaid>gateway_clearing player_cash>gateway_clearing
    receivable>gateway_clearing unallocated>gateway_clearing
clawback: referral>revenue receivable>revenue
commission: revenue>referral
earning: campaign_escrow>streamer_earned
escrow: brand_prepaid>campaign_escrow
escrow_return: campaign_escrow>brand_prepaid
game_deposit: player_cash>provider_float
game_withdrawal: provider_float>player_cash
gateway_fee: fees>gateway_clearing gateway_clearing>fees
gateway_funding: gateway_clearing>bank
gateway_settlement: bank>gateway_clearing
hosting_charge: hosting_credit>revenue
hosting_refund: revenue>hosting_credit
misfit: gateway_clearing>unallocated
opening_balance: opening>player_cash opening>player_bonus opening>hosting_credit opening>brand_prepaid
    opening>campaign_escrow opening>streamer_earned opening>referral opening>receivable opening>gateway_clearing
    opening>provider_float opening>bank opening>unallocated opening>fees opening>tax opening>revenue opening>write_off
payout: player_cash>gateway_clearing streamer_earned>gateway_clearing referral>gateway_clearing player_cash>bank
    streamer_earned>bank referral>bank
provider_settlement: bank>provider_float provider_float>bank
refund: hosting_credit>gateway_clearing brand_prepaid>gateway_clearing player_cash>gateway_clearing
    receivable>gateway_clearing unallocated>gateway_clearing
repayment: hosting_credit>receivable brand_prepaid>receivable player_cash>receivable player_bonus>receivable
    campaign_escrow>receivable streamer_earned>receivable referral>receivable
take_rate: campaign_escrow>fees
tax_payment: tax>bank
top_up: gateway_clearing>hosting_credit gateway_clearing>brand_prepaid gateway_clearing>player_cash
transfer: referral>player_cash referral>hosting_credit streamer_earned>hosting_credit
value_added_tax: brand_prepaid>tax campaign_escrow>tax
wager: player_cash>provider_float player_bonus>provider_float
win: provider_float>player_cash provider_float>player_bonus
withholding_tax: campaign_escrow>tax streamer_earned>tax referral>tax
write_off: write_off>receivable
"""
"""Spelled out a second time, so that nobody widens the chart by accident."""


def legal() -> set[tuple[str, str, str]]:
    triples: set[tuple[str, str, str]] = set()
    kind = ""
    for word in LEGAL.split():
        if word.endswith(":"):
            kind = word[:-1]
        else:
            source, _, target = word.partition(">")
            triples.add((kind, source, target))
    return triples


def test_the_chart_is_what_is_spelled_out_here() -> None:
    assert {(kind, *pair) for kind, pairs in ALLOWED.items() for pair in pairs} == legal()
    assert set(ALLOWED) == set(Kind)


def fresh_book(*keys: AccountKey, posted: int = 0) -> Book:
    return Book({
        key: AccountState()
        if key.purpose.is_platform
        else AccountState(posted, floor=key.purpose.usual_limits.floor, ceiling=key.purpose.usual_limits.ceiling)
        for key in keys
    })  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
def test_every_pair_of_purposes_moves_only_by_the_chart(kind: Kind) -> None:
    allowed = legal()
    for number, (source, target) in enumerate(product(Purpose, Purpose)):
        ends = WORLD.account("source", source), WORLD.account("target", target)
        book = fresh_book(*ends, posted=100)
        if target is Purpose.RECEIVABLE:
            book.accounts[ends[1]].posted = -100
        move = Transaction.move(WORLD.id(f"pair {number}"), post(kind, *ends, 10))
        expected = Code.POSTED if (kind, source, target) in allowed else Code.MOVEMENT_NOT_ALLOWED
        assert decide(book, move, NOON).code is expected, f"{kind} {source} > {target}"


@pytest.mark.parametrize("purpose", Purpose)
def test_usual_limits(purpose: Purpose) -> None:
    owned = {"player_cash", "player_bonus", "hosting_credit", "brand_prepaid", "campaign_escrow", "streamer_earned"}
    expected = Limits(0, None) if purpose in owned | {"referral"} else Limits(None, None)
    assert purpose.usual_limits == (Limits(None, 0) if purpose == "receivable" else expected)
    assert purpose.is_platform is (purpose not in owned | {"referral", "receivable"})


def test_the_stories_meet_every_code() -> None:
    told: set[Code] = set()
    for name in NAMES:
        for event in STORIES[name](World(name, Hands())):
            if isinstance(event, Says):
                told.add(event.code)
            elif isinstance(event, Together):
                told.update(event.codes)
    assert told == set(Code)


@pytest.mark.parametrize("kind", Kind)
def test_what_a_freeze_does_not_stop(kind: Kind) -> None:
    assert (kind in TAKES_BACK) is (kind in {"refund", "cancellation", "chargeback", "repayment", "clawback"})


def test_a_refusal_restores_the_whole_book() -> None:
    book = fresh_book(A, B, *WORLD.platform, posted=100)
    book.accounts[B].ceiling = 100
    before = deepcopy(book.accounts)
    fails = Transaction.move(
        WORLD.id("fails"), WORLD.charging(A, 50), WORLD.charging(A, 50), post(Kind.TOP_UP, WORLD.clearing, B, 1)
    )
    assert decide(book, fails, NOON).code is Code.LIMIT_EXCEEDED
    assert book.accounts == before
    assert not book.changed
    (row,) = book.rows
    assert row == JournalRow(
        fails.id, 0, fails.operation, Kind.TOP_UP, Code.LIMIT_EXCEEDED, Side(WORLD.clearing), Side(B, None, 100, 0), 1,
        None, fails.content, None,
    )  # fmt: skip


def test_a_refused_group_capture_leaves_the_hold_and_the_book() -> None:
    escrow = WORLD.account("a", Purpose.CAMPAIGN_ESCROW)
    brand = WORLD.account("a", Purpose.BRAND_PREPAID)
    book = fresh_book(A, brand, escrow, *WORLD.platform, posted=100)
    book.accounts[escrow].ceiling = 105
    hold = WORLD.hold("group", WORLD.charging(A, 60), post(Kind.ESCROW, brand, escrow, 10))
    assert decide(book, hold, NOON).posted
    accounts, holds = deepcopy(book.accounts), deepcopy(book.holds)
    book.changed.clear()
    book.changed_holds.clear()
    assert decide(book, WORLD.capture("c", "group"), NOON).code is Code.LIMIT_EXCEEDED
    assert (book.accounts, book.holds) == (accounts, holds)
    assert not book.changed
    assert not book.changed_holds


@pytest.mark.parametrize("code", Code)
def test_which_refusals_burn_the_id(code: Code) -> None:
    kept = {
        "insufficient_funds", "limit_exceeded", "account_frozen", "account_closed", "nothing_to_reverse", "tombstoned",
    }  # fmt: skip
    assert (code in KEPT_REFUSALS) is (code in kept)


def test_malformed_input_writes_nothing() -> None:
    book = fresh_book(A, *WORLD.platform)
    for transaction in (
        WORLD.top_up("t", A, 0), WORLD.top_up("t", B, 1), WORLD.capture("t", "x"), Transaction.move(WORLD.id("t")),
        Transaction.move(WORLD.id("t"), post(Kind.TOP_UP, A, WORLD.clearing, 1)),
        Transaction.move(WORLD.id("t"), post(Kind.TOP_UP, WORLD.clearing, A, 1, Currency.USD)),
    ):  # fmt: skip
        outcome = decide(book, transaction, NOON)
        assert outcome.code not in KEPT_REFUSALS | {Code.POSTED}
        assert outcome.rows == ()
    assert not book.rows
    assert not book.decided


def test_rows_carry_figures_of_accounts_that_keep_some_and_content_once() -> None:
    book = fresh_book(A, B, *WORLD.platform, posted=100)
    both = Transaction.move(
        WORLD.id("both"), WORLD.charging(A, 1), post(Kind.TOP_UP, WORLD.clearing, B, 2), effective_at=NOON
    )
    rows = decide(book, both, NOON).rows
    assert [(row.line, row.source, row.target, row.amount) for row in rows] == [
        (0, Side(A, 1, 99, 0), Side(WORLD.revenue), 1),
        (1, Side(WORLD.clearing), Side(B, 1, 102, 0), 2),
    ]
    assert [row.content for row in rows] == [both.content, None]
    assert {row.effective_at for row in rows} == {NOON}
    assert book.changed == {A, B}


def test_a_zero_line_of_a_capture_keeps_its_place_and_makes_no_entry() -> None:
    book = fresh_book(A, B, *WORLD.platform, posted=100)
    decide(book, WORLD.hold("h", WORLD.charging(A, 10), WORLD.charging(B, 10)), NOON)
    rows = decide(book, WORLD.capture("c", "h", 0, 10), NOON).rows
    assert [(row.line, row.amount, row.source) for row in rows] == [(0, 0, Side(A)), (1, 10, Side(B, 2, 90, 0))]
    assert [line.remaining for line in book.holds[WORLD.id("h")].lines] == [10, 0]


def test_a_tombstone_names_the_reversal_and_no_content() -> None:
    book = fresh_book(A, *WORLD.platform)
    decide(book, WORLD.reverse("r", "late"), NOON)
    refusal, tombstone = book.rows
    assert (refusal.transaction_id, refusal.refusal, refusal.ref) == (
        WORLD.id("r"), Code.NOTHING_TO_REVERSE, WORLD.id("late"),
    )  # fmt: skip
    assert (tombstone.transaction_id, tombstone.refusal, tombstone.content, tombstone.ref) == (
        WORLD.id("late"), Code.TOMBSTONED, None, WORLD.id("r"),
    )  # fmt: skip


def test_a_closed_account_lets_nothing_in_by_reversal_either() -> None:
    book = fresh_book(A, *WORLD.platform, posted=10)
    decide(book, WORLD.charge("c", A, 10), NOON)
    book.accounts[A].status = AccountStatus.CLOSED
    assert decide(book, WORLD.reverse("r", "c"), NOON).code is Code.ACCOUNT_CLOSED


def test_content_tells_everything_but_the_id_apart() -> None:
    one = TransactionId(derived("content", "1"))
    base = Transaction.move(one, WORLD.charging(A, 1))
    others = [
        base, Transaction.move(one, WORLD.charging(A, 2)), Transaction.move(one, WORLD.charging(B, 1)),
        Transaction.move(one, WORLD.charging(A, 1), WORLD.charging(A, 1)),
        Transaction.move(one, post(Kind.ADJUSTMENT, A, WORLD.revenue, 1)),
        Transaction.move(one, post(Kind.HOSTING_CHARGE, A, WORLD.clearing, 1)),
        Transaction.move(one, post(Kind.HOSTING_CHARGE, A, WORLD.revenue, 1, Currency.USD)),
        Transaction.move(one, WORLD.charging(A, 1), effective_at=NOON), Transaction.void(one, one),
        Transaction.hold(one, WORLD.charging(A, 1), expires_at=NOON), Transaction.expire(one, one),
        Transaction.reverse(one, one), Transaction.capture(one, one), WORLD.capture("1", "2", 1),
        WORLD.capture("1", "2", 1, 1), WORLD.capture("1", "2", 1, currency=Currency.USD),
    ]  # fmt: skip
    assert len({other.content for other in others}) == len(others)
    assert Transaction.move(TransactionId(derived("content", "2")), WORLD.charging(A, 1)).content == base.content


def test_the_answer_shows_balances_of_accounts_that_it_touched() -> None:
    book = fresh_book(A, B, *WORLD.platform, posted=LARGEST_MINOR)
    outcome = decide(book, WORLD.charge("c", A, 1), NOON)
    balance = outcome.balance(A)
    assert balance is not None
    assert (balance.posted, balance.held, balance.seq, balance.available) == (LARGEST_MINOR - 1, 0, 1, balance.posted)
    assert outcome.balance(B) is None
    assert outcome.balance(WORLD.revenue) is None
