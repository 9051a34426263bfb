"""What follows each event: the one table of consequences, where contexts meet without calling each other."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.asset import events as asset
from domain.brand import events as brand
from domain.campaign import events as campaign
from domain.earning import events as earning
from domain.events import Event
from domain.message import events as message
from domain.overlay import events as overlay
from domain.streamer import events as streamer
from domain.wallet import events as wallet

Reaction = Callable[[Any, Any], Awaitable[None]]
"""`async def award_commission(ports, event) -> None`, with the narrow ports and the one event that it declares.

It runs at least once and never inside a unit of work; the event's id is its idempotency key. Raising means: again
later. Its name is written down, and renaming it orphans the runs that are still waiting.
"""

REACTIONS: dict[type[Event], tuple[Reaction, ...]] = {
    wallet.TopUpStarted: (),
    wallet.TopUpOpened: (),
    wallet.TopUpChallenged: (),
    wallet.TopUpSettled: (),
    wallet.TopUpTakenBack: (),
    wallet.TopUpEnded: (),
    wallet.TopUpNeedsReview: (),
    wallet.ReceivableOpened: (),
    streamer.StreamerJoined: (),
    streamer.PlatformLinkConfirmed: (),
    streamer.PlatformUnlinked: (),
    streamer.LiveChanged: (),
    asset.AssetReady: (),
    asset.AssetRefused: (),
    overlay.OverlayAdded: (),
    overlay.OverlayChanged: (),
    overlay.OverlayTokenRotated: (),
    overlay.OverlayRevoked: (),
    overlay.OverlayAlertRaised: (),
    overlay.OverlaysSwitchedOff: (),
    overlay.OverlaysSwitchedOn: (),
    brand.BrandCreated: (),
    brand.BrandChanged: (),
    brand.BrandTeamChanged: (),
    brand.BrandDecided: (),
    campaign.CampaignCreated: (),
    campaign.CampaignEdited: (),
    campaign.CampaignSubmitted: (),
    campaign.CampaignDecided: (),
    campaign.CampaignLaunched: (),
    campaign.CampaignPaused: (),
    campaign.CampaignResumed: (),
    campaign.CampaignRested: (),
    campaign.CampaignWoken: (),
    campaign.CampaignEnded: (),
    campaign.ParticipationBegun: (),
    campaign.OfferCountered: (),
    campaign.OfferAccepted: (),
    campaign.ParticipationWentLive: (),
    campaign.ParticipationEnded: (),
    campaign.ScreensChanged: (),
    campaign.CreativeAdded: (),
    campaign.CreativeDecided: (),
    campaign.CreativeRetired: (),
    earning.EarningsChanged: (),
    message.MessagesChanged: (),
}
"""Complete: an event that is not listed cannot be written. One that nothing follows is listed with `()`."""


def reaction_names(kind: type[Event]) -> list[str]:
    """The names of what follows an event. Raises LookupError for an event that is not in the table."""
    if kind not in REACTIONS:
        raise LookupError(f"{kind.__name__} is not in domain.reactions.REACTIONS: say what follows it, if only ()")
    return [reaction.__name__ for reaction in REACTIONS[kind]]


def known_reactions() -> Mapping[tuple[str, str], tuple[type[Event], Reaction]]:
    """Every reaction by the names of its event and of itself."""
    return {
        (kind.__name__, reaction.__name__): (kind, reaction)
        for kind, reactions in REACTIONS.items()
        for reaction in reactions
    }
