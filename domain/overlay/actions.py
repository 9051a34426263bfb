"""Having overlays: their settings and their tokens. Doors: the mutations of the streamer portal, and the demo.

Whoever has a token sees what its overlay shows, so that a token is shown once, and kept as a digest. Whoever has a
former one, or one of an overlay that is no more, has to leave within seconds: the rows changed here tell of themselves.
"""

import json
from dataclasses import dataclass
from typing import Final

from domain.actor import Actor
from domain.audit_log import Deed, Detail
from domain.errors import ConflictError, KeyDestroyedError
from domain.identity.refusals import NotWhileImpersonating, UnknownPerson
from domain.ids import PersonId, uuid7
from domain.overlay.events import OverlayAdded, OverlayChanged, OverlayRevoked, OverlayTokenRotated
from domain.overlay.model import (
    MOST_OVERLAYS,
    TOKEN_PREFIX,
    Goal,
    KeptOverlay,
    Overlay,
    OverlayId,
    Settings,
)
from domain.overlay.ports import OverlayPorts, OverlayWork, SealedSettings
from domain.overlay.refusals import OverlayNotFound, OverlayRefused, TooManyOverlays
from domain.refusal import Refusal
from domain.streamer.refusals import NotStreamer

WORDS_FIELD: Final = "overlay_words"
"""As what the vault seals the name of an overlay and what its goal is called."""

LONGEST_NAME: Final = 50
LONGEST_TITLE: Final = 60
SIZES: Final = range(120, 7_681)
"""Pixels."""
SAFE_AREAS: Final = range(21)
"""Percent."""
MOST: Final = 1_000_000_000
"""That may be counted."""


@dataclass(frozen=True, slots=True)
class OverlayWithToken:
    """An overlay, and its token, shown this once."""

    overlay: OverlayId
    token: str


async def add_overlay(ports: OverlayPorts, actor: Actor, settings: Settings) -> OverlayWithToken | Refusal:
    """Give a streamer one more overlay. Its doors: the mutation, the demo."""
    if refusal := _refused(actor, settings):
        return refusal
    streamer = await ports.reads.streamer_of(actor.people)
    if streamer is None:
        return NotStreamer()
    try:
        sealed = await _sealed(ports, streamer.person, settings)
    except KeyDestroyedError:
        return UnknownPerson()
    id_, token, now = OverlayId(uuid7()), _new_token(ports), ports.clock()
    async with ports.work() as work:
        kept = await work.streamers.lock_of(actor.people)
        if kept is None or kept.id != streamer.id:
            return NotStreamer()
        if await work.overlays.count(kept.id) >= MOST_OVERLAYS:
            return TooManyOverlays("You have as many overlays as you may have: revoke one first.", MOST_OVERLAYS)
        await work.overlays.add(id_, kept.id, sealed, ports.opaque_tokens.digest(token), now)
        await work.emit(OverlayAdded(id_, id_))
        target = f"overlay:{id_}"
        await work.record(Deed("overlay.added", target, actor, about=kept.person, after=_told(settings)))
    return OverlayWithToken(id_, token)


async def change_overlay(ports: OverlayPorts, actor: Actor, id_: OverlayId, settings: Settings) -> OverlayId | Refusal:
    """Let an overlay look another way; its page shows it at once. Its door: the mutation.

    Raises `ConflictError` where it is changed at the same time: what is on record as said before is so.
    """
    if refusal := _refused(actor, settings):
        return refusal
    known = (await ports.overlays.overlays([id_])).get(id_)
    if known is None or known.person not in actor.people:
        return OverlayNotFound()
    try:
        sealed = await _sealed(ports, known.person, settings)
    except KeyDestroyedError:
        return UnknownPerson()
    async with ports.work() as work:
        kept = await own_overlay(work, actor, id_)
        if not isinstance(kept, KeptOverlay):
            return kept
        if kept.version != known.version:
            raise ConflictError("the overlay has been changed meanwhile")
        await work.overlays.change(id_, sealed, ports.clock())
        await work.emit(OverlayChanged(uuid7(), id_))
        await work.record(_change(actor, known, settings))
    return id_


async def rotate_token(ports: OverlayPorts, actor: Actor, id_: OverlayId) -> OverlayWithToken | Refusal:
    """Give an overlay another token in place of its own. Its door: the mutation."""
    token = _new_token(ports)
    async with ports.work() as work:
        kept = await own_overlay(work, actor, id_)
        if not isinstance(kept, KeptOverlay):
            return kept
        await work.overlays.renew(id_, ports.opaque_tokens.digest(token), ports.clock())
        await work.emit(OverlayTokenRotated(uuid7(), id_))
        await work.record(Deed("overlay.renewed", f"overlay:{id_}", actor, about=kept.person))
    return OverlayWithToken(id_, token)


async def revoke_overlay(ports: OverlayPorts, actor: Actor, id_: OverlayId) -> OverlayId | Refusal:
    """End an overlay for good. Its door: the mutation."""
    async with ports.work() as work:
        kept = await own_overlay(work, actor, id_)
        if not isinstance(kept, KeptOverlay):
            return kept
        await work.overlays.revoke(id_, ports.clock())
        await work.emit(OverlayRevoked(uuid7(), id_))
        await work.record(Deed("overlay.revoked", f"overlay:{id_}", actor, about=kept.person))
    return id_


async def own_overlay(work: OverlayWork, actor: Actor, id_: OverlayId) -> KeptOverlay | Refusal:
    """An overlay of the actor's, locked."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    kept = await work.overlays.lock(id_)
    return kept if kept is not None and kept.person in actor.people else OverlayNotFound()


def is_line(text: str, longest: int) -> bool:
    """Whether a text is one line of so many characters that can all be seen, and no space around it."""
    return 1 <= len(text) <= longest and text.isprintable() and text == text.strip()


def refused_settings(settings: Settings) -> OverlayRefused | None:
    """What is not right about settings, if anything is."""
    look, goal = settings.look, settings.goal
    wrong = {
        "name": not is_line(settings.name, LONGEST_NAME),
        "width": look.width not in SIZES,
        "height": look.height not in SIZES,
        "safeArea": look.safe_area not in SAFE_AREAS,
        "goal": goal is not None and not _possible(goal),
    }
    field = next((field for field, is_wrong in wrong.items() if is_wrong), None)
    return OverlayRefused(_EXPECTED[field], field) if field else None


_EXPECTED: Final = {
    "name": f"A name has 1 to {LONGEST_NAME} characters, and no space around it.",
    "width": f"A picture has {SIZES[0]} to {SIZES[-1]} pixels each way.",
    "height": f"A picture has {SIZES[0]} to {SIZES[-1]} pixels each way.",
    "safeArea": f"Of the picture 0 to {SAFE_AREAS[-1]} percent may stay free at each edge.",
    "goal": f"A goal has a title of at most {LONGEST_TITLE} characters, and whole numbers up to a billion.",
}


def _possible(goal: Goal) -> bool:
    return is_line(goal.title, LONGEST_TITLE) and 0 <= goal.reached <= MOST and 1 <= goal.target <= MOST


def _refused(actor: Actor, settings: Settings) -> Refusal | None:
    return NotWhileImpersonating() if actor.impersonator is not None else refused_settings(settings)


def _new_token(ports: OverlayPorts) -> str:
    return f"{TOKEN_PREFIX}{ports.opaque_tokens.new()}"


async def _sealed(ports: OverlayPorts, person: PersonId, settings: Settings) -> SealedSettings:
    """What is kept of settings. Raises `KeyDestroyedError`."""
    goal = settings.goal
    words = json.dumps({"name": settings.name, "goal": goal.title if goal else None})
    return SealedSettings(
        settings.look,
        await ports.vault.seal(person, WORDS_FIELD, words),
        goal.reached if goal else None,
        goal.target if goal else None,
    )


def _change(actor: Actor, known: Overlay, settings: Settings) -> Deed:
    before, after = _told(known.settings), _told(settings)
    names = [name for name in after if before[name] != after[name]]
    return Deed(
        "overlay.changed", f"overlay:{known.id}", actor, about=known.person,
        before={name: before[name] for name in names}, after={name: after[name] for name in names},
    )  # fmt: skip


def _told(settings: Settings) -> dict[str, Detail]:
    """Settings as the audit log tells them."""
    look, goal = settings.look, settings.goal
    return {
        "name": settings.name, "width": look.width, "height": look.height, "place": str(look.place),
        "theme": str(look.theme), "safe_area": look.safe_area,
        "goal": f"{goal.title}: {goal.reached} of {goal.target}" if goal else None,
    }  # fmt: skip
