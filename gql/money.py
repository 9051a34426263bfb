"""Money in the schema: an exact decimal in a string, always beside its currency."""

from decimal import Decimal
from typing import Self

import strawberry

from domain import money
from domain.errors import InvalidMoneyError
from domain.money import Currency
from gql.access import Right, field
from gql.enums import describe
from gql.errors import BadInputError

describe(
    Currency,
    "Currency",
    "A currency, by its ISO 4217 code.",
    {
        Currency.IDR: "Indonesian rupiah, two decimal places.",
        Currency.USD: "United States dollar, two decimal places.",
        Currency.EUR: "Euro, two decimal places.",
        Currency.SGD: "Singapore dollar, two decimal places.",
        Currency.MYR: "Malaysian ringgit, two decimal places.",
        Currency.THB: "Thai baht, two decimal places.",
        Currency.PHP: "Philippine peso, two decimal places.",
        Currency.JPY: "Japanese yen, no decimal places.",
        Currency.VND: "Vietnamese dong, no decimal places.",
        Currency.KRW: "South Korean won, no decimal places.",
    },
)


@strawberry.type(description="An amount of money, exact.")
class Money:
    """An amount as clients see it."""

    amount: Decimal = field(Right.PARENT, "The amount with all decimal places of its currency. May be negative.")
    currency: Currency = field(Right.PARENT, "The currency that the amount is in.")

    @classmethod
    def of(cls, amount: money.Money) -> Self:
        """Show an amount of the domain."""
        return cls(amount=amount.decimal, currency=amount.currency)

    @classmethod
    def of_minor(cls, minor: int, currency: Currency) -> Self:
        """Show an amount in minor units."""
        return cls.of(money.Money(minor, currency))


@strawberry.input(description="An amount of money.")
class MoneyInput:
    """An amount as clients give it."""

    amount: Decimal = strawberry.field(
        description='The amount, with no more decimal places than the currency has: "50000" or "50000.00".'
    )
    currency: Currency = strawberry.field(description="The currency that the amount is in.")

    def parsed(self) -> money.Money:
        """The amount as the domain knows it. Raises `BadInputError` where the currency cannot represent it."""
        try:
            return money.Money.parse(format(self.amount, "f"), self.currency)
        except InvalidMoneyError as error:
            raise BadInputError(f"This amount cannot be: {error}.") from None
