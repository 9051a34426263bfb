"""Campaigns and their plans: what a row is to the domain, and back."""

from typing import Any

from asyncpg import Record

from domain.campaign.creatives import Creative, CreativeId, CreativeKind, CreativeState
from domain.campaign.model import Brief, Campaign, CampaignId, CampaignState, Caps, Plan, Pricing, Suspension, Terms
from domain.campaign.participation import (
    Agreement,
    Offer,
    OfferState,
    Participation,
    ParticipationId,
    ParticipationState,
    Side,
)
from domain.campaign.spending import Pacing, Rest, RestReason, Schedule
from domain.campaign.targeting import Targeting
from domain.ids import AssetId, BrandId, PersonId
from domain.money import Currency, Money
from domain.streamer.model import Category, Platform, Rating, StreamerId

PLAN = """title, description, link, currency, budget, pricing, rate, minutes, daily_cap, streamer_cap, pacing,
    starts_on, ends_on, time_zone, platforms, countries, languages, categories, highest_rating, least_viewers,
    avoided"""
CAMPAIGN = f"""campaign.id, brand, state, campaign.version, seq, reason, created_at, launched_at, ended_at,
    emptied_at, suspended_at, was_paused, campaign.rest, rests_until, {PLAN}"""
FROM = """campaign join campaign_version as plan on plan.campaign = campaign.id and plan.version = campaign.version"""
AWAITED = """exists (
    select from earning join earning_minute using (participation)
    where earning.campaign = {} and (earning_minute.state in ('open', 'review', 'deciding', 'appealed')
        or earning_minute.state = 'unpaid' and reason = 'evidence_rejected' and closed_at > {}::timestamptz))"""
"""Of a campaign a minute waits for its price or for what staff says of it; or may be appealed, rejected since then."""

RESTS = """(campaign.rest is not null or exists (
    select from earning as own where own.participation = {} and own.rest is not null))"""
"""Of a campaign nothing is shown for now, or nothing of it in a participation."""

CREATIVE = """creative.id, creative.campaign, kind, body, asset, creative.created_at, creative.state, replaces,
    creative.reason, decided_at"""


def creative_of(row: Record) -> Creative:
    """A creative from a row that has `CREATIVE`."""
    return Creative(
        CreativeId(row["id"]), CampaignId(row["campaign"]), CreativeKind(row["kind"]), row["body"],
        AssetId(row["asset"]) if row["asset"] else None, row["created_at"], CreativeState(row["state"]),
        CreativeId(row["replaces"]) if row["replaces"] else None, row["reason"], row["decided_at"],
    )  # fmt: skip


PARTICIPATION = """participation.id, participation.campaign, campaign.brand, streamer, person, begun_by,
    participation.state, participation.seq, campaign_version, pricing, rate, currency, minutes, agreed_at,
    disclosed_at, live_at, participation.ended_at, participation.created_at"""


def participation_of(row: Record) -> Participation:
    """A participation from a row that has `PARTICIPATION`."""
    agreed = Agreement(_terms_of(row), row["campaign_version"], row["agreed_at"]) if row["agreed_at"] else None
    return Participation(
        ParticipationId(row["id"]), CampaignId(row["campaign"]), BrandId(row["brand"]),
        StreamerId(row["streamer"]) if row["streamer"] else None, PersonId(row["person"]), Side(row["begun_by"]),
        row["created_at"], ParticipationState(row["state"]), row["seq"], agreed, row["disclosed_at"], row["live_at"],
        row["ended_at"],
    )  # fmt: skip


def offer_of(row: Record) -> Offer:
    """An offer from its row."""
    return Offer(
        ParticipationId(row["participation"]), row["number"], Side(row["side"]), _terms_of(row),
        row["campaign_version"], row["made_at"], row["expires_at"], OfferState(row["state"]),
    )  # fmt: skip


def _terms_of(row: Record) -> Terms:
    return Terms(Pricing(row["pricing"]), Money(row["rate"], Currency(row["currency"])), row["minutes"])


def campaign_of(row: Record) -> Campaign:
    """A campaign from a row that has `CAMPAIGN`."""
    return Campaign(
        CampaignId(row["id"]), BrandId(row["brand"]), plan_of(row), row["created_at"], CampaignState(row["state"]),
        row["version"], row["seq"], row["reason"], row["launched_at"], row["ended_at"], row["emptied_at"],
        Suspension(row["suspended_at"], row["was_paused"]) if row["suspended_at"] else None,
        Rest(RestReason(row["rest"]), row["rests_until"]) if row["rest"] else None,
    )  # fmt: skip


def plan_of(row: Record) -> Plan:
    """A plan from a row that has `PLAN`."""
    currency = Currency(row["currency"])
    daily, streamer = (
        None if row[column] is None else Money(row[column], currency) for column in ("daily_cap", "streamer_cap")
    )
    targeting = Targeting(
        tuple(map(Platform, row["platforms"])), tuple(row["countries"]), tuple(row["languages"]),
        tuple(map(Category, row["categories"])), Rating(row["highest_rating"]), row["least_viewers"],
        tuple(map(Category, row["avoided"])),
    )  # fmt: skip
    return Plan(
        Brief(row["title"], row["description"], row["link"]),
        Terms(Pricing(row["pricing"]), Money(row["rate"], currency), row["minutes"]),
        Money(row["budget"], currency),
        Schedule(row["starts_on"], row["ends_on"], row["time_zone"]),
        Caps(daily, streamer), Pacing(row["pacing"]), targeting,
    )  # fmt: skip


def plan_values(plan: Plan) -> list[Any]:
    """The columns of a plan, in the order in which `PLAN` has them."""
    brief, terms, schedule, wanted = plan.brief, plan.terms, plan.schedule, plan.targeting
    daily, streamer = (None if cap is None else cap.minor for cap in (plan.caps.daily, plan.caps.per_streamer))
    return [
        brief.title, brief.description, brief.link, plan.currency, plan.budget.minor, terms.pricing, terms.rate.minor,
        terms.minutes, daily, streamer, plan.pacing, schedule.starts_on, schedule.ends_on, schedule.time_zone,
        list(wanted.platforms), list(wanted.countries), list(wanted.languages), list(wanted.categories),
        wanted.highest_rating, wanted.least_viewers, list(wanted.avoided),
    ]  # fmt: skip
