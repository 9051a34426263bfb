"""Parts of what a brand says of itself."""

from typing import Self

import strawberry

from domain.brand import model
from domain.brand.model import MOST_WORDS
from domain.money import Currency
from gql.access import Right, field
from gql.money import Money
from gql.weights import at_most


@strawberry.type(description="To whom invoices go.")
class BrandBilling:
    """To whom invoices go."""

    address: str = field(Right.PARENT, "The postal address; empty if none was given.")
    tax_id: str = field(Right.PARENT, "The company's tax id; empty if none was given.")
    currency: Currency = field(Right.PARENT, "In which currency.")


@strawberry.type(description="Whom a brand wants to reach.")
class BrandPreferences:
    """Whom a brand wants to reach."""

    audience: str = field(Right.PARENT, "Who they are, in words.")
    categories: list[str] = field(Right.PARENT, "What the streams are about.", list_size=at_most(MOST_WORDS))
    regions: list[str] = field(Right.PARENT, "Where they are.", list_size=at_most(MOST_WORDS))
    budget_least: Money | None = field(Right.PARENT, "What a campaign costs at least.")
    budget_most: Money | None = field(Right.PARENT, "What a campaign costs at most.")

    @classmethod
    def of(cls, found: model.Preferences) -> Self:
        """Show preferences."""
        least, most = (None if each is None else Money.of(each) for each in (found.budget_least, found.budget_most))
        return cls(
            audience=found.audience, categories=list(found.categories), regions=list(found.regions),
            budget_least=least, budget_most=most,
        )  # fmt: skip
