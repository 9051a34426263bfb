"""Agreeing to a document in the version in force, and taking that back. The history of both only grows."""

from domain.actor import Actor
from domain.audit_log import Deed
from domain.identity.arrivals import sealed_origin
from domain.identity.model import PersonStatus
from domain.identity.privacy import LASTING, Consent, ConsentPurpose
from domain.identity.privacy_refusals import ConsentLasts, DocumentChanged
from domain.identity.privacy_stores import PrivacyPorts
from domain.identity.refusals import NotWhileImpersonating, UnknownPerson
from domain.refusal import Refusal


async def give_consent(ports: PrivacyPorts, actor: Actor, purpose: ConsentPurpose, version: str) -> Consent | Refusal:
    """Agree to the document of a purpose; again, and it answers the first time. Its door: the mutation.

    `DocumentChanged` where another version is in force: nobody agrees to what they have not seen.
    """
    if version != ports.policy.documents[purpose]:
        return DocumentChanged()
    return await _say(ports, actor, purpose, version)


async def withdraw_consent(ports: PrivacyPorts, actor: Actor, purpose: ConsentPurpose) -> Consent | Refusal:
    """Take back what was agreed to, for the time from now on; as easy as agreeing. Its door: the mutation."""
    if purpose in LASTING:
        return ConsentLasts()
    return await _say(ports, actor, purpose, None)


async def _say(ports: PrivacyPorts, actor: Actor, purpose: ConsentPurpose, version: str | None) -> Consent | Refusal:
    """Keep a person's word, if it is another than their last one; None for the version takes back."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    origin = await sealed_origin(ports, actor.person, actor.origin)
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        given, now = version is not None, ports.clock()
        last = await work.consents.latest(actor.person, purpose)
        if last is not None and last.given is given and version in {None, last.version}:
            return last
        if last is None and not given:
            return Consent(purpose, ports.policy.documents[purpose], given=False, at=now)
        word = Consent(purpose, version or (last.version if last else ""), given, now)
        kept = await work.consents.add(actor.person, word, origin)
        after = {"purpose": purpose, "version": word.version}
        action = "consent.given" if given else "consent.withdrawn"
        await work.record(Deed(action, f"person:{actor.person}", actor, about=actor.person, after=after))
    return kept
