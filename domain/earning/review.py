"""What staff says of minutes whose evidence is odd. Door: staff's mutation. The streamer reads why it waits."""

from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed
from domain.campaign.participation import ParticipationId
from domain.earning.asking import tell
from domain.earning.model import MinuteState, Unpaid
from domain.earning.ports import EarningPorts, Settled
from domain.earning.refusals import MinuteNotInReview
from domain.identity.staff import check
from domain.refusal import Refusal
from domain.rights import Permission


async def review_minute(
    ports: EarningPorts, actor: Actor, participation: ParticipationId, minute: datetime, reason: str, *, counts: bool
) -> MinuteState | Refusal:
    """Let a minute count, which is then closed like any other, or not. Raises `NotPermittedError`."""
    if refusal := check(ports, actor, Permission.MANAGE_DISPUTES, reason):
        return refusal
    state = MinuteState.OPEN if counts else MinuteState.UNPAID
    said = Settled(participation, minute, state, "" if counts else Unpaid.EVIDENCE_REJECTED)
    async with ports.work() as work:
        changed = await work.minutes.review(said, ports.clock())
        if not changed:
            return MinuteNotInReview()
        action = "minute.counted" if counts else "minute.rejected"
        await work.record(Deed(action, f"participation:{participation}", actor, after=_told(minute), reason=reason))
        await tell(work, changed)
    return state


def _told(minute: datetime) -> dict[str, str]:
    return {"minute": minute.isoformat()}
