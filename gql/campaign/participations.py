"""Participations, as the streamer and the brand's members see them, each only their own."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

import strawberry

from domain.campaign import model, participation
from domain.campaign.participation import ParticipationId
from domain.campaign.ports import ParticipationPage
from domain.earning import model as earning_model
from domain.earning.ports import MinutePage
from domain.ids import PersonId
from domain.message import model as message_model
from domain.message.ports import MessagePage, Unread
from domain.streamer import model as streamer_model
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.brand.types import uuid_from
from gql.campaign.analytics import FirstDay, LastDay, ParticipationAnalytics, in_participation
from gql.campaign.enums import OfferState, ParticipationState, Side
from gql.campaign.lookups import campaigns, messages, minutes, offers, rests, unread
from gql.campaign.messages import Message
from gql.campaign.minutes import EarnedMinute, moment_from
from gql.campaign.outline import CampaignOutline
from gql.campaign.plans import CampaignRest, CampaignTerms
from gql.campaign.types import campaign_id
from gql.context import Context, Info
from gql.node import Node, key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, number_of, page_size, place_of
from gql.scalars import Cursor
from gql.streamer.lookups import streamers
from gql.streamer.types import Streamer
from gql.weights import at_most

MOST_OFFERS = 20


def participation_id(id_: str) -> ParticipationId:
    """A participation by its global id. Raises `BadInputError`."""
    return ParticipationId(uuid_from(key_of(Participation.kind, id_)))


@strawberry.type(description="What both sides of a participation know of its campaign.")
class ParticipationCampaign(CampaignOutline):
    """A campaign, as both sides know it."""


@strawberry.type(description="Terms that one side offers the other.")
class ParticipationOffer:
    """An offer."""

    number: int = field(Right.PARENT, "Counts the offers from 1: an answer names the one that it is about.")
    side: Side = field(Right.PARENT, "Who makes it; the other side answers.")
    terms: CampaignTerms = field(Right.PARENT, "The terms.")
    campaign_version: int = field(Right.PARENT, "The version of the campaign that it is made under.")
    state: OfferState = field(Right.PARENT, "What became of it.")
    made_at: datetime = field(Right.PARENT, "When it was made.")
    expires_at: datetime = field(Right.PARENT, "Until when it may be answered.")

    @classmethod
    def of(cls, found: participation.Offer) -> Self:
        """Show an offer."""
        return cls(
            number=found.number, side=found.side, terms=CampaignTerms.of(found.terms), state=found.state,
            campaign_version=found.campaign_version, made_at=found.made_at, expires_at=found.expires_at,
        )  # fmt: skip


@strawberry.type(description="What both sides agreed on. Nothing changes it, whatever the campaign says later.")
class ParticipationAgreement:
    """What both sides agreed on."""

    terms: CampaignTerms = field(Right.PARENT, "The terms.")
    campaign_version: int = field(Right.PARENT, "The version of the campaign that they were offered under.")
    agreed_at: datetime = field(Right.PARENT, "When they agreed.")

    @classmethod
    def of(cls, found: participation.Agreement) -> Self:
        """Show an agreement."""
        return cls(
            terms=CampaignTerms.of(found.terms), campaign_version=found.campaign_version, agreed_at=found.agreed_at
        )


@strawberry.type(description="A streamer in a campaign, as the two sides see it and nobody else does.")
class Participation(Node):
    """A participation."""

    kind: ClassVar[str] = "Participation"
    found: strawberry.Private[participation.Participation]
    side: strawberry.Private[participation.Side]
    readers: strawberry.Private[tuple[PersonId, ...]]
    """Who looks, under every id; empty for who looks through somebody's eyes: messages are not for them."""

    @property
    def key(self) -> ParticipationId:
        """The participation's id."""
        return self.found.id

    @property
    def owner(self) -> str:
        """Whose it is: of the two, whoever looks."""
        found = self.found
        return f"person:{found.person}" if self.side is participation.Side.STREAMER else f"brand:{found.brand}"

    @field(Right.OWNER, "Where it stands.")
    def state(self) -> ParticipationState:
        """Where it stands."""
        return self.found.state

    @field(Right.OWNER, "On which side you are.")
    def your_side(self) -> Side:
        """On which side the caller is."""
        return self.side

    @field(Right.OWNER, "Who began it: the streamer applied, or the brand invited them.")
    def begun_by(self) -> Side:
        """Who began it."""
        return self.found.begun_by

    @batched(Right.OWNER, "The campaign, as both sides know it.", load=campaigns)
    def campaign(self) -> Asked[ParticipationCampaign | None]:
        """The campaign."""

        def shown(found: model.Campaign | None) -> ParticipationCampaign | None:
            return None if found is None else ParticipationCampaign(found=found)

        return Asked(self.found.campaign, shown)

    @batched(Right.OWNER, "The streamer; null once they are gone, or may not sign in.", load=streamers)
    def streamer(self) -> Asked[Streamer | None]:
        """The streamer."""

        def shown(found: streamer_model.Streamer | None) -> Streamer | None:
            return Streamer(found=found) if found is not None and found.is_active else None

        return Asked(self.found.streamer, shown)

    @batched(Right.OWNER, "What was offered, newest first.", load=offers, list_size=at_most(MOST_OFFERS))
    def offers(self) -> Asked[list[ParticipationOffer]]:
        """What was offered."""
        return Asked(self.found.id, lambda found: [ParticipationOffer.of(offer) for offer in found or ()])

    @field(Right.OWNER, "What was agreed on; null before that.")
    def agreement(self) -> ParticipationAgreement | None:
        """What was agreed on."""
        agreed = self.found.agreement
        return None if agreed is None else ParticipationAgreement.of(agreed)

    @batched(
        Right.OWNER,
        "Its minutes, newest first: what was seen in each, and what it came to. Both sides see the same.",
        load=minutes,
        list_size=PAGE,
    )
    def minutes(self, first: First = USUAL_PAGE, after: After = None) -> Asked[Connection[EarnedMinute]]:
        """A page of its minutes."""
        size, scope = page_size(first), f"minutes:{self.key}"
        place = None if after is None else moment_from(place_of(scope, after))

        def edge(found: earning_model.EarnedMinute) -> tuple[Cursor, EarnedMinute]:
            return cursor_of(scope, found.minute.isoformat()), EarnedMinute.of(found)

        return Asked(MinutePage(self.key, size + 1, place), lambda found: Connection.of(found, size, after, edge))

    @batched(
        Right.OWNER,
        "What both sides wrote to each other, newest first. To nobody else is there any, nor to who looks through your"
        " eyes; staff reads `participationMessages`, and is written down for it.",
        load=messages,
        list_size=PAGE,
    )
    def messages(self, first: First = USUAL_PAGE, after: After = None) -> Asked[Connection[Message]]:
        """A page of its messages."""
        size, scope = page_size(first), f"messages-of:{self.key}"
        place = None if after is None else number_of(scope, after)

        def edge(found: message_model.ReadMessage) -> tuple[Cursor, Message]:
            return cursor_of(scope, found.message.number), Message.of(found, self.readers)

        page = MessagePage(self.key, size + 1 if self.readers else 0, place)
        return Asked(page, lambda found: Connection.of(found, size, after, edge))

    @batched(Right.OWNER, "How many messages of the other side you have not read (`markMessagesRead`).", load=unread)
    def unread_messages(self) -> Asked[int]:
        """How many messages of the other side the caller has not read."""
        asked = Unread(self.key, self.side, self.readers)
        return Asked(asked, lambda found: (found or 0) if self.readers else 0)

    @batched(Right.OWNER, "What it brought within days of the campaign's time zone.", load=campaigns)
    def analytics(self, first_day: FirstDay = None, last_day: LastDay = None) -> Asked[ParticipationAnalytics | None]:
        """What it brought within some days."""
        return Asked(self.found.campaign, lambda found: in_participation(found, self.key, first_day, last_day))

    @field(Right.OWNER, "When it began.")
    def created_at(self) -> datetime:
        """When it began."""
        return self.found.created_at

    @field(Right.OWNER, "When the streamer confirmed that viewers are told of the advertisement.")
    def disclosed_at(self) -> datetime | None:
        """When the streamer confirmed the disclosure."""
        return self.found.disclosed_at

    @field(Right.OWNER, "Since when minutes count.")
    def live_at(self) -> datetime | None:
        """Since when minutes count."""
        return self.found.live_at

    @batched(
        Right.OWNER,
        "Why nothing of it is shown for a while, though it is live; null while it is shown.",
        load=rests,
    )
    def rest(self) -> Asked[CampaignRest | None]:
        """Why nothing of it is shown for a while."""
        return Asked(self.key, CampaignRest.of)

    @field(Right.OWNER, "When it was completed, rejected or withdrawn.")
    def ended_at(self) -> datetime | None:
        """When it ended."""
        return self.found.ended_at


async def fetch_participation(context: Context, key: str) -> Participation | None:
    """A participation of the caller's, on either side; None if there is no such, or it is others'."""
    found = await context.loaders.participation_by_id.load(ParticipationId(uuid_from(key)))
    if found is None or not (found.person in context.caller.people or found.brand in context.caller.brands):
        return None
    return shown_to(context, found)


def shown_to(context: Context, found: participation.Participation) -> Participation:
    """A participation as the caller sees it, who is on one of its sides."""
    caller = context.caller
    readers = caller.people if caller.impersonator is None else ()
    return Participation(found=found, side=found.side_of(caller.people), readers=readers)


@strawberry.type
class ParticipationQuery:
    """The fields of the root about participations."""

    @field(
        Right.OWNER,
        "The participations in a campaign of a brand that you act for, newest first; null if there is no such campaign,"
        " or you do not.",
        list_size=PAGE,
    )
    async def participations(
        self,
        info: Info,
        campaign_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The campaign's id.", name="campaignId")
        ],
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> Connection[Participation] | None:
        """A page of participations in a campaign."""
        context, id_ = info.context, campaign_id(campaign_id_)
        found = await context.loaders.campaign_by_id.load(id_)
        page = _page(id_, f"participations:{id_}", first, after)
        if found is None or found.brand not in context.caller.brands:
            return None
        return await _shown(context, page, f"participations:{id_}", after)

    @field(Right.SIGNED_IN, "Your own participations as a streamer, newest first.", list_size=PAGE)
    async def my_participations(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[Participation]:
        """A page of the caller's participations."""
        page = _page(info.context.caller.people, "my-participations", first, after)
        return await _shown(info.context, page, "my-participations", after)


def _page(
    of: model.CampaignId | tuple[PersonId, ...], scope: str, first: int, after: Cursor | None
) -> ParticipationPage:
    place = None if after is None else ParticipationId(uuid_from(place_of(scope, after)))
    return ParticipationPage(of, page_size(first) + 1, place)


async def _shown(
    context: Context, page: ParticipationPage, scope: str, after: Cursor | None
) -> Connection[Participation]:
    found = await context.ports.campaign.reads.participations(page)

    def edge(each: participation.Participation) -> tuple[Cursor, Participation]:
        return cursor_of(scope, each.id), shown_to(context, each)

    return Connection.of(found, page.first - 1, after, edge)
