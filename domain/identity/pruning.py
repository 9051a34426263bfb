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
    """Forget what is over; for how many keys of nobody it looked. Its door: the schedule, once a day.

    A key is made before its person: whatever broke off in between left one that nobody needs. Keys go first and the
    links that tell of them afterwards, so that a run that broke off leaves no key that nobody knows of.
    """
    forgotten, before = 0, now - REQUESTS_KEPT
    while True:
        async with ports.work() as work:
            candidates = await work.mail_requests.stale_candidates(before, _BATCH)
        for candidate in candidates:
            await ports.vault.forget_key(candidate)
        async with ports.work() as work:
            await work.mail_requests.forget_candidates(candidates)
        forgotten += len(candidates)
        if len(candidates) < _BATCH:
            break
    async with ports.work() as work:
        await work.mail_requests.forget_old(before)
        await work.letters.forget_old(now - LETTERS_KEPT)
        await work.letters.forget_expired_tickets(before)
        await work.sessions.forget_expired_tokens(before)
        await work.sessions.forget_old(now - SESSIONS_KEPT)
    return forgotten
