"""Rules of privacy on paper: until when law keeps what, what stands against an erasure, cells that compute nothing."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.identity.archive import Archive, csv_lines, harmless, json_lines
from domain.identity.privacy import (
    ConsentPurpose,
    Estate,
    Obstacle,
    PrivacyPolicy,
    Retention,
    RetentionReason,
    changed_documents,
    years_after,
)
from domain.ledger.chart import Purpose
from domain.money import Currency, Money

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TEN = Money.whole(10, Currency.IDR)


@pytest.mark.parametrize(
    ("moved", "until"),
    [
        (None, None),
        (NOW, datetime(2036, 5, 1, tzinfo=UTC)),
        (datetime(2020, 2, 29, tzinfo=UTC), datetime(2030, 3, 1, tzinfo=UTC)),
        (datetime(2016, 5, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC)),
        (datetime(2016, 5, 1, tzinfo=UTC), None),
    ],
    ids=["no money ever", "money just now", "a leap day", "one second left", "over this moment"],
)
def test_law_keeps_as_long_as_it_says_and_no_longer(moved: datetime | None, until: datetime | None) -> None:
    found = PrivacyPolicy().retention(moved, NOW)
    assert found.until == until
    assert found.reasons == (tuple(RetentionReason) if until else ())


@given(some.datetimes(timezones=some.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001  # its zone comes beside it
def test_years_never_come_short(moment: datetime) -> None:
    later = years_after(moment, 10)
    assert later.year == moment.year + 10
    assert moment + timedelta(days=3651) <= later <= moment + timedelta(days=3654)


def test_no_years_keep_nothing() -> None:
    assert PrivacyPolicy(money_kept_years=0).retention(NOW, NOW) == Retention()


@pytest.mark.parametrize(
    ("estate", "obstacles", "code"),
    [
        (Estate(), (), None),
        (Estate(balances=((Purpose.HOSTING_CREDIT, TEN),)), (Obstacle.WALLET_NOT_EMPTY,), "WALLET_NOT_EMPTY"),
        (Estate(open_top_ups=1), (Obstacle.TOP_UP_OPEN,), "TOP_UP_OPEN"),
        (Estate(open_minutes=1), (Obstacle.EARNINGS_OPEN,), "EARNINGS_OPEN"),
        (Estate(debts=(TEN,)), (Obstacle.DEBT_OPEN,), "DEBT_OPEN"),
        (Estate(sole_brands=1), (Obstacle.SOLE_OWNER,), "SOLE_OWNER"),
        (Estate(debts=(TEN,), sole_brands=2), (Obstacle.DEBT_OPEN, Obstacle.SOLE_OWNER), "DEBT_OPEN"),
    ],
)
def test_what_stands_against_an_erasure_says_what_to_do(
    estate: Estate, obstacles: tuple[Obstacle, ...], code: str | None
) -> None:
    refusal = estate.refusal
    assert estate.obstacles == obstacles
    assert (refusal.code if refusal else None) == code


def test_versions_are_read_from_settings() -> None:
    found = changed_documents("terms=2026-01-01, profiling=2")
    assert found[ConsentPurpose.TERMS] == "2026-01-01"
    assert found[ConsentPurpose.MARKETING_MAIL] == "1"
    for wrong in ("rules=1", "terms", "terms=", f"terms={'x' * 41}", "terms=\x07"):
        with pytest.raises(ValueError, match="purpose=version"):
            changed_documents(wrong)


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", '=HYPERLINK("x")', "\x00=1"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_text_is_never_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")


def test_figures_stay_figures() -> None:
    assert [harmless(cell) for cell in (-5, Decimal("-5.00"), True, None, "Ani", "0-1")] == [
        "-5", "-5.00", "true", "", "Ani", "0-1",
    ]  # fmt: skip


@given(some.lists(some.dictionaries(some.sampled_from("ab"), some.text()), max_size=5))
def test_json_says_exactly_what_is_there_and_csv_can_be_read(rows: list[dict[str, str]]) -> None:
    filled = [{"a": row.get("a", ""), "b": row.get("b", "")} for row in rows]
    cut = len(filled) // 2
    text = "[" + json_lines(filled[:cut], first=True) + json_lines(filled[cut:], first=not filled[:cut]) + "\n]\n"
    assert json.loads(text) == filled
    written = csv_lines(filled, first=True).removeprefix("\ufeff")
    lines = list(csv.reader(io.StringIO(written, newline="")))
    assert lines == ([["a", "b"]] if filled else []) + [[harmless(row["a"]), harmless(row["b"])] for row in filled]
    assert not any(cell.lstrip()[:1] in set("=+-@") and cell.strip() for line in lines for cell in line)


def test_a_zip_is_let_go_of_piece_by_piece() -> None:
    archive, pieces, most = Archive(NOW), list[bytes](), 0
    for number in range(3):
        archive.begin(f"{number}.txt")
        for line in range(2000):
            archive.write(f"{number} {line * 7919 % 10007:x} {line**3}\n")
            pieces += archive.take(1024)
            most = max(most, len(archive._spout.waiting))
    archive.close()
    pieces += archive.take(1024, rest=True)
    assert most < 1024
    assert {len(piece) for piece in pieces[:-1]} == {1024}
    whole = ZipFile(io.BytesIO(b"".join(pieces)))
    assert whole.testzip() is None
    assert whole.namelist() == ["0.txt", "1.txt", "2.txt"]
    assert whole.read("2.txt").decode().splitlines()[1] == "2 1eef 1"


def test_nothing_is_written_before_a_file_is_begun() -> None:
    with pytest.raises(ValueError, match="no file"):
        Archive(NOW).write("x")


def test_a_zip_that_is_given_up_is_let_go_of() -> None:
    with Archive(NOW) as archive:
        archive.begin("a.txt")
    archive.close()
    pieces = b"".join(archive.take(1024, rest=True))
    assert ZipFile(io.BytesIO(pieces)).namelist() == ["a.txt"]
