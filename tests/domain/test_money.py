from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidMoneyError
from domain.money import LARGEST_MINOR, Currency, Money, Rounding, rounded

IDR, USD, JPY = Currency.IDR, Currency.USD, Currency.JPY

amounts = st.integers(-LARGEST_MINOR, LARGEST_MINOR)
monies = st.builds(Money, amounts, st.sampled_from(Currency))


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("0", IDR, 0), ("-0", IDR, 0), ("50000", IDR, 5_000_000), ("50000.00", IDR, 5_000_000),
        ("50000.5", IDR, 5_000_050),
        ("0.01", USD, 1), ("-3.5", USD, -350), ("-0.07", USD, -7), ("1500", JPY, 1_500),
        ("92233720368547758.07", IDR, LARGEST_MINOR), ("-92233720368547758.07", IDR, -LARGEST_MINOR),
        ("9223372036854775807", JPY, LARGEST_MINOR),
    ],
)  # fmt: skip
def test_parses(text: str, currency: Currency, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 ", " 1", "+1", "--1", "1e3", "1E3", "0x10", "1_0", "1,000", "1.000,00", ".5", "5.", "01", "00",
        "-", ".", "1.234", "1.230", "NaN", "Infinity", "-inf", "1/2", "\u0661", "\uff11", "1\n", "1\x00", "Rp5",
        "92233720368547758.08", "99999999999999999999", "1" * 5_000, "0." + "0" * 5_000, "true", "None",
    ],
)  # fmt: skip
def test_refuses_to_parse(text: str) -> None:
    with pytest.raises(InvalidMoneyError):
        Money.parse(text, IDR)


def test_yen_have_no_decimals() -> None:
    for text in ("1.0", "1.5", "1.00"):
        with pytest.raises(InvalidMoneyError):
            Money.parse(text, JPY)


@pytest.mark.parametrize(("currency", "scale"), [(IDR, 2), (USD, 2), (JPY, 0), (Currency.VND, 0), (Currency.KRW, 0)])
def test_scale_is_iso_4217(currency: Currency, scale: int) -> None:
    assert currency.scale == scale
    assert Money.whole(3, currency).minor == 3 * 10**scale


@given(monies)
def test_text_and_back(money: Money) -> None:
    assert Money.parse(str(money), money.currency) == money
    assert Decimal(str(money)) == money.decimal
    decimals = str(money).partition(".")[2]
    assert len(decimals) == money.currency.scale


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(5_000_000, IDR), "50000.00"), (Money(5, IDR), "0.05"), (Money(-5, IDR), "-0.05"),
        (Money(-100, IDR), "-1.00"), (Money(0, IDR), "0.00"), (Money(0, JPY), "0"), (Money(-12, JPY), "-12"),
    ],
)  # fmt: skip
def test_text_is_at_full_scale(money: Money, text: str) -> None:
    assert str(money) == text


@given(amounts, amounts, st.sampled_from(Currency))
def test_sums_are_exact_or_refused(a: int, b: int, currency: Currency) -> None:
    if abs(a + b) > LARGEST_MINOR:
        with pytest.raises(InvalidMoneyError):
            _ = Money(a, currency) + Money(b, currency)
    else:
        total = Money(a, currency) + Money(b, currency)
        assert total.minor == a + b
        assert total - Money(b, currency) == Money(a, currency)
    assert (-Money(a, currency)).minor == -a
    assert (Money(a, currency) < Money(b, currency)) is (a < b)
    assert (Money(a, currency) <= Money(b, currency)) is (a <= b)
    assert bool(Money(a, currency)) is (a != 0)


def test_currencies_do_not_mix() -> None:
    one, other = Money(1, IDR), Money(1, USD)
    for mix in (lambda: one + other, lambda: one - other, lambda: one < other, lambda: one <= other):
        with pytest.raises(InvalidMoneyError):
            mix()
    assert one != other


@pytest.mark.parametrize("minor", [LARGEST_MINOR + 1, -LARGEST_MINOR - 1, 10**30])
def test_more_than_64_bits_is_refused(minor: int) -> None:
    with pytest.raises(InvalidMoneyError):
        Money(minor, IDR)


@pytest.mark.parametrize(("minor", "currency", "units"), [(5_000_000, IDR, 50_000), (-100, IDR, -1), (7, JPY, 7)])
def test_whole_units(minor: int, currency: Currency, units: int) -> None:
    assert Money(minor, currency).whole_units == units


@pytest.mark.parametrize("minor", [1, 99, -1, 101])
def test_a_fraction_has_no_whole_units(minor: int) -> None:
    with pytest.raises(InvalidMoneyError):
        _ = Money(minor, IDR).whole_units


@pytest.mark.parametrize(
    ("amount", "down", "up", "half_up"),
    [
        ("0", 0, 0, 0), ("1", 1, 1, 1), ("1/2", 0, 1, 1), ("-1/2", 0, -1, -1), ("49/100", 0, 1, 0), ("51/100", 0, 1, 1),
        ("5/2", 2, 3, 3), ("-5/2", -2, -3, -3), ("1/1000000", 0, 1, 0), ("-1/1000000", 0, -1, 0),
    ],
)  # fmt: skip
def test_rounds_the_named_way(amount: str, down: int, up: int, half_up: int) -> None:
    fraction = Fraction(amount)
    assert [rounded(fraction, way) for way in (Rounding.DOWN, Rounding.UP, Rounding.HALF_UP)] == [down, up, half_up]


@given(st.fractions(), st.sampled_from(Rounding))
def test_rounding_is_symmetric_and_near(amount: Fraction, way: Rounding) -> None:
    assert rounded(-amount, way) == -rounded(amount, way)
    assert abs(rounded(amount, way) - amount) < 1
    if way is Rounding.HALF_UP:
        assert abs(rounded(amount, way) - amount) <= Fraction(1, 2)
    if way is Rounding.DOWN:
        assert abs(rounded(amount, way)) <= abs(amount)
    if way is Rounding.UP:
        assert abs(rounded(amount, way)) >= abs(amount)
