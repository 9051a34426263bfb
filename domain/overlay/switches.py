"""Switching all overlays of a streamer off at once, and on again: the streamer's own switch, and staff's.

Either switch is enough; neither side lifts what the other did. Pages that are open have to leave within seconds.
Doors: the mutations of the streamer portal and of the admin portal.
"""

from collections.abc import Sequence
from typing import Final

from domain.actor import Actor
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.identity.refusals import FourEyesRequired, NotWhileImpersonating
from domain.identity.staff import check
from domain.ids import PersonId, uuid7
from domain.overlay.events import OverlaysSwitchedOff, OverlaysSwitchedOn
from domain.overlay.model import Side, Stop
from domain.overlay.ports import OverlayPorts, OverlayWork
from domain.overlay.refusals import StreamerNotFound
from domain.refusal import Refusal
from domain.rights import Permission
from domain.streamer.model import StreamerId
from domain.streamer.refusals import NotStreamer

REASON_FIELD: Final = "overlay_stop_reason"
"""As what the vault seals why staff switched overlays off."""


async def switch_own(ports: OverlayPorts, actor: Actor, *, on: bool) -> Sequence[Stop] | Refusal:
    """Switch all of the actor's own overlays off or on. Again, and it is as it was. Its door: the mutation."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    async with ports.work() as work:
        kept = await work.streamers.lock_of(actor.people)
        if kept is None:
            return NotStreamer()
        stop = Stop(Side.STREAMER, ports.clock())
        if await _switched(work, kept.id, stop, on=on):
            await work.record(Deed(_action(on=on), f"streamer:{kept.id}", actor, about=kept.person))
    return (await ports.overlays.stops_of([kept.id]))[kept.id]


async def switch_as_staff(
    ports: OverlayPorts, actor: Actor, streamer: StreamerId, reason: str, *, on: bool
) -> Sequence[Stop] | Refusal:
    """Switch all overlays of a streamer off or on, with a reason that the streamer reads. Its door: the mutation."""
    if refusal := check(ports, actor, Permission.MODERATE_CONTENT, reason):
        return refusal
    async with ports.work() as work:
        person = await work.overlays.owner_of(streamer)
    if person is None:
        return StreamerNotFound()
    if person in actor.people:
        return FourEyesRequired()
    try:
        sealed = await ports.vault.seal(person, REASON_FIELD, reason)
    except KeyDestroyedError:
        return StreamerNotFound()
    async with ports.work() as work:
        if await work.overlays.owner_of(streamer) != person:
            return StreamerNotFound()
        if await _switched(work, streamer, Stop(Side.STAFF, ports.clock(), reason), on=on, sealed=sealed):
            await work.record(_deed(actor, streamer, person, reason, on=on))
    return (await ports.overlays.stops_of([streamer]))[streamer]


async def _switched(
    work: OverlayWork, streamer: StreamerId, stop: Stop, *, on: bool, sealed: bytes | None = None
) -> bool:
    """Whether anything has changed; if so it is told."""
    if on:
        if not await work.overlays.switch_on(streamer, stop.side):
            return False
        await work.emit(OverlaysSwitchedOn(uuid7(), streamer, stop.side))
        return True
    if not await work.overlays.switch_off(streamer, stop, sealed):
        return False
    await work.emit(OverlaysSwitchedOff(uuid7(), streamer, stop.side))
    return True


def _deed(actor: Actor, streamer: StreamerId, person: PersonId, reason: str, *, on: bool) -> Deed:
    return Deed(f"{_action(on=on)}_by_staff", f"streamer:{streamer}", actor, about=person, reason=reason)


def _action(*, on: bool) -> str:
    return "overlays.switched_on" if on else "overlays.switched_off"
