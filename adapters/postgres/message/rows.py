"""What rows of messages mean."""

from collections.abc import Sequence

from asyncpg import Record

from domain.campaign.participation import ParticipationId, Side
from domain.ids import PersonId
from domain.message.model import TEXT_FIELD, Message, MessageId, ReadMessage, Report, ReportId
from domain.vault import Sealed, Vault


def message_of(row: Record) -> Message:
    """A message."""
    return Message(
        MessageId(row["id"]), ParticipationId(row["participation"]), row["number"], Side(row["side"]),
        PersonId(row["person"]), row["text"], row["sent_at"], row["hidden_at"], row["seq"],
    )  # fmt: skip


def report_of(row: Record) -> Report:
    """A report."""
    return Report(
        ReportId(row["id"]), MessageId(row["message"]), PersonId(row["person"]), row["reason"], row["reported_at"]
    )


async def opened(vault: Vault, rows: Sequence[Record], *, with_hidden: bool = False) -> list[ReadMessage]:
    """Messages with what can be read of them: all of them by one opening of the vault."""
    found = [message_of(row) for row in rows]
    shown = [each for each in found if each.text is not None and (with_hidden or each.hidden_at is None)]
    sealed = [Sealed(each.person, TEXT_FIELD, each.text) for each in shown if each.text is not None]
    texts = dict(zip((each.id for each in shown), await vault.open(sealed) if sealed else (), strict=True))
    return [ReadMessage(each, texts.get(each.id), row["is_read"]) for each, row in zip(found, rows, strict=True)]
