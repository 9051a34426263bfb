"""What the mutations of campaigns take."""

from datetime import date

import strawberry

from domain.brand.model import LONGEST_KEY
from domain.campaign import model, spending, targeting
from domain.campaign.targeting import MOST_WANTED
from domain.ids import AssetId
from gql.asset.types import asset_id
from gql.brand.inputs import Keyed
from gql.campaign.enums import Pacing, Pricing
from gql.errors import BadInputError
from gql.money import MoneyInput
from gql.streamer.enums import Category, Platform, Rating

_CAMPAIGN = "The global id of the campaign."
_CREATIVE = "The global id of the creative."
_LONGEST = 4_000
"""Characters of any text, before anybody looks at what it says."""


def _text(name: str, text: str) -> str:
    if len(text) > _LONGEST:
        raise BadInputError(f"`{name}` has more than {_LONGEST} characters.")
    return text.strip()


@strawberry.input(description="So many minutes at a rate.")
class TermsInput:
    """So many minutes at a rate."""

    pricing: Pricing = strawberry.field(description="What a minute costs by.")
    rate: MoneyInput = strawberry.field(description="The rate.")
    minutes: int = strawberry.field(description="How many minutes are to be shown: 1 to 100000.")

    def parsed(self) -> model.Terms:
        """The terms as the domain knows them. Raises `BadInputError`."""
        return model.Terms(self.pricing, self.rate.parsed(), self.minutes)


@strawberry.input(description="From one day until another, both whole.")
class ScheduleInput:
    """From one day until another."""

    starts_on: date = strawberry.field(description="The first day.")
    ends_on: date = strawberry.field(description="The last day, at most a year later.")
    time_zone: str = strawberry.field(description="Whose days they are, by its name in the tz database: Asia/Jakarta.")


@strawberry.input(description="Whom a campaign is for. What lists nothing asks for nothing.")
class TargetingInput:
    """Whom a campaign is for."""

    platforms: list[Platform] = strawberry.field(
        default_factory=list, description=f"An account proved on one of these; at most {MOST_WANTED}."
    )
    countries: list[str] = strawberry.field(
        default_factory=list, description=f"A streamer from one of these (ISO 3166-1: ID); at most {MOST_WANTED}."
    )
    languages: list[str] = strawberry.field(
        default_factory=list, description=f"A stream in one of these (ISO 639-1: id); at most {MOST_WANTED}."
    )
    categories: list[Category] = strawberry.field(
        default_factory=list, description=f"A stream about one of these; at most {MOST_WANTED}."
    )
    highest_rating: Rating = strawberry.field(default=Rating.MATURE, description="Nothing rougher than that.")
    least_viewers: int = strawberry.field(default=0, description="So many viewers on average; 0 asks for nothing.")
    avoided: list[Category] = strawberry.field(
        default_factory=list, description="What the brand will not be seen beside: nothing that is wanted, too."
    )

    def parsed(self) -> targeting.Targeting:
        """The same as the domain knows it."""
        return targeting.Targeting(
            tuple(self.platforms), tuple(self.countries), tuple(self.languages), tuple(self.categories),
            self.highest_rating, self.least_viewers, tuple(self.avoided),
        )  # fmt: skip


@strawberry.input(description="All that a campaign is to be.")
class PlanInput:
    """All that a campaign is to be."""

    title: str = strawberry.field(description="What it is called: 1 to 100 characters.")
    description: str = strawberry.field(default="", description="What it is about, in at most 2000 characters.")
    link: str = strawberry.field(description="Where viewers are to go, beginning with https:// or http://.")
    budget: MoneyInput = strawberry.field(description="What it may cost altogether; in its currency is all the rest.")
    terms: TermsInput = strawberry.field(description="What is offered to everybody.")
    schedule: ScheduleInput = strawberry.field(description="When it runs.")
    daily_cap: MoneyInput | None = strawberry.field(default=None, description="What may be spent in one day.")
    streamer_cap: MoneyInput | None = strawberry.field(
        default=None, description="What may be spent in one participation."
    )
    pacing: Pacing = strawberry.field(default=Pacing.EVEN, description="How the budget is spread over the time.")
    targeting: TargetingInput | None = strawberry.field(
        default=None, description="Whom it is for; everybody where it is left out."
    )

    def parsed(self) -> model.Plan:
        """The plan as the domain knows it. Raises `BadInputError`."""
        texts = [_text(name, getattr(self, name)) for name in ("title", "description", "link")]
        daily, streamer = (None if cap is None else cap.parsed() for cap in (self.daily_cap, self.streamer_cap))
        schedule = self.schedule
        return model.Plan(
            model.Brief(*texts),
            self.terms.parsed(),
            self.budget.parsed(),
            spending.Schedule(schedule.starts_on, schedule.ends_on, _text("timeZone", schedule.time_zone)),
            model.Caps(daily, streamer),
            self.pacing,
            self.targeting.parsed() if self.targeting else targeting.EVERYBODY,
        )


@strawberry.input(description="A campaign that is new.")
class CreateCampaignInput(Keyed):
    """A campaign that is new."""

    brand_id: strawberry.ID = strawberry.field(description="The global id of the brand.")
    plan: PlanInput = strawberry.field(description="All that it is to be.")
    idempotency_key: str = strawberry.field(
        description="A text of your making, new for every campaign of the brand: sending the same one again makes no"
        f" second campaign but answers the first. 1 to {LONGEST_KEY} characters."
    )


@strawberry.input(description="What a campaign is to be from now on; given as a whole.")
class EditCampaignInput:
    """What a campaign is to be from now on."""

    campaign_id: strawberry.ID = strawberry.field(description=_CAMPAIGN)
    plan: PlanInput = strawberry.field(description="All that it is to be.")


_WHY_STOPPED = "Why, in at most 500 characters. The brand's members read it; it stands in the audit log."


@strawberry.input(description="Which campaign.")
class _Named:
    """Which campaign."""

    campaign_id: strawberry.ID = strawberry.field(description=_CAMPAIGN)


@strawberry.input(description="Which campaign to hand in.")
class SubmitCampaignInput(_Named):
    """Which campaign to hand in."""


@strawberry.input(description="Which campaign to launch.")
class LaunchCampaignInput(_Named):
    """Which campaign to launch."""


@strawberry.input(description="Which campaign is to stand still.")
class PauseCampaignInput(_Named):
    """Which campaign is to stand still."""


@strawberry.input(description="Which campaign is to go on.")
class ResumeCampaignInput(_Named):
    """Which campaign is to go on."""


@strawberry.input(description="Which campaign to end.")
class CompleteCampaignInput(_Named):
    """Which campaign to end."""


@strawberry.input(description="Which campaign to give up.")
class CancelCampaignInput(_Named):
    """Which campaign to give up."""


@strawberry.input(description="What is found of a campaign.")
class DecideCampaignInput:
    """What is found of a campaign."""

    campaign_id: strawberry.ID = strawberry.field(description=_CAMPAIGN)
    version: int = strawberry.field(description="The version that you looked at: of another nothing is decided.")
    approve: bool = strawberry.field(description="Whether it may run.")
    reason: str = strawberry.field(
        description="Why, in at most 500 characters. Where it is rejected the brand's members read it; it stands in the"
        " audit log."
    )


@strawberry.input(description="Which campaign to stop.")
class SuspendCampaignInput(_Named):
    """Which campaign to stop."""

    reason: str = strawberry.field(description=_WHY_STOPPED)


@strawberry.input(description="Which campaign may go on.")
class ReinstateCampaignInput(_Named):
    """Which campaign may go on."""

    reason: str = strawberry.field(description="Why, in at most 500 characters; it stands in the audit log.")


@strawberry.input(description="Something to show.")
class AddCreativeInput(Keyed):
    """Something to show."""

    campaign_id: strawberry.ID = strawberry.field(description=_CAMPAIGN)
    html: str | None = strawberry.field(
        default=None,
        description="A text of at most 5000 characters. Of its mark-up paragraphs, headings, lists and emphasis stay;"
        " attributes, images, links, scripts and styles are taken out.",
    )
    asset_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="In place of a text the global id of an image or a video: a file of the brand that is ready, sent"
        " for the purpose `CREATIVE`. Videos are shown without sound, for a minute at most.",
    )
    replaces_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of the creative whose place it takes once it is approved."
    )
    idempotency_key: str = strawberry.field(
        description="A text of your making, new for every creative of the campaign: sending the same one again answers"
        f" the first. 1 to {LONGEST_KEY} characters."
    )

    @property
    def content(self) -> str | AssetId:
        """The text, or the file. Raises `BadInputError`."""
        if self.html is not None and self.asset_id is None:
            return self.html
        if self.html is None and self.asset_id is not None:
            return asset_id(self.asset_id)
        raise BadInputError("Give either `html` or `assetId`.")


@strawberry.input(description="Which creative to show no more.")
class RetireCreativeInput:
    """Which creative to show no more."""

    creative_id: strawberry.ID = strawberry.field(description=_CREATIVE)


@strawberry.input(description="What is found of a creative.")
class DecideCreativeInput:
    """What is found of a creative."""

    creative_id: strawberry.ID = strawberry.field(description=_CREATIVE)
    approve: bool = strawberry.field(description="Whether it may be shown.")
    reason: str = strawberry.field(
        description="Why, in at most 500 characters. Where it is rejected the brand's members read it; it stands in the"
        " audit log."
    )
