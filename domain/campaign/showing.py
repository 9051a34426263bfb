"""Giving a campaign something to show: added by its brand, reviewed by a moderator, replaced by another, taken away."""

from dataclasses import replace

from domain.actor import Actor
from domain.asset.model import IMAGES, Purpose
from domain.asset.refusals import AssetNotReady
from domain.audit_log import Deed
from domain.campaign.creatives import (
    LONGEST_HTML,
    MOST_CREATIVES,
    Creative,
    CreativeId,
    CreativeKind,
    CreativeStep,
)
from domain.campaign.editing import not_ready, of_brand
from domain.campaign.events import CreativeAdded, CreativeDecided, CreativeEvent, CreativeRetired
from domain.campaign.model import Campaign, CampaignId
from domain.campaign.ports import CampaignPorts, CampaignWork
from domain.campaign.refusals import CreativeNotReady, HtmlRefused, TooManyCreatives, UnknownCampaign, UnknownCreative
from domain.identity.staff import check
from domain.ids import AssetId, derived, uuid7
from domain.refusal import Refusal
from domain.rights import Permission


async def add_creative(
    ports: CampaignPorts, actor: Actor, campaign: CampaignId, content: str | AssetId, key: str,
    replaces: CreativeId | None = None,
) -> Creative | Refusal:  # fmt: skip
    """Give a campaign a text, an image or a video to show, once a moderator has looked.

    Its door: the mutation, for managers. What is dangerous in a text is taken out; an image and a video are files of
    the brand that are ready. The same key again is the same creative. One that `replaces` another takes its place when
    it is approved; until then the other is shown.
    """
    id_, now = CreativeId(derived(f"creative:{campaign}", key)), ports.clock()
    body = _cleaned(ports, content) if isinstance(content, str) else ""
    if isinstance(content, str) and not body:
        return HtmlRefused()
    text = Creative(id_, campaign, CreativeKind.HTML, body, None, now, replaces=replaces)
    async with ports.work() as work:
        found = await of_brand(ports, work, actor, campaign)
        if isinstance(found, Refusal):
            return found
        if (known := await work.creatives.of(id_)) is not None:
            return known
        if refusal := await _cannot_add(work, found, replaces):
            return refusal
        made = text if isinstance(content, str) else await _of_file(work, found, text, content)
        if isinstance(made, Refusal):
            return made
        await work.creatives.add(made)
        await _tell(work, found, CreativeAdded(uuid7(), campaign, id_))
        await work.record(Deed("creative.added", f"creative:{id_}", actor, after={"campaign": str(campaign)}))
    return made


async def decide_creative(
    ports: CampaignPorts, actor: Actor, id_: CreativeId, reason: str, *, approve: bool
) -> Creative | Refusal:
    """Approve a creative or reject it, an approved one, too: it is shown no more then. Its door: staff's mutation.

    Raises `NotPermittedError`.
    """
    if refusal := check(ports, actor, Permission.MODERATE_CONTENT, reason):
        return refusal
    step = CreativeStep.APPROVE if approve else CreativeStep.REJECT
    async with ports.work() as work:
        found = await _with_campaign(work, id_)
        if found is None:
            return UnknownCreative()
        creative, campaign = found
        decided = creative.decided(step, ports.clock(), "" if approve else reason)
        if decided is None:
            return _not_ready(creative)
        await work.creatives.save(decided)
        before = await work.creatives.of(creative.replaces) if approve and creative.replaces else None
        if before is not None and (retired := before.decided(CreativeStep.RETIRE, ports.clock())):
            await work.creatives.save(retired)
        await _tell(work, campaign, CreativeDecided(uuid7(), campaign.id, id_))
        was, now = ({"state": str(each.state)} for each in (creative, decided))
        await work.record(Deed(f"creative.{decided.state}", f"creative:{id_}", actor, None, was, now, reason))
    return decided


async def retire_creative(ports: CampaignPorts, actor: Actor, id_: CreativeId) -> Creative | Refusal:
    """Show a creative no more, at once. Its door: the mutation, for managers."""
    known = (await ports.reads.creatives_by_id([id_])).get(id_)
    if known is None:
        return UnknownCreative()
    async with ports.work() as work:
        campaign = await of_brand(ports, work, actor, known.campaign)
        if isinstance(campaign, Refusal):
            return UnknownCreative() if isinstance(campaign, UnknownCampaign) else campaign
        creative = await work.creatives.of(id_)
        retired = None if creative is None else creative.decided(CreativeStep.RETIRE, ports.clock())
        if creative is None or retired is None:
            return _not_ready(creative or known)
        await work.creatives.save(retired)
        await _tell(work, campaign, CreativeRetired(uuid7(), campaign.id, id_))
        was = {"state": str(creative.state)}
        await work.record(Deed("creative.retired", f"creative:{id_}", actor, None, was, {"state": "retired"}))
    return retired


def _cleaned(ports: CampaignPorts, html: str) -> str:
    return ports.markup.clean(html).strip() if len(html) <= LONGEST_HTML else ""


async def _of_file(work: CampaignWork, campaign: Campaign, blank: Creative, id_: AssetId) -> Creative | AssetNotReady:
    """The same of a file of the brand that was sent for this; what it is made of the file tells."""
    asset = (await work.assets.ready([id_], [campaign.owner], Purpose.CREATIVE)).get(id_)
    if asset is None:
        return AssetNotReady()
    kind = CreativeKind.IMAGE if asset.declared.media_type in IMAGES else CreativeKind.VIDEO
    return replace(blank, kind=kind, asset=id_)


async def _cannot_add(work: CampaignWork, campaign: Campaign, replaces: CreativeId | None) -> Refusal | None:
    if campaign.ended_at is not None:
        return not_ready(campaign)
    before = await work.creatives.of(replaces) if replaces else None
    if replaces is not None and (before is None or before.campaign != campaign.id):
        return UnknownCreative()
    return TooManyCreatives() if await work.creatives.in_use(campaign.id) >= MOST_CREATIVES else None


async def _with_campaign(work: CampaignWork, id_: CreativeId) -> tuple[Creative, Campaign] | None:
    """A creative with its campaign, which is locked: whoever changes creatives of one has locked it."""
    known = await work.creatives.of(id_)
    campaign = await work.campaigns.lock(known.campaign) if known else None
    creative = await work.creatives.of(id_)
    return None if creative is None or campaign is None else (creative, campaign)


async def _tell(work: CampaignWork, campaign: Campaign, event: CreativeEvent) -> None:
    """Whoever follows the campaign hears of it."""
    await work.campaigns.save(replace(campaign, seq=campaign.seq + 1))
    await work.emit(event)


def _not_ready(creative: Creative) -> CreativeNotReady:
    return CreativeNotReady(f"That cannot be done with a creative that is {creative.state}.", creative.state)
