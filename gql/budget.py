"""What a request takes of its caller's quotas: one of the requests, and of their cost what it will cost.

Whoever is signed in is counted as a person, wherever they are; an overlay is counted as itself; all others are counted
by the address they come from.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

from domain.actor import Actor, Origin
from domain.overlay.model import Screen
from domain.quotas import (
    COST_OF_PERSON,
    REQUESTS_OF_ADDRESS,
    REQUESTS_OF_OVERLAY,
    REQUESTS_OF_PERSON,
    Quota,
    Quotas,
    Taken,
    neighbourhood,
)
from gql.errors import RateLimitedError
from gql.telemetry import REFUSALS


class Budget:
    """The quotas of one operation."""

    def __init__(self, quotas: Quotas, actor: Actor | None, origin: Origin, screen: Screen | None = None) -> None:
        self._quotas, self._actor, self._origin, self._screen = quotas, actor, origin, screen
        self._person = "" if actor is None else str(actor.person)
        self._taken: dict[str, Taken] = {}

    async def take_request(self, times: int = 1) -> None:
        """Count a request, or several. Raises `RateLimitedError`."""
        if self._screen is not None:
            await self._take(REQUESTS_OF_OVERLAY, str(self._screen.overlay), cost=times)
        elif self._actor is None:
            await self._take(REQUESTS_OF_ADDRESS, neighbourhood(self._origin.address), cost=times)
        else:
            await self._take(REQUESTS_OF_PERSON, self._person, cost=times)

    async def take_cost(self, cost: int, changes: int) -> None:
        """Count what an operation will cost, as the limits weigh it, before it does. Raises `RateLimitedError`.

        Of several changes in one request each counts as a request: a password is hashed or a letter written for each.
        """
        if changes > 1:
            await self.take_request(changes - 1)
        if self._actor is not None and cost:
            await self._take(COST_OF_PERSON, self._person, cost=cost)

    @property
    def headers(self) -> Mapping[str, str]:
        """What is left, in the words of the IETF's draft: only they can tell of two quotas at once."""
        if not self._taken:
            return {}
        all_taken = self._taken.values()
        quotas = [taken.quota for taken in all_taken]
        return {
            "RateLimit-Policy": ", ".join([_policy(each.name, each.times, each.window) for each in quotas]),
            "RateLimit": ", ".join([_left(taken) for taken in all_taken]),
        }

    async def _take(self, quota: Quota, subject: str, cost: int = 1) -> None:
        taken = await self._quotas.take(quota, subject, cost=cost)
        self._taken[quota.name] = taken
        hold(taken)


def hold(taken: Taken) -> None:
    """Go on only with what was allowed. Raises `RateLimitedError`."""
    if not taken.allowed:
        REFUSALS.labels(taken.quota.name).inc()
        raise RateLimitedError(taken.retry_after_s)


@cache
def _policy(name: str, times: int, window: timedelta) -> str:
    return f'"{name}";q={times};w={int(window.total_seconds())}'


def _left(taken: Taken) -> str:
    left = f'"{taken.quota.name}";r={taken.remaining}'
    return left if taken.allowed else f"{left};t={taken.retry_after_s}"
