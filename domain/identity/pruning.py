"""What is thrown away in time: requests for mail, letters, links, tokens, and the keys of who never became a person."""

from datetime import datetime, timedelta
from typing import Final

from domain.identity.ports import IdentityPorts

REQUESTS_KEPT: Final = timedelta(days=1)
"""Longer than a link of theirs is good: whoever has not confirmed by then never will."""
LETTERS_KEPT: Final = timedelta(days=30)
"""Without what was in them, which is forgotten as soon as they are sent."""
SESSIONS_KEPT: Final = timedelta(days=90)
"""After their end. That they were begun and ended the audit log keeps."""

_BATCH: Final = 500


async def prune_mail(ports: IdentityPorts, now: datetime) -> int:
    """Forget what is over; how many candidates of sign-ups were forgotten. Its door: the schedule, once a day.

    Keys go first and requests afterwards, so that a run that broke off leaves no key that nobody knows of.
    """
    forgotten, before = 0, now - REQUESTS_KEPT
    while True:
        async with ports.work() as work:
            candidates = await work.mail_requests.stale_candidates(before, _BATCH)
        for candidate in candidates:
            await ports.vault.destroy_key(candidate)
        async with ports.work() as work:
            await work.mail_requests.forget_stale(before, candidates)
        forgotten += len(candidates)
        if len(candidates) < _BATCH:
            break
    async with ports.work() as work:
        await work.letters.forget_old(now - LETTERS_KEPT)
        await work.letters.forget_expired_tickets(now - REQUESTS_KEPT)
        await work.sessions.forget_expired_tokens(now - REQUESTS_KEPT)
        await work.sessions.forget_old(now - SESSIONS_KEPT)
    return forgotten
