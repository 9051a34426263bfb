"""How often something may be done within a time, by whom it concerns: tries, codes, requests, deposits."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """So many times within a sliding window, for each subject."""

    name: str
    times: int
    window: timedelta
    counts_money: bool = False
    """Held also when the counters are gone: then by counting what PostgreSQL knows. Others are open meanwhile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether it may be done now, and what is left."""

    allowed: bool
    quota: Quota
    remaining: int
    retry_after_s: int
    """Whole seconds, 0 while allowed."""


class Quotas(Protocol):
    """Counts, shared by all processes."""

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        """Count one more for a subject, for example an address and an account; nothing is counted when refused."""
        ...

    async def left(self, quota: Quota, *subject: str) -> Taken:
        """What is left, counting nothing."""
        ...

    async def forget(self, quota: Quota, *subject: str) -> None:
        """Begin anew for a subject."""
        ...


_QUARTER, _HOUR, _MINUTE = timedelta(minutes=15), timedelta(hours=1), timedelta(minutes=1)

SIGN_IN = Quota("sign_in", 5, _QUARTER)
"""By address and account."""
SIGN_IN_OF_ACCOUNT = Quota("sign_in_of_account", 20, _HOUR)
SIGN_IN_OF_ADDRESS = Quota("sign_in_of_address", 50, _HOUR)
CODE_REQUEST = Quota("code_request", 3, timedelta(minutes=5))
"""Mails with a link or code, by account."""
DEPOSIT = Quota("deposit", 5, _HOUR, counts_money=True)
WITHDRAWAL = Quota("withdrawal", 3, _HOUR, counts_money=True)
REQUESTS_OF_ADDRESS = Quota("requests_of_address", 100, _MINUTE)
REQUESTS_OF_PERSON = Quota("requests_of_person", 600, _MINUTE)
COST_OF_PERSON = Quota("cost_of_person", 60_000, _MINUTE)
"""Sum of what queries cost, as the limits weigh them."""
