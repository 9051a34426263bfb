"""When Midtrans sends a notification again."""

from datetime import timedelta
from http import HTTPStatus

DELAYS = (
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1, minutes=30),
    timedelta(hours=3, minutes=30),
)

RETRIES = {301: 0, 302: 0, 303: 0, 400: 2, 404: 2, 500: 1, 503: 4}
"""How often it tries again after these HTTP statuses; after any other failure, as often as there are delays."""


def retry_delay(status: int | None, attempt: int) -> timedelta | None:
    """How long to wait after the `attempt`-th try (from 1) was answered `status`; None to stop.

    `status` is None for a time-out or a connection that failed.
    """
    if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    retries = len(DELAYS) if status is None else RETRIES.get(status, len(DELAYS))
    return DELAYS[attempt - 1] if attempt <= retries else None
