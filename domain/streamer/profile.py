"""Becoming a streamer, and saying other things of oneself. Doors: the mutations of the streamer portal."""

import json
from dataclasses import fields, replace
from itertools import pairwise
from typing import Final

from domain.actor import Actor
from domain.asset.model import Purpose
from domain.asset.refusals import AssetNotReady
from domain.audit_log import Deed, Detail
from domain.errors import ConflictError, KeyDestroyedError
from domain.identity.model import PersonStatus
from domain.identity.refusals import NotWhileImpersonating, UnknownPerson
from domain.ids import AssetId, uuid7
from domain.refusal import Refusal
from domain.rights import Permission
from domain.streamer.events import StreamerJoined
from domain.streamer.model import Profile, Slot, Streamer, StreamerId
from domain.streamer.places import COUNTRIES, LANGUAGES, time_zones
from domain.streamer.ports import SealedProfile, StreamerPorts
from domain.streamer.refusals import AlreadyStreamer, NotStreamer, ProfileRefused

NAME_FIELD: Final = "streamer_name"
SCHEDULE_FIELD: Final = "streamer_schedule"
"""As what the vault seals them."""

LONGEST_NAME: Final = 50
MOST_CATEGORIES: Final = 5
MOST_SLOTS: Final = 28
DAY: Final = 24 * 60
"""Minutes."""


async def become_streamer(ports: StreamerPorts, actor: Actor, profile: Profile) -> Streamer | Refusal:
    """Make the actor a streamer, once; whatever process they ask next knows it. Its doors: the mutation, the demo."""
    if refusal := _refused(actor, profile):
        return refusal
    made = Streamer(StreamerId(uuid7()), actor.person, profile, ports.clock())
    try:
        sealed = await _sealed(ports, made)
    except KeyDestroyedError:
        return UnknownPerson()
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        if await work.streamers.lock_of(actor.people):
            return AlreadyStreamer()
        if not await work.streamers.add(made.id, actor.person, sealed, made.created_at):
            return AlreadyStreamer()
        await work.emit(StreamerJoined(made.id, made.id))
        target = f"streamer:{made.id}"
        await work.record(Deed("streamer.joined", target, actor, about=actor.person, after=_told(profile)))
    return made


async def change_profile(ports: StreamerPorts, actor: Actor, profile: Profile) -> Streamer | Refusal:
    """Let a streamer say other things of themselves: all of it anew. Its door: the mutation.

    Raises `ConflictError` where they say something else at the same time: what is on record as said before is so.
    """
    if refusal := _refused(actor, profile):
        return refusal
    known = await ports.reads.streamer_of(actor.people)
    if known is None:
        return NotStreamer()
    changed = replace(known, profile=profile, version=known.version + 1)
    try:
        sealed = await _sealed(ports, changed)
    except KeyDestroyedError:
        return UnknownPerson()
    async with ports.work() as work:
        kept = await work.streamers.lock_of(actor.people)
        if kept is None or kept.id != known.id:
            return NotStreamer()
        if kept.version != known.version:
            raise ConflictError("the profile has been changed meanwhile")
        await work.streamers.change(changed.id, sealed, ports.clock())
        before, after = _told(known.profile), _told(profile)
        names = [name for name in after if before[name] != after[name]]
        deed = Deed(
            "streamer.changed", f"streamer:{changed.id}", actor, about=changed.person,
            before={name: before[name] for name in names}, after={name: after[name] for name in names},
        )  # fmt: skip
        await work.record(deed)
    return changed


async def set_avatar(ports: StreamerPorts, actor: Actor, avatar: AssetId | None) -> Streamer | Refusal:
    """Show another picture of a streamer, a file of theirs that is ready, or none. Its door: the mutation."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    known = await ports.reads.streamer_of(actor.people)
    if known is None:
        return NotStreamer()
    async with ports.work() as work:
        kept = await work.streamers.lock_of(actor.people)
        if kept is None or kept.id != known.id:
            return NotStreamer()
        if avatar and not await work.assets.ready([avatar], actor.owners, Purpose.STREAMER_AVATAR):
            return AssetNotReady()
        await work.streamers.set_avatar(known.id, avatar)
        after = {"avatar": str(avatar) if avatar else None}
        await work.record(Deed("streamer.changed", f"streamer:{known.id}", actor, about=known.person, after=after))
    return replace(known, avatar=avatar)


def may_see(actor: Actor, streamer: Streamer) -> bool:
    """Whether somebody sees a streamer: they themselves; unless kept out, brands, and staff who checks them."""
    if streamer.person in actor.people:
        return True
    return streamer.is_active and (bool(actor.brands) or actor.may(Permission.VERIFY_STREAMERS))


def written_schedule(schedule: tuple[Slot, ...]) -> str:
    """A schedule as it is sealed."""
    return json.dumps([[slot.day, slot.starts, slot.ends] for slot in schedule])


def _refused(actor: Actor, profile: Profile) -> Refusal | None:
    return NotWhileImpersonating() if actor.impersonator is not None else refused_profile(profile)


def refused_profile(profile: Profile) -> ProfileRefused | None:
    """What is not right about a profile, if anything is."""
    name, slots = profile.display_name, profile.schedule
    wrong = {
        "displayName": not (1 <= len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()),
        "categories": not 1 <= len(profile.categories) <= MOST_CATEGORIES or _repeats(profile.categories),
        "language": profile.language not in LANGUAGES,
        "country": profile.country not in COUNTRIES,
        "timeZone": profile.time_zone not in time_zones(),
        "schedule": len(slots) > MOST_SLOTS or not all(map(_possible, slots)) or _overlap(slots),
    }
    field = next((field for field, is_wrong in wrong.items() if is_wrong), None)
    return ProfileRefused(_EXPECTED[field], field) if field else None


_EXPECTED: Final = {
    "displayName": f"A name has 1 to {LONGEST_NAME} characters, and no space around it.",
    "categories": f"Choose 1 to {MOST_CATEGORIES} categories, each once.",
    "language": "Write a language in two small letters, as ISO 639-1 has it: id.",
    "country": "Write a country in two capital letters, as ISO 3166-1 has it: ID.",
    "timeZone": "Write a time zone by its name in the tz database: Asia/Jakarta.",
    "schedule": f"A week has at most {MOST_SLOTS} times of streaming, each within one day, and none within another.",
}


def _repeats(of: tuple[object, ...]) -> bool:
    return len(set(of)) < len(of)


def _possible(slot: Slot) -> bool:
    return 0 <= slot.starts < slot.ends <= DAY


def _overlap(slots: tuple[Slot, ...]) -> bool:
    ordered = sorted(slots, key=lambda slot: (slot.day, slot.starts))
    return any(one.day is next_.day and next_.starts < one.ends for one, next_ in pairwise(ordered))


async def _sealed(ports: StreamerPorts, streamer: Streamer) -> SealedProfile:
    """What is kept of a profile. Raises `KeyDestroyedError`."""
    profile, person = streamer.profile, streamer.person
    name = await ports.vault.seal(person, NAME_FIELD, profile.display_name)
    return SealedProfile(
        profile, name, await ports.vault.seal(person, SCHEDULE_FIELD, written_schedule(profile.schedule))
    )


def _told(profile: Profile) -> dict[str, Detail]:
    """A profile as the audit log tells it, without the week: that is long, and nobody's concern."""
    told: dict[str, Detail] = {
        part.name: str(getattr(profile, part.name))
        for part in fields(profile)
        if part.name not in {"categories", "schedule"}
    }
    return {**told, "categories": ", ".join(sorted(profile.categories))}
