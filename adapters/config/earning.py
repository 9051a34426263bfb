"""Settings of what is taken of a minute's price, and what comes on top. Whoever takes part keeps the rates of then."""

from pydantic import Field

from adapters.config.source import Source
from domain.earning.rates import WHOLE


class EarningSettings(Source):
    """Rates, in ten-thousandths."""

    take_rate: int = Field(
        default=2_000, ge=0, le=WHOLE, description="Our part of what streamers earn, in ten-thousandths"
    )
    withholding_tax_rate: int = Field(
        default=0, ge=0, le=WHOLE, description="Tax withheld of the rest of what they earn, in ten-thousandths"
    )
    value_added_tax_rate: int = Field(
        default=0, ge=0, le=WHOLE, description="Tax that brands pay on top of it, in ten-thousandths"
    )
