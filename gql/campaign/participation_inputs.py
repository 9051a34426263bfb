"""What the mutations of participations take."""

import strawberry

from gql.campaign.inputs import TermsInput

_PARTICIPATION = "The global id of the participation."
_NUMBER = "The number of the offer that you answer: of another nothing is said."


@strawberry.input(description="Which campaign to take part in, and on what terms.")
class ApplyToCampaignInput:
    """Which campaign to take part in."""

    campaign_id: strawberry.ID = strawberry.field(description="The global id of the campaign.")
    terms: TermsInput | None = strawberry.field(
        default=None, description="The terms that you offer; the campaign's own where they are left out."
    )


@strawberry.input(description="Whom to ask to take part, and on what terms.")
class InviteStreamerInput:
    """Whom to ask to take part."""

    campaign_id: strawberry.ID = strawberry.field(description="The global id of the campaign.")
    streamer_id: strawberry.ID = strawberry.field(description="The global id of the streamer.")
    terms: TermsInput | None = strawberry.field(
        default=None, description="The terms that you offer; the campaign's own where they are left out."
    )


@strawberry.input(description="Other terms than those of an open offer.")
class CounterOfferInput:
    """Other terms."""

    participation_id: strawberry.ID = strawberry.field(description=_PARTICIPATION)
    number: int = strawberry.field(description=_NUMBER)
    terms: TermsInput = strawberry.field(description="The terms that you offer.")


@strawberry.input(description="Which offer to agree to.")
class AcceptOfferInput:
    """Which offer to agree to."""

    participation_id: strawberry.ID = strawberry.field(description=_PARTICIPATION)
    number: int = strawberry.field(description=_NUMBER)


@strawberry.input(description="Which participation.")
class _Named:
    """Which participation."""

    participation_id: strawberry.ID = strawberry.field(description=_PARTICIPATION)


@strawberry.input(description="Which participation to turn down.")
class RejectParticipationInput(_Named):
    """Which participation to turn down."""


@strawberry.input(description="Which participation to leave.")
class WithdrawParticipationInput(_Named):
    """Which participation to leave."""


@strawberry.input(description="Which participation to end.")
class CompleteParticipationInput(_Named):
    """Which participation to end."""


@strawberry.input(description="Which participation goes live.")
class GoLiveInput(_Named):
    """Which participation goes live."""

    disclosed: bool = strawberry.field(description="Whether your viewers are told of the advertisement.")
