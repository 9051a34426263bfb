"""Settings of invoices: who bills, and by which clock months turn."""

from pydantic import Field, field_validator

from adapters.config.source import Source
from domain.streamer.places import time_zones


class InvoiceSettings(Source):
    """Who bills. What is issued keeps what was said then."""

    invoice_seller_name: str = Field(default="Gametriggers", min_length=1, description="Whose name stands on invoices")
    invoice_seller_address: str = Field(default="", description="Whose address; lines are separated by `|`")
    invoice_seller_tax_id: str = Field(default="", description="Our tax id, as it stands on invoices")
    invoice_time_zone: str = Field(
        default="Asia/Jakarta", description="By whose clock a month of invoices turns, by its name in the tz database"
    )

    @field_validator("invoice_time_zone")
    @classmethod
    def _is_there(cls, name: str) -> str:
        if name not in time_zones():
            raise ValueError(f"there is no time zone {name!r}")
        return name
