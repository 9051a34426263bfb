"""Stories of holds and reversals."""

from collections.abc import Iterator
from datetime import timedelta

from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import Code, Operation, Transaction
from domain.money import LARGEST_MINOR, Currency
from tests.ledger_stories import HOUR, Event, Opens, Says, Stands, Together, World, post, story


@story
def a_hold_is_captured_whole(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)), shows={a: (100, 60)})
    yield Says(w.capture("c", "h"), shows={a: (40, 0)})
    yield Says(w.capture("c2", "h"), Code.HOLD_ENDED)
    yield Says(w.void("v", "h"), Code.HOLD_ENDED)
    yield Stands(a, 40, seq=3)


@story
def a_hold_is_captured_in_parts(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    yield Says(w.capture("c1", "h", 10), shows={a: (90, 50)})
    yield Says(w.capture("c2", "h", 20), shows={a: (70, 30)})
    yield Says(w.capture("over", "h", 31), Code.INVALID_AMOUNT)
    yield Says(w.capture("c3", "h"), shows={a: (40, 0)})
    yield Says(w.capture("c4", "h"), Code.HOLD_ENDED)
    yield Says(w.capture("c1", "h", 10), replayed=True, shows={a: (90, 50)})


@story
def what_was_not_captured_is_voided(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    yield Says(w.capture("c", "h", 10))
    yield Says(w.void("v", "h"), shows={a: (90, 0)})
    yield Says(w.void("v", "h"), replayed=True, shows={a: (90, 0)})
    yield Says(w.void("v2", "h"), Code.HOLD_ENDED)
    yield Says(w.capture("c2", "h"), Code.HOLD_ENDED)


@story
def a_capture_of_nothing_or_more_or_less_than_nothing_is_none(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    for amounts in ((0,), (61,), (-1,), (10, 10), (LARGEST_MINOR,), (-LARGEST_MINOR,)):
        yield Says(w.capture("c", "h", *amounts), Code.INVALID_AMOUNT)
    yield Says(w.capture("c", "h", 10, currency=Currency.USD), Code.CURRENCY_MISMATCH)
    yield Says(w.capture("c", "h", 60), shows={a: (40, 0)})


@story
def a_hold_that_nobody_placed_is_unknown(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.charge("m", a, 10))
    yield Says(w.hold("refused", w.charging(a, 1_000)), Code.INSUFFICIENT_FUNDS)
    for ref in ("nothing", "m", "refused", "itself"):
        yield Says(w.capture("itself", ref), Code.UNKNOWN_HOLD)
        yield Says(w.void("itself", ref), Code.UNKNOWN_HOLD)
        yield Says(w.expire("itself", ref), Code.UNKNOWN_HOLD)
    for operation in (Operation.CAPTURE, Operation.VOID, Operation.EXPIRE):
        yield Says(Transaction(w.id("itself"), operation), Code.UNKNOWN_HOLD)
    yield Says(w.charge("itself", a, 1))


@story
def a_hold_expires_when_its_time_has_come_and_not_before(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    w.hands.move(HOUR - timedelta(microseconds=1))
    yield Says(w.expire("e", "h"), Code.HOLD_NOT_DUE)
    yield Says(w.capture("c", "h", 10), shows={a: (90, 50)})
    w.hands.move(timedelta(microseconds=1))
    yield Says(w.capture("late", "h", 10), Code.HOLD_ENDED)
    yield Says(w.expire("e", "h"), shows={a: (90, 0)})
    yield Says(w.expire("e2", "h"), Code.HOLD_ENDED)
    yield Says(w.void("v", "h"), Code.HOLD_ENDED)


@story
def an_overdue_hold_counts_until_it_is_ended_and_may_be_voided(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    w.hands.move(2 * HOUR)
    yield Says(w.charge("c", a, 41), Code.INSUFFICIENT_FUNDS)
    yield Says(w.void("v", "h"), shows={a: (100, 0)})


@story
def a_hold_without_an_end_is_none(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(Transaction(w.id("h"), Operation.HOLD, (w.charging(a, 1),)), Code.HOLD_ENDED)
    yield Says(w.hold("h", w.charging(a, 1)))


@story
def nothing_is_held_on_the_platforms_own_accounts(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", post(Kind.TOP_UP, w.clearing, a, 1)), Code.MOVEMENT_NOT_ALLOWED)


@story
def a_group_is_held_and_captured_whole(w: World) -> Iterator[Event]:
    a, b = w.wallet("a"), w.wallet("b")
    yield Opens(a, 100)
    yield Opens(b, 50)
    yield Says(w.hold("h", w.charging(a, 60), w.charging(b, 50)), shows={a: (100, 60), b: (50, 50)})
    yield Says(w.capture("c", "h"), shows={a: (40, 0), b: (0, 0)})


@story
def a_group_is_held_whole_or_not_at_all(w: World) -> Iterator[Event]:
    a, b = w.wallet("a"), w.wallet("b")
    yield Opens(a, 100)
    yield Opens(b, 50)
    yield Says(w.hold("h", w.charging(a, 60), w.charging(b, 51)), Code.INSUFFICIENT_FUNDS, shows={b: (50, 0)})
    yield Stands(a, 100, 0, seq=1)
    yield Says(w.capture("c", "h"), Code.UNKNOWN_HOLD)


@story
def in_a_group_each_line_is_captured_for_itself(w: World) -> Iterator[Event]:
    a, b, c = w.wallet("a"), w.wallet("b"), w.wallet("c")
    for account in (a, b, c):
        yield Opens(account, 100)
    yield Says(w.hold("h", w.charging(a, 60), w.charging(b, 50), w.charging(c, 40)))
    yield Says(w.capture("c1", "h", 0, 20, 0), shows={b: (80, 30)})
    yield Says(w.capture("too few", "h", 0, 20), Code.INVALID_AMOUNT)
    yield Says(w.capture("nothing", "h", 0, 0, 0), Code.INVALID_AMOUNT)
    yield Says(w.capture("over", "h", 60, 31, 40), Code.INVALID_AMOUNT)
    yield Says(w.capture("c2", "h", 60, 30, 0), shows={a: (40, 0), b: (50, 0)})
    yield Says(w.capture("c2", "h", 60, 30, 0), replayed=True, shows={a: (40, 0), b: (50, 0)})
    yield Stands(c, 100, 40, seq=2)
    yield Says(w.void("v", "h"), shows={c: (100, 0)})
    for account, posted, seq in ((a, 40, 3), (b, 50, 4), (c, 100, 3)):
        yield Stands(account, posted, seq=seq)


@story
def a_capture_that_its_target_cannot_take_leaves_the_hold_alone(w: World) -> Iterator[Event]:
    brand, escrow = w.account("b", Purpose.BRAND_PREPAID), w.account("b", Purpose.CAMPAIGN_ESCROW)
    yield Opens(brand, 100)
    yield Opens(escrow, limits=Limits(0, 50))
    yield Says(w.hold("h", post(Kind.ESCROW, brand, escrow, 60)))
    yield Says(w.capture("c", "h"), Code.LIMIT_EXCEEDED)
    yield Stands(brand, 100, 60, seq=2)
    yield Says(w.capture("c", "h"), Code.LIMIT_EXCEEDED, replayed=True)
    yield Says(w.capture("c2", "h", 50), shows={brand: (50, 10), escrow: (50, 0)})


@story
def two_holds_on_one_account_do_not_meet(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h1", w.charging(a, 60)))
    yield Says(w.hold("h2", w.charging(a, 40)), shows={a: (100, 100)})
    yield Says(w.void("v", "h1"), shows={a: (100, 40)})
    yield Says(w.capture("c", "h2"), shows={a: (60, 0)})


@story
def two_lines_of_one_account_in_a_group(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60), w.charging(a, 40)), shows={a: (100, 100)})
    yield Says(w.capture("c", "h", 1, 2), shows={a: (97, 97)})
    yield Says(w.void("v", "h"), shows={a: (97, 0)})


@story
def two_who_capture_the_rest_at_once_get_it_once(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    yield Together(
        (w.capture("c1", "h"), w.capture("c2", "h"), w.void("v", "h")), (Code.POSTED, *(Code.HOLD_ENDED,) * 2)
    )


@story
def a_move_is_reversed_once(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("t", a, 10))
    yield Says(w.reverse("r", "t"), shows={a: (0, 0)})
    yield Says(w.reverse("r", "t"), replayed=True, shows={a: (0, 0)})
    yield Says(w.reverse("r2", "t"), Code.ALREADY_REVERSED)
    yield Says(w.top_up("t", a, 10), replayed=True, shows={a: (10, 0)})
    yield Stands(a, 0, seq=2)


@story
def a_move_of_the_platforms_own_is_reversed_once(w: World) -> Iterator[Event]:
    yield Says(Transaction.move(w.id("s"), post(Kind.GATEWAY_SETTLEMENT, w.bank, w.clearing, 10)))
    yield Says(w.reverse("r", "s"))
    yield Says(w.reverse("r2", "s"), Code.ALREADY_REVERSED)


@story
def several_postings_are_reversed_from_the_last_to_the_first(w: World) -> Iterator[Event]:
    a, owed = w.wallet("a"), w.account("a", Purpose.RECEIVABLE)
    yield Opens(a)
    yield Opens(owed)
    yield Says(Transaction.move(w.id("owed"), post(Kind.CHARGEBACK, owed, w.clearing, 100)))
    through = Transaction.move(
        w.id("m"), post(Kind.TOP_UP, w.clearing, a, 100), post(Kind.REPAYMENT, a, owed, 100)
    )  # the account is empty before and after: the other way round it could not be undone
    yield Says(through, shows={a: (0, 0), owed: (0, 0)})
    yield Says(w.reverse("r", "m"), shows={a: (0, 0), owed: (-100, 0)})
    yield Stands(a, 0, seq=4)


@story
def a_capture_is_reversed_and_its_hold_stays_ended(w: World) -> Iterator[Event]:
    a, b = w.wallet("a"), w.wallet("b")
    yield Opens(a, 100)
    yield Opens(b, 100)
    yield Says(w.hold("h", w.charging(a, 60), w.charging(b, 10)))
    yield Says(w.capture("c", "h", 60, 0))
    yield Says(w.reverse("r", "c"), shows={a: (100, 0)})
    yield Says(w.reverse("r2", "c"), Code.ALREADY_REVERSED)
    yield Stands(b, 100, 10, seq=2)
    yield Says(w.capture("c2", "h", 1, 0), Code.INVALID_AMOUNT)


@story
def what_was_spent_is_not_reversed(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a)
    yield Says(w.top_up("t", a, 10))
    yield Says(w.charge("c", a, 1))
    yield Says(w.reverse("r", "t"), Code.INSUFFICIENT_FUNDS, shows={a: (9, 0)})
    yield Says(w.top_up("t2", a, 1))
    yield Says(w.reverse("r", "t"), Code.INSUFFICIENT_FUNDS, replayed=True, shows={a: (9, 0)})
    yield Says(w.reverse("r2", "t"), shows={a: (0, 0)})


@story
def holds_and_what_ends_them_and_reversals_are_not_reversed(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 10)))
    yield Says(w.void("v", "h"))
    yield Says(w.charge("c", a, 5))
    yield Says(w.reverse("r", "c"))
    for original in ("h", "v", "r"):
        yield Says(w.reverse("x", original), Code.MOVEMENT_NOT_ALLOWED)
    yield Stands(a, 100, seq=5)


@story
def a_refused_transaction_leaves_nothing_to_reverse(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 5)
    yield Says(w.charge("c", a, 10), Code.INSUFFICIENT_FUNDS)
    yield Says(w.reverse("r", "c"), Code.NOTHING_TO_REVERSE)
    yield Says(w.charge("c", a, 10), Code.INSUFFICIENT_FUNDS, replayed=True, shows={a: (5, 0)})
    yield Says(Transaction(w.id("r2"), Operation.REVERSE), Code.NOTHING_TO_REVERSE)


@story
def a_reversal_that_comes_first_leaves_a_tombstone(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.reverse("r", "late"), Code.NOTHING_TO_REVERSE)
    yield Says(w.charge("late", a, 10), Code.TOMBSTONED, replayed=True)
    yield Says(w.charge("late", a, 11), Code.TOMBSTONED, replayed=True)
    yield Says(w.hold("late", w.charging(a, 10)), Code.TOMBSTONED, replayed=True)
    yield Says(w.charge("late", a, 0), Code.TOMBSTONED, replayed=True)
    yield Says(w.reverse("r", "late"), Code.NOTHING_TO_REVERSE, replayed=True)
    yield Says(w.reverse("r2", "late"), Code.NOTHING_TO_REVERSE)
    yield Says(w.capture("c", "late"), Code.UNKNOWN_HOLD)
    yield Stands(a, 100, seq=1)


@story
def a_reversal_of_itself_reverses_nothing(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.reverse("r", "r"), Code.NOTHING_TO_REVERSE)
    yield Says(w.reverse("r", "r"), Code.NOTHING_TO_REVERSE, replayed=True)
    yield Says(w.charge("r", a, 10), Code.ID_REUSED)


@story
def a_reversal_tombstone_then_a_reversal_of_the_reversal(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.reverse("r", "m"), Code.NOTHING_TO_REVERSE)
    yield Says(w.reverse("rr", "r"), Code.NOTHING_TO_REVERSE)
    yield Says(w.reverse("m", "x"), Code.TOMBSTONED, replayed=True)
    yield Says(w.top_up("x", a, 1), shows={a: (101, 0)})


@story
def the_same_capture_and_the_same_reversal_at_once_are_done_once(w: World) -> Iterator[Event]:
    a = w.wallet("a")
    yield Opens(a, 100)
    yield Says(w.hold("h", w.charging(a, 60)))
    yield Together((w.capture("c", "h"),) * 5, (Code.POSTED,) * 5)
    yield Together((w.reverse("r", "c"),) * 5, (Code.POSTED,) * 5)
    yield Says(w.hold("h2", w.charging(a, 60)))
    yield Together((w.void("v", "h2"),) * 5, (Code.POSTED,) * 5)
    yield Stands(a, 100, seq=6)
