"""`gametriggers staff`: what people look after, as tables, and the two things that they may have done again."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from adapters.config import Settings
from adapters.logs import configure_logging
from adapters.payments.midtrans import MalformedNotificationError, parse_notification
from adapters.postgres import reactions
from adapters.webhooks import replay_inbox
from adapters.wiring import Adapters, connect, midtrans_keys
from domain.wallet.ports import Letter

Work = Callable[[Adapters], Coroutine[Any, Any, str]]


class NotThereError(Exception):
    """What was named does not exist; its text says so."""


async def run(settings: Settings, work: Work) -> str:
    """Do one thing with everything connected; answers what to show."""
    configure_logging(settings)
    async with connect(settings) as ports:
        return await work(ports)


async def review(ports: Adapters, first: int) -> str:
    """Top-ups that somebody should look at, newest first, each with the reason."""
    found = await ports.top_ups.top_ups_in_review(after=None, first=first)
    rows = [
        (str(each.id), _when(each.created_at), each.account.owner, f"{each.amount} {each.amount.currency}", each.state,
         each.review or "")
        for each in found
    ]  # fmt: skip
    return _table(("TOP-UP", "STARTED", "OWNER", "AMOUNT", "STATE", "WHY"), rows) or "No top-up is in review."


async def inbox(ports: Adapters, first: int, *, refused: bool) -> str:
    """Vendors' messages that are not handled, newest first; `refused`: those instead that nobody signed."""
    rows = [
        (str(each.id), _when(each.received_at), each.source, _order(each), each.verdict, str(each.attempts))
        for each in await ports.inbox.unhandled(first, genuine=not refused)
    ]
    shown = _table(("MESSAGE", "RECEIVED", "FROM", "ORDER", "VERDICT", "ATTEMPTS"), rows)
    return shown or ("No message was refused lately." if refused else "Every genuine message is handled.")


async def replay(ports: Adapters, keys: Sequence[str], message: int) -> str:
    """Handle a message again. Raises `NotThereError`."""
    try:
        return f"Message {message}: {await replay_inbox(ports, keys, message)}"
    except LookupError as error:
        raise NotThereError(error) from None


async def dead_letters(ports: Adapters, first: int) -> str:
    """What should have followed an event and was given up, latest first."""
    rows = [
        (str(each.event_id), each.reaction, each.event, each.topic, str(each.attempts), _when(each.dead_at), each.error)
        for each in await reactions.dead_letters(ports.database, first)
    ]
    return _table(("EVENT", "REACTION", "NAME", "TOPIC", "ATTEMPTS", "GIVEN UP", "ERROR"), rows) or "No dead letters."


async def revive(ports: Adapters, event: UUID, reaction: str) -> str:
    """Have a dead letter tried again from the first attempt. Raises `NotThereError`."""
    if not await reactions.revive(ports.database, event, reaction):
        raise NotThereError(f"there is no dead letter {reaction} of event {event}")
    return f"{reaction} of event {event} is tried again."


def replaying(settings: Settings, message: int) -> Work:
    """`replay` with the keys that the settings name."""
    return partial(replay, keys=midtrans_keys(settings), message=message)


def _order(letter: Letter) -> str:
    """The order that a message claims to be about."""
    try:
        return parse_notification(letter.body).order_id
    except MalformedNotificationError:
        return "?"


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side; nothing without rows. What strangers wrote steers no terminal."""
    if not rows:
        return ""
    lines = [heads, *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
