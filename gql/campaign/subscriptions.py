"""A campaign as it changes: whoever follows it knows at once that it stands still."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from domain.campaign import model
from domain.campaign.events import campaign_topic, participation_topic
from domain.campaign.participation import ParticipationId
from gql.access import Right, field
from gql.campaign.participations import Participation, fetch_participation, participation_id
from gql.campaign.queries import fetch_campaign
from gql.campaign.types import Campaign, campaign_id
from gql.context import Context, Info
from gql.errors import BadInputError, ForbiddenError
from gql.paging import cursor_of, number_of
from gql.scalars import Cursor


@strawberry.type(description="A campaign as it is now.")
class CampaignChange:
    """A message of the stream."""

    found: strawberry.Private[model.Campaign]

    @property
    def owner(self) -> str:
        """Whose it is: the brand's members'."""
        return self.found.owner

    @field(Right.OWNER, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_scope(self.found.id), self.found.seq)

    @field(Right.OWNER, "The campaign.")
    def campaign(self) -> Campaign:
        """The campaign."""
        return Campaign(found=self.found)


@strawberry.type
class CampaignSubscription:
    """The streams of campaigns."""

    @field(
        Right.OWNER,
        "A campaign of a brand that you act for, and again whenever something about it has changed. Every message shows"
        " it as it is by then; what follows quickly upon one another may be one message. Begin again `after` a cursor,"
        " and the first message comes once it is another.",
        is_subscription=True,
    )
    async def campaign_changed(
        self,
        info: Info,
        campaign_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The campaign's id.", name="campaignId")
        ],
        after: Annotated[Cursor | None, strawberry.argument(description="Go on after this cursor.")] = None,
    ) -> AsyncGenerator[CampaignChange, None]:
        """The stream of a campaign."""
        async with aclosing(_changes(info.context, str(campaign_id(campaign_id_)), after)) as changes:
            async for change in changes:
                yield change


@strawberry.type(description="A participation as it is now.")
class ParticipationChange:
    """A message of the stream."""

    shown: strawberry.Private[Participation]

    @property
    def owner(self) -> str:
        """Whose it is: of the two sides, whoever follows."""
        return self.shown.owner

    @field(Right.OWNER, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_place_of(self.shown.found.id), self.shown.found.seq)

    @field(Right.OWNER, "The participation.")
    def participation(self) -> Participation:
        """The participation."""
        return self.shown


@strawberry.type
class ParticipationSubscription:
    """The streams of participations."""

    @field(
        Right.OWNER,
        "A participation of yours, on either side, and again whenever something about it has changed. Every message"
        " shows it as it is by then. Begin again `after` a cursor, and the first message comes once it is another.",
        is_subscription=True,
    )
    async def participation_changed(
        self,
        info: Info,
        participation_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The participation's id.", name="participationId")
        ],
        after: Annotated[Cursor | None, strawberry.argument(description="Go on after this cursor.")] = None,
    ) -> AsyncGenerator[ParticipationChange, None]:
        """The stream of a participation."""
        key = participation_id(participation_id_)
        async with aclosing(_steps(info.context, key, after)) as steps:
            async for step in steps:
                yield step


async def _steps(
    context: Context, id_: ParticipationId, after: Cursor | None
) -> AsyncGenerator[ParticipationChange, None]:
    """As for a campaign: listen, then look, then follow."""
    shown = await fetch_participation(context, str(id_))
    if shown is None:
        raise ForbiddenError("There is no such participation, or it is not yours.")
    told = 0 if after is None else number_of(_place_of(id_), after)
    if told > shown.found.seq:
        raise BadInputError(f"The cursor {after!r} is ahead of the participation.")
    async with aclosing(context.ports.feed.listen(participation_topic(id_))) as hints:
        async for _ in hints:
            context.renew()
            shown = await fetch_participation(context, str(id_))
            if shown is None:
                return
            if shown.found.seq > told:
                told = shown.found.seq
                yield ParticipationChange(shown=shown)


def _place_of(id_: object) -> str:
    return f"participation:{id_}"


async def _changes(context: Context, key: str, after: Cursor | None) -> AsyncGenerator[CampaignChange, None]:
    """Listen, then look, then follow. The feed only says that there is something new; what it is, the row tells."""
    campaign = await fetch_campaign(context, key)
    if campaign is None:
        raise ForbiddenError("There is no such campaign, or it is not yours.")
    told = 0 if after is None else number_of(_scope(campaign.key), after)
    if told > campaign.found.seq:
        raise BadInputError(f"The cursor {after!r} is ahead of the campaign.")
    async with aclosing(context.ports.feed.listen(campaign_topic(campaign.key))) as hints:
        async for _ in hints:
            context.renew()
            campaign = await fetch_campaign(context, key)
            if campaign is None:
                return
            if campaign.found.seq > told:
                told = campaign.found.seq
                yield CampaignChange(found=campaign.found)


def _scope(id_: object) -> str:
    return f"campaign:{id_}"
