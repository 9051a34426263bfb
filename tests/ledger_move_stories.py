"""Stories of moves: limits, statuses, malformed input, several postings, ids."""

from collections.abc import Iterator
from datetime import timedelta

from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountStatus, Code, Transaction
from domain.money import LARGEST_MINOR, Currency
from tests.ledger_stories import NOON, Becomes, Bounded, Event, Opens, Says, Stands, Together, World, post, story


@story
def a_top_up_lands_and_is_told(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("t", a, 5_000), shows={a: (5_000, 0)})
    yield Stands(a, 5_000, seq=1)
    yield Stands(w.clearing, 0, seq=0)


@story
def the_last_unit_may_go_and_not_one_more(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.charge("too much", a, 101), Code.INSUFFICIENT_FUNDS, shows={a: (100, 0)})
    yield Says(w.charge("all", a, 100), shows={a: (0, 0)})
    yield Says(w.charge("none left", a, 1), Code.INSUFFICIENT_FUNDS, shows={a: (0, 0)})
    yield Stands(a, 0, seq=2)


@story
def what_is_held_counts_against_the_floor(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)), shows={a: (100, 60)})
    yield Says(w.charge("too much", a, 41), Code.INSUFFICIENT_FUNDS, shows={a: (100, 60)})
    yield Says(w.hold("too much again", w.charging(a, 41)), Code.INSUFFICIENT_FUNDS)
    yield Says(w.charge("the rest", a, 40), shows={a: (60, 60)})
    yield Stands(a, 60, 60)


@story
def a_floor_under_zero_is_credit(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, limits=Limits(-50, None))
    yield Says(w.charge("too much", a, 51), Code.INSUFFICIENT_FUNDS)
    yield Says(w.charge("all", a, 50), shows={a: (-50, 0)})


@story
def a_floor_over_zero_is_kept(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Bounded(a, Limits(30, None))
    yield Says(w.charge("too much", a, 71), Code.INSUFFICIENT_FUNDS)
    yield Says(w.charge("all", a, 70), shows={a: (30, 0)})


@story
def a_ceiling_is_met_and_not_passed(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, limits=Limits(0, 100))
    yield Says(w.top_up("too much", a, 101), Code.LIMIT_EXCEEDED, shows={a: (0, 0)})
    yield Says(w.top_up("up to it", a, 100), shows={a: (100, 0)})
    yield Says(w.top_up("one more", a, 1), Code.LIMIT_EXCEEDED)
    yield Says(w.charge("out", a, 1))
    yield Says(w.top_up("room again", a, 1), shows={a: (100, 0)})


@story
def a_ceiling_does_not_stop_what_leaves(w: World) -> Iterator[Event]:
    a = w.account("a", Purpose.RECEIVABLE)
    yield Opens(a)
    owed = Transaction.move(w.id("owed"), post(Kind.CHARGEBACK, a, w.clearing, 70))
    yield Says(owed, shows={a: (-70, 0)})
    wallet = w.wallet("a")
    yield Opens(wallet, 100)
    back = Transaction.move(w.id("back"), post(Kind.REPAYMENT, wallet, a, 71))
    yield Says(back, Code.LIMIT_EXCEEDED)
    exact = Transaction.move(w.id("exact"), post(Kind.REPAYMENT, wallet, a, 70))
    yield Says(exact, shows={a: (0, 0), wallet: (30, 0)})


@story
def of_a_frozen_account_nothing_leaves(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Becomes(a, AccountStatus.FROZEN)
    yield Says(w.charge("c", a, 1), Code.ACCOUNT_FROZEN, shows={a: (100, 0)})
    yield Says(w.hold("h", w.charging(a, 1)), Code.ACCOUNT_FROZEN)
    yield Becomes(a, AccountStatus.OPEN)
    yield Says(w.charge("c", a, 1), Code.ACCOUNT_FROZEN, replayed=True)
    yield Says(w.charge("c2", a, 1), shows={a: (99, 0)})


@story
def on_a_frozen_account_credits_land(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Becomes(a, AccountStatus.FROZEN)
    yield Says(w.top_up("t", a, 10), shows={a: (10, 0)})


@story
def of_a_frozen_account_may_be_fetched_what_was_never_its_owners(w: World) -> Iterator[Event]:
    a, owed = w.wallet("a"), w.account("a", Purpose.RECEIVABLE)
    referral = w.account("a", Purpose.REFERRAL)
    yield Opens(a, 100)
    yield Opens(owed, limits=Limits(None, 1_000))
    yield Opens(referral, 50)
    yield Becomes(a, AccountStatus.FROZEN)
    yield Becomes(referral, AccountStatus.FROZEN)
    for kind in (Kind.REFUND, Kind.CANCELLATION, Kind.CHARGEBACK):
        yield Says(Transaction.move(w.id(kind), post(kind, a, w.clearing, 10)))
    yield Says(Transaction.move(w.id("repay"), post(Kind.REPAYMENT, a, owed, 10)), shows={a: (60, 0)})
    yield Says(Transaction.move(w.id("claw"), post(Kind.CLAWBACK, referral, w.revenue, 50)), shows={referral: (0, 0)})
    yield Says(
        Transaction.move(w.id("no more"), post(Kind.CHARGEBACK, a, w.clearing, 61)), Code.INSUFFICIENT_FUNDS
    )  # frozen or not, there is a floor


@story
def of_a_frozen_account_a_hold_is_captured_and_a_move_reversed(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("t", a, 100))
    yield Says(w.top_up("t2", a, 10))
    yield Says(w.hold("h", w.charging(a, 60)))
    yield Says(w.hold("h2", w.charging(a, 5)))
    yield Becomes(a, AccountStatus.FROZEN)
    yield Says(w.capture("c", "h", 40), shows={a: (70, 25)})
    yield Says(w.void("v", "h"), shows={a: (70, 5)})
    w.hands.move(timedelta(hours=2))
    yield Says(w.expire("e", "h2"), shows={a: (70, 0)})
    yield Says(w.reverse("r", "t2"), shows={a: (60, 0)})
    yield Says(w.reverse("r2", "c"), shows={a: (100, 0)})


@story
def a_closed_account_stands_still(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("t", a, 10))
    yield Says(w.charge("c", a, 10))
    yield Becomes(a, AccountStatus.CLOSED)
    yield Says(w.top_up("t2", a, 10), Code.ACCOUNT_CLOSED, shows={a: (0, 0)})
    yield Says(w.charge("c2", a, 10), Code.ACCOUNT_CLOSED)
    yield Says(w.hold("h", w.charging(a, 1)), Code.ACCOUNT_CLOSED)
    yield Says(w.reverse("r", "c"), Code.ACCOUNT_CLOSED)
    yield Stands(a, 0, seq=2)


@story
def closing_is_told_before_want_of_funds(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.charge("c", a, 10), Code.INSUFFICIENT_FUNDS)
    yield Becomes(a, AccountStatus.FROZEN)
    yield Says(w.charge("c2", a, 10), Code.ACCOUNT_FROZEN)
    yield Becomes(a, AccountStatus.CLOSED)
    yield Says(w.charge("c3", a, 10), Code.ACCOUNT_CLOSED)


@story
def nothing_and_less_than_nothing_are_no_amounts(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    for minor in (0, -1, -LARGEST_MINOR):
        yield Says(w.top_up("t", a, minor), Code.INVALID_AMOUNT)
        yield Says(w.hold("h", w.charging(a, minor)), Code.INVALID_AMOUNT)
    yield Says(w.top_up("t", a, 1), shows={a: (101, 0)})


@story
def a_transaction_of_no_postings_is_none(w: World) -> Iterator[Event]:
    yield Says(Transaction.move(w.id("m")), Code.INVALID_AMOUNT)
    yield Says(w.hold("h"), Code.INVALID_AMOUNT)


@story
def currencies_do_not_mix(w: World) -> Iterator[Event]:
    a, dollars = w.wallet("a"), w.account("a", currency=Currency.USD)
    yield Opens(a, 100)
    yield Opens(dollars, 100)
    yield Says(
        Transaction.move(w.id("1"), post(Kind.TOP_UP, w.clearing, dollars, 5)), Code.CURRENCY_MISMATCH
    )  # clearing is in rupiah
    yield Says(Transaction.move(w.id("1"), post(Kind.TOP_UP, w.clearing, a, 5, Currency.USD)), Code.CURRENCY_MISMATCH)
    yield Says(w.top_up("1", a, 5))


@story
def an_account_that_was_never_opened_is_unknown(w: World) -> Iterator[Event]:
    a, ghost = w.wallet("a"), w.wallet("ghost")
    nowhere = w.account("nowhere", Purpose.GATEWAY_CLEARING)
    yield Opens(a, 100)
    yield Says(w.top_up("t", ghost, 5), Code.UNKNOWN_ACCOUNT)
    yield Says(w.charge("c", ghost, 5), Code.UNKNOWN_ACCOUNT)
    yield Says(w.hold("h", w.charging(ghost, 5)), Code.UNKNOWN_ACCOUNT)
    yield Says(Transaction.move(w.id("n"), post(Kind.TOP_UP, nowhere, a, 5)), Code.UNKNOWN_ACCOUNT)
    yield Opens(ghost)
    yield Says(w.top_up("t", ghost, 5), shows={ghost: (5, 0)})


@story
def what_is_not_on_the_chart_does_not_move(w: World) -> Iterator[Event]:
    a, cash = w.wallet("a"), w.account("a", Purpose.PLAYER_CASH)
    yield Opens(a, 100)
    yield Opens(cash, 100)
    yield Says(Transaction.move(w.id("m"), post(Kind.TRANSFER, a, cash, 5)), Code.MOVEMENT_NOT_ALLOWED)
    yield Says(Transaction.move(w.id("m"), post(Kind.TRANSFER, a, a, 5)), Code.MOVEMENT_NOT_ALLOWED)
    yield Says(Transaction.move(w.id("m"), post(Kind.WAGER, a, w.provider, 5)), Code.MOVEMENT_NOT_ALLOWED)
    yield Stands(a, 100, seq=1)


@story
def several_postings_stand_together(w: World) -> Iterator[Event]:
    a, owed = w.wallet("a"), w.account("a", Purpose.RECEIVABLE)
    yield Opens(a)
    yield Opens(owed)
    yield Says(Transaction.move(w.id("owed"), post(Kind.CHARGEBACK, owed, w.clearing, 30)))
    both = Transaction.move(
        w.id("credit and repay"), post(Kind.TOP_UP, w.clearing, a, 100), post(Kind.REPAYMENT, a, owed, 30)
    )
    yield Says(both, shows={a: (70, 0), owed: (0, 0)})
    yield Stands(a, 70, seq=2)
    yield Stands(owed, 0, seq=2)


@story
def several_postings_fall_together(w: World) -> Iterator[Event]:
    a, b, full = w.wallet("a"), w.wallet("b"), w.wallet("full")
    yield Opens(a, 100)
    yield Opens(b)
    yield Opens(full, limits=Limits(0, 10))
    third = post(Kind.TOP_UP, w.clearing, full, 11)
    fails = Transaction.move(w.id("f"), w.charging(a, 40), post(Kind.TOP_UP, w.clearing, b, 40), third)
    yield Says(fails, Code.LIMIT_EXCEEDED, shows={full: (0, 0)})
    for account, posted, seq in ((a, 100, 1), (b, 0, 0), (full, 0, 0)):
        yield Stands(account, posted, seq=seq)
    yield Says(w.charge("all of it", a, 100), shows={a: (0, 0)})


@story
def postings_are_taken_in_their_order(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    out_first = Transaction.move(w.id("1"), w.charging(a, 10), post(Kind.TOP_UP, w.clearing, a, 10))
    yield Says(out_first, Code.INSUFFICIENT_FUNDS)
    in_first = Transaction.move(w.id("2"), post(Kind.TOP_UP, w.clearing, a, 10), w.charging(a, 10))
    yield Says(in_first, shows={a: (0, 0)})
    yield Stands(a, 0, seq=2)


@story
def twice_from_one_account_in_one_transaction_counts_twice(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(Transaction.move(w.id("1"), w.charging(a, 60), w.charging(a, 60)), Code.INSUFFICIENT_FUNDS)
    yield Stands(a, 100, seq=1)
    yield Says(Transaction.move(w.id("2"), w.charging(a, 60), w.charging(a, 40)), shows={a: (0, 0)})


@story
def a_balance_stays_within_64_bits(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("most", a, LARGEST_MINOR), shows={a: (LARGEST_MINOR, 0)})
    yield Says(w.top_up("one more", a, 1), Code.LIMIT_EXCEEDED, shows={a: (LARGEST_MINOR, 0)})
    yield Says(w.hold("h", w.charging(a, LARGEST_MINOR)), shows={a: (LARGEST_MINOR, LARGEST_MINOR)})
    yield Says(w.capture("c", "h"), shows={a: (0, 0)})


@story
def a_debt_stays_within_64_bits(w: World) -> Iterator[Event]:
    owed = w.account("a", Purpose.RECEIVABLE)
    yield Opens(owed)
    most = Transaction.move(w.id("most"), post(Kind.CHARGEBACK, owed, w.clearing, LARGEST_MINOR))
    yield Says(most, shows={owed: (-LARGEST_MINOR, 0)})
    more = Transaction.move(w.id("more"), post(Kind.CHARGEBACK, owed, w.clearing, LARGEST_MINOR))
    yield Says(more, Code.INSUFFICIENT_FUNDS, shows={owed: (-LARGEST_MINOR, 0)})
    hold = w.hold("h", post(Kind.CHARGEBACK, owed, w.clearing, 1))
    yield Says(hold, Code.INSUFFICIENT_FUNDS)


@story
def a_repeat_answers_the_first_result_and_its_balance(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("t", a, 10), shows={a: (10, 0)})
    yield Says(w.top_up("t2", a, 5), shows={a: (15, 0)})
    yield Says(w.top_up("t", a, 10), replayed=True, shows={a: (10, 0)})
    yield Stands(a, 15, seq=2)


@story
def a_kept_refusal_stays_one(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 5)
    yield Says(w.charge("c", a, 10), Code.INSUFFICIENT_FUNDS, shows={a: (5, 0)})
    yield Says(w.top_up("t", a, 100))
    yield Says(w.charge("c", a, 10), Code.INSUFFICIENT_FUNDS, replayed=True, shows={a: (5, 0)})
    yield Says(w.charge("c", a, 11), Code.ID_REUSED)
    yield Says(w.top_up("c", a, 10), Code.ID_REUSED)
    yield Stands(a, 105, seq=2)


@story
def other_content_under_an_id_is_refused_whatever_it_is(w: World) -> Iterator[Event]:
    a, b, ghost = w.wallet("a"), w.wallet("b"), w.wallet("ghost")
    yield Opens(a, 100)
    yield Opens(b, 100)
    yield Says(w.top_up("t", a, 10))
    at_noon = Transaction.move(w.id("t"), post(Kind.TOP_UP, w.clearing, a, 10), effective_at=NOON)
    others = (
        w.top_up("t", a, 11), w.top_up("t", b, 10), w.charge("t", a, 10), at_noon, w.hold("t", w.charging(a, 10)),
        Transaction.move(w.id("t"), *w.top_up("t", a, 10).postings * 2), w.reverse("t", "nothing"), w.void("t", "no"),
        w.top_up("t", a, 0), Transaction.move(w.id("t")), w.top_up("t", ghost, 10), w.charge("t", a, 1_000),
        w.capture("t", "t"), w.reverse("t", "t"),
    )  # fmt: skip
    for other in others:
        yield Says(other, Code.ID_REUSED)
    yield Stands(a, 110, seq=2)
    yield Says(w.top_up("nothing", a, 1), shows={a: (111, 0)})


@story
def the_same_id_twice_at_once_is_done_once(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Together((w.charge("c", a, 10),) * 4, (Code.POSTED,) * 4)
    yield Stands(a, 90, seq=2)
    yield Together((w.charge("d", a, 10), w.charge("d", a, 11)), (Code.POSTED, Code.ID_REUSED))


@story
def of_two_who_want_the_last_coin_one_gets_it(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 10)
    yield Together(
        tuple(w.charge(f"c{number}", a, 10) for number in range(4)), (Code.POSTED, *(Code.INSUFFICIENT_FUNDS,) * 3)
    )
    yield Stands(a, 0, seq=2)
