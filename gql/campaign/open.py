"""Campaigns as streamers see them: what they offer, and what each of their rules finds."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

import strawberry

from domain.brand import model as brands_model
from domain.campaign import model, targeting
from domain.campaign.model import CampaignId, CampaignState
from domain.campaign.ports import OpenPage
from domain.campaign.targeting import MOST_WANTED, Facts, eligibility
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.brand.types import uuid_from
from gql.campaign.enums import Rule, Verdict
from gql.campaign.lookups import brands
from gql.campaign.plans import CampaignSchedule, CampaignTerms
from gql.context import Context, Info
from gql.node import global_id, key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.weights import at_most

_OPEN = "open-campaigns"


@strawberry.type(description="What one rule of a campaign finds of you.")
class CampaignFinding:
    """What one rule finds."""

    rule: Rule = field(Right.PARENT, "The rule.")
    verdict: Verdict = field(Right.PARENT, "What it finds.")
    wanted: list[str] = field(
        Right.PARENT, "What the campaign asks for, or avoids; empty: nothing.", list_size=at_most(MOST_WANTED)
    )
    found: list[str] = field(Right.PARENT, "What is known of you; empty: nothing.", list_size=at_most(MOST_WANTED))
    why: str = field(Right.PARENT, "The same in words.")

    @classmethod
    def of(cls, found: targeting.Finding) -> Self:
        """Show what a rule finds."""
        return cls(
            rule=found.rule, verdict=found.verdict, wanted=list(found.wanted), found=list(found.found), why=found.why
        )


@strawberry.type(description="What all rules of a campaign find of you.")
class CampaignEligibility:
    """What all rules find."""

    verdict: Verdict = field(Right.PARENT, "The worst that any rule finds: `NOT_MET` keeps you out.")
    findings: list[CampaignFinding] = field(
        Right.PARENT, "What each rule finds.", list_size=at_most(len(targeting.Rule))
    )


@strawberry.type(description="A campaign that runs, as streamers see it.")
class OpenCampaign:
    """A campaign, as streamers see it: what it offers, and nothing of what it may cost altogether."""

    kind: ClassVar[str] = "Campaign"
    campaign: strawberry.Private[model.Campaign]
    facts: strawberry.Private[Facts]

    @field(Right.PARENT, "The campaign's global id.")
    def id(self) -> strawberry.ID:
        """The campaign's global id."""
        return global_id(self.kind, self.campaign.id)

    @batched(Right.PARENT, "What the brand is called.", load=brands)
    def brand_name(self) -> Asked[str | None]:
        """What the brand is called."""

        def shown(found: brands_model.Brand | None) -> str | None:
            return None if found is None else found.profile.company.name

        return Asked(self.campaign.brand, shown)

    @field(Right.PARENT, "What it is called.")
    def title(self) -> str:
        """What it is called."""
        return self.campaign.plan.brief.title

    @field(Right.PARENT, "What it is about.")
    def description(self) -> str:
        """What it is about."""
        return self.campaign.plan.brief.description

    @field(Right.PARENT, "Where viewers are to go.")
    def link(self) -> str:
        """Where viewers are to go."""
        return self.campaign.plan.brief.link

    @field(Right.PARENT, "What is offered to everybody.")
    def terms(self) -> CampaignTerms:
        """What is offered to everybody."""
        return CampaignTerms.of(self.campaign.plan.terms)

    @field(Right.PARENT, "When it runs.")
    def schedule(self) -> CampaignSchedule:
        """When it runs."""
        return CampaignSchedule.of(self.campaign.plan.schedule)

    @field(Right.PARENT, "Since when it runs.")
    def launched_at(self) -> datetime | None:
        """Since when it runs."""
        return self.campaign.launched_at

    @field(Right.PARENT, "Whether it is for you, rule by rule.")
    def eligibility(self) -> CampaignEligibility:
        """Whether it is for the caller."""
        found = eligibility(self.campaign.plan.targeting, self.facts)
        return CampaignEligibility(
            verdict=found.verdict, findings=[CampaignFinding.of(finding) for finding in found.findings]
        )


@strawberry.type
class OpenCampaignQuery:
    """What streamers look up about campaigns."""

    @field(
        Right.SIGNED_IN,
        "Campaigns that run and are open to you as a streamer, last launched first; null unless you are one. Where"
        " nobody knows whether you meet a rule, the campaign is among them.",
        list_size=PAGE,
    )
    async def open_campaigns(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[OpenCampaign] | None:
        """A page of campaigns that are open to the caller."""
        context, size = info.context, page_size(first)
        place = None if after is None else CampaignId(uuid_from(place_of(_OPEN, after)))
        facts = await facts_of(context)
        if facts is None:
            return None
        page = OpenPage(facts, context.ports.clock(), size + 1, place)
        found = await context.ports.campaign.reads.open_to(page)

        def edge(each: model.Campaign) -> tuple[Cursor, OpenCampaign]:
            return cursor_of(_OPEN, each.id), OpenCampaign(campaign=each, facts=facts)

        return Connection.of(found, size, after, edge)

    @field(
        Right.SIGNED_IN,
        "A campaign that runs, for a streamer, also where a rule keeps you out: it says which. Null where there is no"
        " such, or it does not run, or you are no streamer.",
    )
    async def open_campaign(
        self,
        info: Info,
        id_: Annotated[strawberry.ID, strawberry.argument(description="The campaign's id.", name="id")],
    ) -> OpenCampaign | None:
        """A campaign that runs."""
        context, key = info.context, CampaignId(uuid_from(key_of(OpenCampaign.kind, id_)))
        facts = await facts_of(context)
        found = await context.loaders.campaign_by_id.load(key) if facts else None
        if facts is None or found is None or found.state is not CampaignState.ACTIVE:
            return None
        return OpenCampaign(campaign=found, facts=facts)


async def facts_of(context: Context) -> Facts | None:
    """What is known of the caller as a streamer; None where they are none."""
    reads, people = context.ports.campaign.reads, context.caller.people
    found = await context.loaders.once("candidate", lambda: reads.candidate(people))
    return None if found is None else found.facts
