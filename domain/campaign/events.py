"""What happens to campaigns. Thin: ids only; whoever listens loads the rest with its own rights."""

from dataclasses import dataclass

from domain.campaign.creatives import CreativeId
from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.events import Event
from domain.streamer.model import StreamerId


@dataclass(frozen=True, slots=True)
class CampaignEvent(Event):
    """Root of a campaign's events; they are told in order on the campaign's own topic."""

    campaign: CampaignId

    @property
    def topic(self) -> str:
        """`campaign:<id>`."""
        return campaign_topic(self.campaign)


def campaign_topic(campaign: CampaignId) -> str:
    """The topic of a campaign's events."""
    return f"campaign:{campaign}"


class CampaignCreated(CampaignEvent):
    """A brand has begun to plan it."""


class CampaignEdited(CampaignEvent):
    """It has another plan."""


class CampaignSubmitted(CampaignEvent):
    """Its brand has handed it in."""


class CampaignDecided(CampaignEvent):
    """Staff has approved or rejected it."""


class CampaignLaunched(CampaignEvent):
    """Its budget lies in escrow, and it runs."""


class CampaignPaused(CampaignEvent):
    """It stands still from now on."""


class CampaignResumed(CampaignEvent):
    """It goes on."""


class CampaignRested(CampaignEvent):
    """It, or a participation in it, has spent what it may by now: it is not shown until it has woken."""


class CampaignWoken(CampaignEvent):
    """What rested of it is shown again."""


class CampaignEnded(CampaignEvent):
    """It is completed or cancelled: nothing of it is shown or counted any more."""


@dataclass(frozen=True, slots=True)
class CreativeEvent(CampaignEvent):
    """Root of what happens to what a campaign shows; told on the campaign's topic."""

    creative: CreativeId


class CreativeAdded(CreativeEvent):
    """Its brand has something more to show, which waits for a moderator."""


class CreativeDecided(CreativeEvent):
    """A moderator has approved or rejected it."""


class CreativeRetired(CreativeEvent):
    """Its brand shows it no more."""


@dataclass(frozen=True, slots=True)
class ParticipationEvent(Event):
    """Root of a participation's events; they are told in order on the participation's own topic."""

    participation: ParticipationId

    @property
    def topic(self) -> str:
        """`participation:<id>`."""
        return participation_topic(self.participation)


def participation_topic(participation: ParticipationId) -> str:
    """The topic of a participation's events."""
    return f"participation:{participation}"


class ParticipationBegun(ParticipationEvent):
    """A streamer has applied, or was invited; an offer is open."""


class OfferCountered(ParticipationEvent):
    """One side has offered other terms."""


class OfferAccepted(ParticipationEvent):
    """Both agree."""


class ParticipationWentLive(ParticipationEvent):
    """Minutes count from now on."""


class ParticipationEnded(ParticipationEvent):
    """It is completed, rejected or withdrawn: no minute counts any more."""


@dataclass(frozen=True, slots=True)
class ScreensChanged(Event):
    """A streamer's overlays show other campaigns than before: a participation went live, or one that was has ended."""

    streamer: StreamerId

    @property
    def topic(self) -> str:
        """`screens:<streamer>`."""
        return screens_topic(self.streamer)


def screens_topic(streamer: StreamerId) -> str:
    """The topic of what a streamer's overlays show."""
    return f"screens:{streamer}"
