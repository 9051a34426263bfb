"""Writing, reading and reporting: what the two sides of a participation do with messages. Doors: their mutations.

What somebody writes leaves no line in the audit log: its row is one that nobody changes. Nobody but the two sides, and
staff who says so there, learns that there is any.
"""

from domain.actor import Actor
from domain.audit_log import Deed
from domain.brand.profiles import as_member
from domain.brand.refusals import UnknownBrand
from domain.campaign.participation import ParticipationId, Side
from domain.campaign.refusals import UnknownParticipation
from domain.errors import KeyDestroyedError
from domain.identity.refusals import ReasonRequired, TooManyTries
from domain.ids import derived, uuid7
from domain.message.events import MessagesChanged
from domain.message.model import (
    LONGEST_REASON,
    LONGEST_TEXT,
    REASON_FIELD,
    TEXT_FIELD,
    Message,
    MessageId,
    Report,
    ReportId,
    Sides,
    is_writable,
)
from domain.message.ports import MessagePorts, MessageWork
from domain.message.refusals import ConversationOver, MessageNotReportable, MessageRefused, UnknownMessage
from domain.quotas import MESSAGE, MESSAGE_REPORT, Quota
from domain.refusal import Refusal
from domain.rights import BrandRole

_Seat = tuple[Sides, Side]


async def send_message(
    ports: MessagePorts, actor: Actor, participation: ParticipationId, text: str, key: str
) -> Message | Refusal:
    """Write to the other side: as the brand's manager, or as the streamer. Its door: the mutation.

    The same key again is the same message, whatever it says.
    """
    if not is_writable(text, LONGEST_TEXT):
        return MessageRefused()
    id_ = MessageId(derived(f"message:{participation}:{actor.person}", key))
    known = await ports.reads.messages_by_id([id_])
    sealed = b"" if known else await _sealed(ports, actor, MESSAGE, TEXT_FIELD, text)
    if isinstance(sealed, Refusal):
        return sealed
    async with ports.work() as work:
        seat = await _seat(work, actor, participation, BrandRole.MANAGER)
        if isinstance(seat, Refusal):
            return seat
        (sides, side), now = seat, ports.clock()
        await work.messages.lock(participation)
        if found := await work.messages.find(id_):
            return found
        if sides.is_over(now):
            return ConversationOver()
        sent = await work.messages.send(Message(id_, participation, 0, side, actor.person, sealed, now, None, 0))
        await tell(work, participation, sent.seq)
    return sent


async def mark_messages_read(
    ports: MessagePorts, actor: Actor, participation: ParticipationId, up_to: MessageId
) -> Sides | Refusal:
    """Keep that somebody has read up to a message; it never goes back. Its door: the mutation, for both sides.

    Each person has a mark of their own: what a colleague has read is still news to who is to answer it.
    """
    async with ports.work() as work:
        seat = await _seat(work, actor, participation, BrandRole.VIEWER)
        if isinstance(seat, Refusal):
            return seat
        sides, side = seat
        message = await work.messages.find(up_to)
        if message is None or message.participation != participation:
            return UnknownMessage()
        await work.messages.lock(participation)
        seq = await work.messages.mark(message, actor.person, side)
        if seq is not None:
            await tell(work, participation, seq)
    return sides


async def report_message(ports: MessagePorts, actor: Actor, id_: MessageId, reason: str) -> Report | Refusal:
    """Say what is wrong with a message of the other side, once. Its door: the mutation, for who may write, too.

    Of a message there is one report: again, and by a colleague, it is the same.
    """
    if not is_writable(reason, LONGEST_REASON):
        return ReasonRequired()
    sealed = await _sealed(ports, actor, MESSAGE_REPORT, REASON_FIELD, reason)
    if isinstance(sealed, Refusal):
        return sealed
    async with ports.work() as work:
        message = await work.messages.find(id_)
        if message is None:
            return UnknownMessage()
        seat = await _seat(work, actor, message.participation, BrandRole.MANAGER)
        if isinstance(seat, Refusal):
            return UnknownMessage() if isinstance(seat, UnknownParticipation) else seat
        await work.messages.lock(message.participation)
        message = await work.messages.find(id_) or message
        if message.side is seat[1] or message.hidden_at is not None or message.text is None:
            return MessageNotReportable()
        wanted = Report(ReportId(uuid7()), id_, actor.person, sealed, ports.clock())
        made = await work.messages.report(wanted)
        if made.id == wanted.id:
            await work.record(Deed("message.reported", f"message:{id_}", actor, about=actor.person, reason=reason))
    return made


async def tell(work: MessageWork, participation: ParticipationId, seq: int) -> None:
    """Tell both sides that something about their messages has changed."""
    id_ = derived(f"messages.changed:{participation}", str(seq))
    await work.emit(MessagesChanged(id_, participation, seq))


async def _sealed(ports: MessagePorts, actor: Actor, quota: Quota, field: str, text: str) -> bytes | Refusal:
    """Somebody's own words, once they may say more of them."""
    taken = await ports.quotas.take(quota, f"person:{actor.person}")
    if not taken.allowed:
        return TooManyTries("You have written much lately: wait before you go on.", taken.retry_after_s)
    try:
        return await ports.vault.seal(actor.person, field, text)
    except KeyDestroyedError:
        return UnknownParticipation()


async def _seat(work: MessageWork, actor: Actor, participation: ParticipationId, least: BrandRole) -> _Seat | Refusal:
    """On which side of a participation somebody stands; what is between others is as what does not exist."""
    sides = await work.messages.sides(participation)
    if sides is None:
        return UnknownParticipation()
    if sides.person in actor.people:
        return sides, Side.STREAMER
    member = await as_member(work, actor, sides.brand, least)
    if isinstance(member, Refusal):
        return UnknownParticipation() if isinstance(member, UnknownBrand) else member
    return sides, Side.BRAND
