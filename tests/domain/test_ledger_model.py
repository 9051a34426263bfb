"""What a transaction refuses before any ledger sees it."""

from datetime import datetime, timedelta, timezone

import pytest

from domain.ids import TransactionId, uuid7
from domain.ledger.model import NaiveMomentError, Transaction
from tests.ledger_stories import NOON

ID = TransactionId(uuid7())
NAIVE = datetime.fromisoformat("2026-11-21T12:00:00")


def test_a_moment_without_a_zone_is_refused_by_name() -> None:
    with pytest.raises(NaiveMomentError, match=r"effective_at .* has no zone: 2026-11-21T12:00:00"):
        Transaction.move(ID, effective_at=NAIVE)
    with pytest.raises(NaiveMomentError, match="expires_at"):
        Transaction.hold(ID, expires_at=NAIVE)


def test_any_zone_does_and_means_the_same_moment() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=7)))
    assert Transaction.move(ID, effective_at=elsewhere).content == Transaction.move(ID, effective_at=NOON).content
