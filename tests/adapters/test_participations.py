"""Participations on a real database: who may answer whom, what is agreed and stays so, and who meets whom."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.brand.model import Brand
from domain.brand.refusals import RoleTooLow
from domain.campaign.agreeing import (
    accept_offer,
    complete_participation,
    counter_offer,
    go_live,
    lapse_offers,
    reject_participation,
    withdraw_participation,
)
from domain.campaign.beginning import apply_to_campaign, invite_streamer
from domain.campaign.editing import edit_campaign
from domain.campaign.model import Campaign, Pricing, Terms
from domain.campaign.participation import (
    OFFER_LIFETIME,
    PARTICIPATION_NEXT,
    OfferState,
    Participation,
    ParticipationId,
    ParticipationState,
    ParticipationStep,
)
from domain.campaign.ports import ParticipationPage
from domain.campaign.refusals import (
    AlreadyTakingPart,
    CampaignNotReady,
    DisclosureRequired,
    MemberTakesPart,
    NotEligible,
    NotYourTurn,
    OfferMovedOn,
    ParticipationNotReady,
    TermsRefused,
    UnknownCampaign,
    UnknownParticipation,
    UnknownStreamer,
)
from domain.campaign.running import complete_campaign, pause_campaign
from domain.campaign.targeting import Rule, Targeting
from domain.identity.refusals import TooManyTries
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.quotas import PARTICIPATION
from domain.streamer.model import StreamerId
from domain.streamer.refusals import NotStreamer
from tests.campaign_stage import BUDGET, TERMS, CampaignStage, at_once, staged_campaigns
from tests.streamer_stage import streamers_on

S, T = ParticipationState, ParticipationStep
FLAT = Terms(Pricing.FLAT, Money.whole(300_000, Currency.IDR), 120)


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[CampaignStage]:
    async with staged_campaigns(database) as staged:
        yield staged


class Table:
    """A brand with a campaign that runs, and a streamer."""

    def __init__(self, stage: CampaignStage, me: Actor, brand: Brand, campaign: Campaign, ani: Actor) -> None:
        self.stage, self.me, self.brand, self.campaign, self.ani = stage, me, brand, campaign, ani

    async def streamer(self, actor: Actor | None = None) -> StreamerId:
        found = await self.stage.reads.candidate((actor or self.ani).people)
        assert found is not None
        return found.id

    async def applied(self, actor: Actor | None = None, terms: Terms | None = None) -> Participation:
        return made(await apply_to_campaign(self.stage, actor or self.ani, self.campaign.id, terms))

    async def invited(self) -> Participation:
        return made(await invite_streamer(self.stage, self.me, self.campaign.id, await self.streamer()))

    async def live(self) -> Participation:
        applied = await self.applied()
        made(await accept_offer(self.stage, self.me, applied.id, 1))
        return made(await go_live(self.stage, self.ani, applied.id, disclosed=True))

    async def read(self, participation: Participation) -> Participation:
        return (await self.stage.reads.participations_by_id([participation.id]))[participation.id]

    async def offers(self, participation: Participation) -> list[tuple[int, str, str]]:
        found = (await self.stage.reads.offers_of([participation.id]))[participation.id]
        return [(offer.number, offer.side, offer.state) for offer in found]


def made(answer: object) -> Participation:
    assert isinstance(answer, Participation), answer
    return answer


@pytest.fixture
async def table(stage: CampaignStage) -> Table:
    me = await stage.member()
    brand = await stage.verified(me, paid_in=BUDGET + BUDGET)
    return Table(stage, me, brand, await stage.running(me, brand), await streamers_on(stage).streamer())


async def test_from_the_application_to_the_last_minute(stage: CampaignStage, table: Table) -> None:
    applied = await table.applied()
    assert applied == await table.read(applied)
    assert applied.state is S.APPLIED
    assert isinstance(await apply_to_campaign(stage, table.ani, table.campaign.id), AlreadyTakingPart)
    assert isinstance(await accept_offer(stage, table.ani, applied.id, 1), NotYourTurn)
    assert isinstance(await go_live(stage, table.ani, applied.id, disclosed=True), ParticipationNotReady)
    accepted = made(await accept_offer(stage, table.me, applied.id, 1))
    assert accepted.agreement is not None
    assert (accepted.agreement.terms, accepted.agreement.campaign_version) == (TERMS, 1)
    assert isinstance(await go_live(stage, table.me, applied.id, disclosed=True), NotYourTurn)
    assert isinstance(await go_live(stage, table.ani, applied.id, disclosed=False), DisclosureRequired)
    live = made(await go_live(stage, table.ani, applied.id, disclosed=True))
    assert (live.state, live.disclosed_at) == (S.LIVE, live.live_at)
    assert isinstance(await complete_participation(stage, table.ani, applied.id), NotYourTurn)
    completed = made(await complete_participation(stage, table.me, applied.id))
    assert completed == await table.read(applied)
    done = [deed.partition(".")[2] for deed in await stage.deeds() if deed.startswith("participation.")]
    assert done == ["applied", "accepted", "live", "completed"]
    told = await stage.database.pool.fetch(
        "select name from event where topic = $1 order by recorded_at", f"participation:{applied.id}"
    )
    assert [row["name"] for row in told] == [
        "ParticipationBegun", "OfferAccepted", "ParticipationWentLive", "ParticipationEnded",
    ]  # fmt: skip


async def test_offers_go_back_and_forth_and_each_side_answers_the_others(stage: CampaignStage, table: Table) -> None:
    invited = await table.invited()
    assert isinstance(await counter_offer(stage, table.me, invited.id, 1, FLAT), NotYourTurn)
    made(await counter_offer(stage, table.ani, invited.id, 1, FLAT))
    assert isinstance(await accept_offer(stage, table.me, invited.id, 1), OfferMovedOn)
    dollars = replace(FLAT, rate=Money(5, Currency.USD))
    assert isinstance(await counter_offer(stage, table.me, invited.id, 2, dollars), TermsRefused)
    half = replace(FLAT, minutes=60)
    made(await counter_offer(stage, table.me, invited.id, 2, half))
    assert isinstance(await reject_participation(stage, table.me, invited.id), NotYourTurn)
    agreed = made(await accept_offer(stage, table.ani, invited.id, 3))
    assert agreed.agreement is not None
    assert agreed.agreement.terms == half
    assert await table.offers(invited) == [
        (3, "brand", OfferState.ACCEPTED), (2, "streamer", OfferState.COUNTERED), (1, "brand", OfferState.COUNTERED),
    ]  # fmt: skip


async def test_what_was_agreed_stays_whatever_the_campaign_says_later(stage: CampaignStage, table: Table) -> None:
    applied = await table.applied()
    other = replace(table.campaign.plan, terms=FLAT)
    assert isinstance(await edit_campaign(stage, table.me, table.campaign.id, other), Campaign)
    agreed = made(await accept_offer(stage, table.me, applied.id, 1)).agreement
    assert agreed is not None
    assert (agreed.terms, agreed.campaign_version) == (TERMS, 1)
    budi = await streamers_on(stage).streamer("Budi")
    later = made(await accept_offer(stage, table.me, (await table.applied(budi)).id, 1)).agreement
    assert later is not None
    assert (later.terms, later.campaign_version) == (FLAT, 2)


async def test_who_is_kept_out_hears_by_which_rule(stage: CampaignStage, table: Table) -> None:
    abroad = replace(table.campaign.plan, targeting=Targeting(countries=("MY",)))
    assert isinstance(await edit_campaign(stage, table.me, table.campaign.id, abroad), Campaign)
    for answer in (
        await apply_to_campaign(stage, table.ani, table.campaign.id),
        await invite_streamer(stage, table.me, table.campaign.id, await table.streamer()),
    ):
        assert isinstance(answer, NotEligible)
        assert answer.rule is Rule.COUNTRY
    assert await stage.count("participation") == 0


async def test_others_find_nothing_and_a_viewer_only_looks_on(stage: CampaignStage, table: Table) -> None:
    budi, viewer = (
        await streamers_on(stage).streamer("Budi"),
        await stage.brands.joined(table.me, table.brand, "viewer@mail.example"),
    )
    applied, nobody = await table.applied(), ParticipationId(uuid7())
    for stranger in (budi, await stage.member("stranger@mail.example")):
        assert isinstance(await accept_offer(stage, stranger, applied.id, 1), UnknownParticipation)
        assert isinstance(await withdraw_participation(stage, stranger, applied.id), UnknownParticipation)
    assert isinstance(await accept_offer(stage, table.me, nobody, 1), UnknownParticipation)
    assert isinstance(await accept_offer(stage, viewer, applied.id, 1), RoleTooLow)
    assert isinstance(await invite_streamer(stage, table.me, table.campaign.id, StreamerId(uuid7())), UnknownStreamer)
    assert isinstance(await apply_to_campaign(stage, table.me, table.campaign.id), NotStreamer)
    draft = await stage.draft(table.me, table.brand, "draft")
    assert isinstance(await apply_to_campaign(stage, budi, draft.id), UnknownCampaign)
    for _ in range(PARTICIPATION.times):
        await stage.quotas.take(PARTICIPATION, f"person:{budi.person}")
    assert isinstance(await apply_to_campaign(stage, budi, table.campaign.id), TooManyTries)


async def test_nothing_begins_or_is_agreed_on_while_a_campaign_stands_still(stage: CampaignStage, table: Table) -> None:
    applied = await table.applied()
    assert isinstance(await pause_campaign(stage, table.me, table.campaign.id), Campaign)
    budi = await streamers_on(stage).streamer("Budi")
    assert isinstance(await apply_to_campaign(stage, budi, table.campaign.id), CampaignNotReady)
    assert isinstance(await accept_offer(stage, table.me, applied.id, 1), CampaignNotReady)
    assert made(await reject_participation(stage, table.me, applied.id)).state is S.REJECTED
    assert await table.offers(applied) == [(1, "streamer", OfferState.CLOSED)]


async def test_an_offer_that_nobody_answers_lapses(stage: CampaignStage, table: Table) -> None:
    applied = await table.applied()
    assert (await lapse_offers(stage, stage.clock())).looked_at == 0
    stage.clock.turn(OFFER_LIFETIME + timedelta(seconds=1))
    assert isinstance(await accept_offer(stage, table.me, applied.id, 1), OfferMovedOn)
    both = await at_once(lapse_offers(stage, stage.clock()), lapse_offers(stage, stage.clock()))
    assert [swept.failed for swept in both] == [[], []]
    assert (await table.read(applied)).state is S.WITHDRAWN
    assert (await stage.deeds()).count("participation.lapsed") == 1
    assert (await table.applied()).state is S.APPLIED


async def test_with_its_campaign_every_participation_ends(stage: CampaignStage, table: Table) -> None:
    live, budi, cici = await table.live(), *[await streamers_on(stage).streamer(name) for name in ("Budi", "Cici")]
    applied, accepted = await table.applied(budi), await table.applied(cici)
    made(await accept_offer(stage, table.me, accepted.id, 1))
    assert isinstance(await complete_campaign(stage, table.me, table.campaign.id), Campaign)
    states = [(await table.read(each)).state for each in (live, applied, accepted)]
    assert states == [S.COMPLETED, S.WITHDRAWN, S.WITHDRAWN]
    assert await stage.count("offer", "state = 'open'") == 0


async def test_lists_lose_no_place_and_show_each_their_own(stage: CampaignStage, table: Table) -> None:
    streamers = [table.ani, *[await streamers_on(stage).streamer(name) for name in ("Budi", "Cici")]]
    applied = [await table.applied(streamer) for streamer in streamers]
    page = await stage.reads.participations(ParticipationPage(table.campaign.id, 2))
    assert [each.id for each in page] == [applied[2].id, applied[1].id]
    rest = await stage.reads.participations(ParticipationPage(table.campaign.id, 2, page[1].id))
    assert [each.id for each in rest] == [applied[0].id]
    mine = await stage.reads.participations(ParticipationPage(streamers[1].people, 5))
    assert [each.id for each in mine] == [applied[1].id]


async def test_of_two_answers_that_meet_one_is_given(stage: CampaignStage, table: Table) -> None:
    def accept(id_: ParticipationId) -> Any:
        return accept_offer(stage, table.me, id_, 1)

    def counter(id_: ParticipationId) -> Any:
        return counter_offer(stage, table.me, id_, 1, FLAT)

    def withdraw(id_: ParticipationId) -> Any:
        return withdraw_participation(stage, table.ani, id_)

    races = [(accept, accept), (accept, withdraw), (counter, withdraw), (accept, counter)]
    for one, other in races * 3:
        table.ani = await streamers_on(stage).streamer()
        applied = await table.applied()
        answers = await at_once(one(applied.id), other(applied.id))
        after = await table.read(applied)
        done = [answer for answer in answers if isinstance(answer, Participation)]
        assert 1 <= len(done) <= 2, answers
        assert max(done, key=lambda answer: answer.seq) == after
        refused = (ParticipationNotReady, OfferMovedOn, NotYourTurn)
        assert all(isinstance(answer, (Participation, *refused)) for answer in answers)
        assert (after.agreement is not None) is any(
            state is OfferState.ACCEPTED for *_, state in await table.offers(after)
        )


async def test_who_accepts_as_the_campaign_ends_agrees_on_nothing(stage: CampaignStage, table: Table) -> None:
    applied = await table.applied()
    accepted, ended = await at_once(
        accept_offer(stage, table.me, applied.id, 1), complete_campaign(stage, table.me, table.campaign.id)
    )
    assert isinstance(ended, Campaign)
    assert isinstance(accepted, Participation | CampaignNotReady | ParticipationNotReady)
    assert (await table.read(applied)).state is S.WITHDRAWN


async def test_of_two_applications_at_once_one_begins(stage: CampaignStage, table: Table) -> None:
    answers = await at_once(
        apply_to_campaign(stage, table.ani, table.campaign.id),
        invite_streamer(stage, table.me, table.campaign.id, await table.streamer()),
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyTakingPart", "Participation"]


def test_nothing_leads_out_of_the_end() -> None:
    ended = {S.COMPLETED, S.REJECTED, S.WITHDRAWN}
    assert not {state for state, _ in PARTICIPATION_NEXT} & ended
    assert {step for step in T if all((state, step) not in PARTICIPATION_NEXT for state in S)} == set()
    assert len(list(product(S, T))) > len(PARTICIPATION_NEXT)


async def test_of_a_streamer_who_is_erased_what_was_agreed_stays_and_names_nobody(
    stage: CampaignStage, table: Table
) -> None:
    live = await table.live()
    async with stage.work() as work:
        await work.erasures.forget([table.ani.person])
    after = await table.read(live)
    assert (after.state, after.streamer, after.agreement) == (S.WITHDRAWN, None, live.agreement)
    assert isinstance(await complete_campaign(stage, table.me, table.campaign.id), Campaign)


async def test_nobody_takes_part_in_a_campaign_of_a_brand_that_they_act_for(stage: CampaignStage, table: Table) -> None:
    join = "insert into membership (id, person, kind, brand, role) values ($1, $2, 'brand', $3, 'viewer')"
    leave = "update membership set ended_at = now() where person = $1 and kind = 'brand'"
    merge = "update person set status = 'merged', survivor = $2 where id = $1"
    pool, ani = stage.database.pool, table.ani
    applied = await table.applied()
    await pool.execute(join, uuid7(), ani.person, table.brand.id)
    assert await accept_offer(stage, table.me, applied.id, 1) == MemberTakesPart()
    assert (await table.read(applied)).state is S.APPLIED
    made(await withdraw_participation(stage, ani, applied.id))
    before = await stage.count("participation"), await stage.deeds()
    assert await apply_to_campaign(stage, ani, table.campaign.id) == MemberTakesPart()
    invited = await invite_streamer(stage, table.me, table.campaign.id, await table.streamer())
    assert invited == MemberTakesPart()
    assert (await stage.count("participation"), await stage.deeds()) == before

    await pool.execute(leave, ani.person)
    invitation = await table.invited()
    survivor = await stage.member("survivor@mail.example")
    await pool.execute(join, uuid7(), survivor.person, table.brand.id)
    await pool.execute(merge, ani.person, survivor.person)
    both = replace(survivor, also=frozenset({ani.person}))
    assert await accept_offer(stage, both, invitation.id, 1) == MemberTakesPart()
    await pool.execute(leave, survivor.person)
    assert made(await accept_offer(stage, both, invitation.id, 1)).state is S.ACCEPTED
