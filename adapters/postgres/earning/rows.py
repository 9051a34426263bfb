"""What rows of participations and their minutes mean."""

from asyncpg import Record

from domain.campaign.model import Caps, Pricing, Terms
from domain.campaign.spending import Schedule
from domain.earning.arithmetic import Parts
from domain.earning.postings import Route
from domain.earning.rates import Totals
from domain.ids import PersonId
from domain.money import Currency, Money


def terms_of(row: Record) -> Terms:
    """What was agreed."""
    return Terms(Pricing(row["pricing"]), Money(row["rate"], Currency(row["currency"])), row["agreed"])


def totals_of(row: Record, prefix: str = "") -> Totals:
    """What was paid for so far."""
    return Totals(*(row[prefix + name] for name in ("minutes", "viewers", "gross", "cost")))


def caps_of(row: Record) -> Caps:
    """What may be spent at most."""
    caps = (row["daily_cap"], row["streamer_cap"])
    daily, streamer = (None if cap is None else Money(cap, Currency(row["currency"])) for cap in caps)
    return Caps(daily, streamer)


def schedule_of(row: Record) -> Schedule:
    """When the campaign runs."""
    return Schedule(row["starts_on"], row["ends_on"], row["time_zone"])


def route_of(row: Record) -> Route:
    """Which way the money goes."""
    return Route(row["campaign"], PersonId(row["person"]), Currency(row["currency"]))


def parts_of(row: Record) -> Parts:
    """Where the price of a minute goes."""
    return Parts(row["earned"], row["take"], row["withheld"], row["added"])


def kept_of(row: Record) -> Parts | None:
    """What staff left of it; None where it was never ruled on."""
    return None if row["kept_gross"] is None else parts_of(row).reduced_to(row["kept_gross"])
