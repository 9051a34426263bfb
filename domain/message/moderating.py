"""What staff reads and hides of messages. Doors: the admin portal's queries and mutations.

That somebody looked stands in the audit log before they see anything. Nobody decides about what they wrote themselves,
or what was written to them.
"""

from collections.abc import Sequence

from domain.actor import Actor
from domain.audit_log import Deed, Detail
from domain.errors import NotPermittedError
from domain.identity.refusals import FourEyesRequired
from domain.identity.staff import check
from domain.message.model import Message, MessageId, ReadMessage, ReadReport, ReportId, ReportRuling
from domain.message.ports import MessagePage, MessagePorts, MessageWork
from domain.message.refusals import MessageNotReported, UnknownMessage
from domain.message.writing import tell
from domain.refusal import Refusal
from domain.rights import Permission


async def read_messages(ports: MessagePorts, actor: Actor, page: MessagePage) -> Sequence[ReadMessage]:
    """What the two sides of a participation wrote, as staff reads it. Raises `NotPermittedError`."""
    await _note(ports, actor, f"participation:{page.participation}", page.before)
    return await ports.reads.all_of(page)


async def read_reports(
    ports: MessagePorts, actor: Actor, first: int, after: ReportId | None = None
) -> Sequence[ReadReport]:
    """What was reported and waits for staff. Raises `NotPermittedError`."""
    await _note(ports, actor, "message_reports", None if after is None else str(after))
    return await ports.reads.reports_to_decide(first, after)


async def hide_message(ports: MessagePorts, actor: Actor, id_: MessageId, reason: str) -> Message | Refusal:
    """Hide a message from both sides, reported or not; again changes nothing. Raises `NotPermittedError`."""
    if refusal := check(ports, actor, Permission.MODERATE_CONTENT, reason):
        return refusal
    async with ports.work() as work:
        found = await _judged(work, actor, id_)
        if isinstance(found, Refusal) or found.hidden_at is not None:
            return found
        now = ports.clock()
        hidden = await work.messages.hide(found, now)
        await work.messages.rule(id_, ReportRuling.HIDDEN, now)
        await work.record(Deed("message.hidden", f"message:{id_}", actor, after=_told(found), reason=reason))
        await tell(work, found.participation, hidden.seq)
    return hidden


async def dismiss_message_report(ports: MessagePorts, actor: Actor, id_: MessageId, reason: str) -> Message | Refusal:
    """Let a message stand that was reported. Raises `NotPermittedError`."""
    if refusal := check(ports, actor, Permission.MODERATE_CONTENT, reason):
        return refusal
    async with ports.work() as work:
        found = await _judged(work, actor, id_)
        if isinstance(found, Refusal):
            return found
        if not await work.messages.rule(id_, ReportRuling.DISMISSED, ports.clock()):
            return MessageNotReported()
        await work.record(Deed("message.report_dismissed", f"message:{id_}", actor, after=_told(found), reason=reason))
    return found


async def _note(ports: MessagePorts, actor: Actor, target: str, behind: Detail) -> None:
    """Write down that staff reads a page of messages, and behind which place. Raises `NotPermittedError`."""
    if not actor.may(Permission.MODERATE_CONTENT):
        raise NotPermittedError(Permission.MODERATE_CONTENT)
    async with ports.work() as work:
        await work.record(Deed("messages.read", target, actor, after={} if behind is None else {"behind": behind}))


async def _judged(work: MessageWork, actor: Actor, id_: MessageId) -> Message | Refusal:
    """A message, alone with its conversation, that somebody may decide about."""
    found = await work.messages.find(id_)
    sides = await work.messages.sides(found.participation) if found else None
    if found is None or sides is None:
        return UnknownMessage()
    if sides.person in actor.people or found.person in actor.people or sides.brand in actor.brands:
        return FourEyesRequired()
    await work.messages.lock(found.participation)
    return await work.messages.find(id_) or found


def _told(message: Message) -> dict[str, Detail]:
    """A message as the audit log tells it."""
    return {"participation": str(message.participation), "number": message.number, "side": str(message.side)}
