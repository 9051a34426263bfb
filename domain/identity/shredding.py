"""Erasures that are due: rows go in one unit of work, a farewell goes out, and the person's key is destroyed last.

Whatever breaks off in between is gone on with by the next run, and every step may be done twice. What law keeps of
somebody is sealed anew for a custodian, whose key exists for that alone and goes when its time is over: the person's
own key, and with it everything that it sealed anywhere, never has to wait.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.audit_log import Deed
from domain.identity.letters import letter_to
from domain.identity.mail import ErasureDone, ErasureDoneInPart
from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import Person, PersonStatus, SessionEnd
from domain.identity.privacy import Erasure, Retention
from domain.identity.privacy_stores import PrivacyPorts, PrivacyWork
from domain.ids import PersonId, derived
from domain.work import Swept

RETAINED: Final = "retained"
"""As what the vault seals who somebody was."""

_FAREWELL: Final = timedelta(hours=24)
"""So long the key waits for the last letter to be sent, which nobody can read without."""
_BATCH: Final = 200


async def erase_due(ports: PrivacyPorts, now: datetime) -> Swept:
    """Go on with every erasure whose time has come. Its door: the schedule; many may run at once.

    One that something stands against waits, and its person sees for what.
    """
    swept, after = Swept(), None
    while True:
        async with ports.work() as work:
            due = await work.erasures.due(now, after, _BATCH)
        for erasure in due:
            try:
                begun = erasure if erasure.begun_at else await _begin(ports, erasure, now)
                if begun is not None and await _finish(ports, begun, now):
                    swept.looked_at += 1
            except Exception as error:  # noqa: BLE001  # one erasure's trouble, even a bug of ours, must not keep the others
                swept.failed.append((str(erasure.id), error))
        if len(due) < _BATCH:
            return swept
        after = due[-1].id


async def shred_again(ports: PrivacyPorts, now: datetime) -> int:
    """Let go of whom law keeps no longer, and destroy again every key that was; how many. Its door: a daily job.

    An old backup of the keys that was restored brings keys back, and an old backup of the database brings rows back:
    neither lasts beyond this.
    """
    async with ports.work() as work:
        for person in await work.erasures.release(now):
            await work.record(Deed("person.released", f"person:{person}"))
    destroyed, after = 0, None
    while True:
        async with ports.work() as work:
            erased = await work.erasures.erased(after, _BATCH)
            people = [*erased, *await work.erasures.merged_into(erased)]
            await work.erasures.forget(people)
        for person in people:
            await ports.vault.destroy_key(person)
        destroyed += len(people)
        if len(erased) < _BATCH:
            break
        after = erased[-1]
    after = None
    while True:
        async with ports.work() as work:
            custodians = await work.erasures.released(after, _BATCH)
        for custodian in custodians:
            await ports.vault.destroy_key(custodian)
        destroyed += len(custodians)
        if len(custodians) < _BATCH:
            return destroyed
        after = custodians[-1]


async def _begin(ports: PrivacyPorts, erasure: Erasure, now: datetime) -> Erasure | None:
    """Forget every row of a person, alone with them, and queue their farewell; None where it is not to be, or not yet.

    What is sealed is sealed before the unit of work; where something changed meanwhile, the next run does it.
    """
    person = erasure.person
    known = (await ports.people.people([person])).get(person)
    custodian = PersonId(derived("retained", str(person)))
    async with ports.work() as work:
        kept = await _retention(ports, work, person, now)
    farewell = await letter_to(ports, person, ErasureDoneInPart(kept.until) if kept.until else ErasureDone())
    body = await _sealed(ports, custodian, known) if known and kept.until else None
    async with ports.work() as work:
        people = await _people_to_forget(work, erasure, now)
        if not people or await _retention(ports, work, person, now) != kept:
            return None
        await _forget(work, people, now)
        await work.people.set_status(person, PersonStatus.ERASED)
        await work.erasures.begin(erasure.id, now, kept.until)
        if body is not None and kept.until is not None:
            await work.erasures.retain(person, custodian, body, kept.reasons, kept.until)
        if farewell is not None:
            await work.letters.add(_last_letter(farewell, erasure))
        await work.record(Deed("person.erasure_begun", f"person:{person}"))
    return replace(erasure, begun_at=now)


async def _people_to_forget(work: PrivacyWork, erasure: Erasure, now: datetime) -> list[PersonId]:
    """A person under every id, alone with them; nobody where something stands against it."""
    person = erasure.person
    status = await work.people.lock(person)
    current = await work.erasures.lock(erasure.id)
    if current is None or current.begun_at is not None:
        return []
    if status is PersonStatus.MERGED:
        # They are somebody else by now, who may wish the same.
        await work.erasures.keep(erasure.id, now)
        return []
    if status is not PersonStatus.ACTIVE or await work.members.staff_role(person):
        return []
    people = [person, *await work.erasures.merged_into([person])]
    return [] if (await work.estates.of(people)).obstacles else people


async def _retention(ports: PrivacyPorts, work: PrivacyWork, person: PersonId, now: datetime) -> Retention:
    estate = await work.estates.of([person, *await work.erasures.merged_into([person])])
    return ports.policy.retention(estate.last_movement, now)


async def _sealed(ports: PrivacyPorts, custodian: PersonId, known: Person) -> bytes:
    """Who somebody was, as far as law asks: what they are called, and where they were written to."""
    await ports.vault.create_key(custodian)
    told = {"name": known.name, "mail": known.mail, "since": known.created_at.isoformat()}
    return await ports.vault.seal(custodian, RETAINED, json.dumps(told))


async def _forget(work: PrivacyWork, people: list[PersonId], now: datetime) -> None:
    for person in people:
        await work.sessions.end(person, now, SessionEnd.ERASED)
    await work.erasures.forget(people)


async def _finish(ports: PrivacyPorts, erasure: Erasure, now: datetime) -> bool:
    """Forget what came in between, destroy the keys, and note it; False while the last letter is under way."""
    begun_at = erasure.begun_at or now
    async with ports.work() as work:
        if await work.erasures.letter_waits(_letter_id(erasure)) and now - begun_at < _FAREWELL:
            return False
        people = [erasure.person, *await work.erasures.merged_into([erasure.person])]
        await _forget(work, people, now)
    for person in reversed(people):
        await ports.vault.destroy_key(person)
    async with ports.work() as work:
        if await work.erasures.lock(erasure.id) is None:
            return False
        await work.erasures.done(erasure.id, now)
        await work.record(Deed("person.erased", f"person:{erasure.person}"))
    return True


def _last_letter(letter: QueuedLetter, erasure: Erasure) -> QueuedLetter:
    return replace(letter, id=_letter_id(erasure))


def _letter_id(erasure: Erasure) -> UUID:
    return derived("farewell", str(erasure.id))
