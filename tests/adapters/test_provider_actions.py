"""Signing in and linking by other sites and by Telegram's proofs: real sites' protocol, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.telegram import TelegramProofs
from adapters.mail.letters import WrittenLetters
from adapters.sandbox.identity.people import PEOPLE, Site
from adapters.sandbox.identity.proofs import launch_text, widget_fields
from domain.actor import Actor
from domain.identity.model import FRESH_SIGN_IN, PersonStatus, Portal
from domain.identity.provider import Provider, ProviderUnavailableError
from domain.identity.providers import (
    JourneyBegun,
    Linked,
    begin_journey,
    enter,
    enter_with_proof,
    finish_journey,
    link_with_proof,
    unlink,
)
from domain.identity.refusals import (
    FreshSignInRequired,
    IdentityTaken,
    LastIdentity,
    LinkRefused,
    NotWhileImpersonating,
    PersonBanned,
    ProviderRefused,
    SignInRefused,
    UnknownIdentity,
)
from domain.identity.sessions import SignedIn
from domain.ids import PersonId, SessionId, uuid7
from domain.vault import PLATFORM
from tests.accounts_stage import AccountsStage, origin, staged_accounts
from tests.adapters.identity_sandbox import BOT_TOKEN, Bench, bench
from tests.fake_vault import FakeVault

AYU, BUDI, CITRA = PEOPLE
EVERY_SITE = pytest.mark.parametrize("provider", [Provider.GOOGLE, Provider.TWITCH, Provider.TELEGRAM])


@dataclass
class Town:
    """Our house, and the sites that vouch for people."""

    stage: AccountsStage
    sites: Bench

    async def depart(self, provider: Provider = Provider.GOOGLE, actor: Actor | None = None) -> JourneyBegun:
        found = await begin_journey(self.stage, provider, Portal.PLAYER, actor)
        assert isinstance(found, JourneyBegun), found
        return found

    async def journey(
        self, provider: Provider = Provider.GOOGLE, person: str = "ayu", actor: Actor | None = None
    ) -> object:
        """There and back."""
        begun = await self.depart(provider, actor)
        return await finish_journey(self.stage, begun.token, await chosen(begun.url, person), actor, origin())

    async def arrived(self, provider: Provider = Provider.GOOGLE, person: str = "ayu") -> Actor:
        found = await self.journey(provider, person)
        assert isinstance(found, SignedIn), found
        return self.stage.actor(found)

    async def identities(self, person: PersonId) -> dict[str, Any]:
        """Their ways of signing in, by provider."""
        found = (await self.stage.people.identities_of([person]))[person]
        return {identity.provider: identity for identity in found}


async def chosen(url: str, person: str) -> dict[str, str]:
    """Be that person on the site's page (nobody: say no), and come back with these parameters."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(url, data={"person": person})
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture
async def town(database: DatabaseAddresses) -> AsyncIterator[Town]:
    async with staged_accounts(database) as stage, bench() as sites:
        sites.hands.now = stage.clock()
        await stage.vault.create_key(PLATFORM)
        stage.providers = {Provider(site): sites.ours(site) for site in Site}
        stage.signed_proofs = TelegramProofs(BOT_TOKEN)
        yield Town(stage, sites)


@EVERY_SITE
async def test_who_comes_again_is_the_same_person(town: Town, provider: Provider) -> None:
    first, again, other = [await town.arrived(provider, name) for name in ("ayu", "ayu", "citra")]
    assert first.person == again.person != other.person
    assert first.session != again.session
    assert await town.stage.count("person") == 2
    assert list(await town.identities(first.person)) == [provider]
    assert (await town.stage.deeds()).count("person.made") == 2


async def test_a_verified_address_is_taken_and_another_is_not(town: Town) -> None:
    ayu, budi = await town.arrived(), await town.arrived(person="budi")
    known = await town.stage.people.people([ayu.person, budi.person])
    assert (known[ayu.person].mail, known[ayu.person].name) == (AYU.mail, AYU.name)
    assert known[ayu.person].mail_verified_at is not None
    assert (known[budi.person].mail, known[budi.person].mail_verified_at) == (None, None)


async def test_an_address_makes_nobody_somebody_else(town: Town) -> None:
    """Ayu has an account with that very address, and comes by two sites: nothing is joined by itself."""
    assert AYU.mail is not None
    member = await town.stage.member(AYU.mail)
    by_google, by_twitch = await town.arrived(), await town.arrived(Provider.TWITCH)
    assert len({member.person, by_google.person, by_twitch.person}) == 3
    again = await town.stage.sign_in(AYU.mail)
    assert isinstance(again, SignedIn)
    assert again.session.person == member.person


async def test_two_who_come_at_once_are_one_person(town: Town) -> None:
    begun = [await town.depart() for _ in range(4)]
    told = [await chosen(each.url, "ayu") for each in begun]
    found = await asyncio.gather(
        *(finish_journey(town.stage, each.token, back, None, origin()) for each, back in zip(begun, told, strict=True))
    )
    assert all(isinstance(each, SignedIn) for each in found), found
    assert len({each.session.person for each in found if isinstance(each, SignedIn)}) == 1
    assert await town.stage.count("person") == await town.stage.count("sign_in_identity") == 1
    vault = town.stage.vault
    assert isinstance(vault, FakeVault)
    assert {person for person, alive in vault.living.items() if alive and person.int} == {found[0].session.person}  # type: ignore[union-attr] # all signed in


async def test_a_journey_is_good_for_one_return(town: Town) -> None:
    begun = await town.depart()
    told = await chosen(begun.url, "ayu")
    assert isinstance(await finish_journey(town.stage, begun.token, told, None, origin()), SignedIn)
    assert isinstance(await finish_journey(town.stage, begun.token, told, None, origin()), LinkRefused)
    late = await town.depart()
    told = await chosen(late.url, "ayu")
    town.stage.turn(minutes=10)
    assert isinstance(await finish_journey(town.stage, late.token, told, None, origin()), LinkRefused)
    assert isinstance(await finish_journey(town.stage, "no token of ours", told, None, origin()), LinkRefused)
    assert await town.stage.count("session") == 1


async def test_another_journeys_return_is_refused(town: Town) -> None:
    """A stranger slips a return of theirs to somebody, to have them signed in as the stranger."""
    mine, strangers = await town.depart(), await town.depart()
    told = await chosen(strangers.url, "budi")
    assert isinstance(await finish_journey(town.stage, mine.token, told, None, origin()), ProviderRefused)
    assert isinstance(
        await finish_journey(town.stage, mine.token, await chosen(mine.url, "ayu"), None, None), LinkRefused
    )
    assert await town.stage.count("person") == 0
    assert (await town.stage.deeds()).count("sign_in.refused") == 1


async def test_saying_no_and_a_site_that_is_away(town: Town) -> None:
    begun = await town.depart()
    no = await chosen(begun.url, "")
    assert isinstance(await finish_journey(town.stage, begun.token, no, None, origin()), ProviderRefused)
    begun = await town.depart()
    told = await chosen(begun.url, "ayu")
    town.sites.fault("server_error", call="token")
    with pytest.raises(ProviderUnavailableError):
        await finish_journey(town.stage, begun.token, told, None, origin())
    town.stage.providers = {}
    assert isinstance(await begin_journey(town.stage, Provider.GOOGLE, Portal.PLAYER), ProviderRefused)
    assert await town.stage.count("person") == 0


async def test_a_journey_outlives_a_site_that_was_taken_out(town: Town) -> None:
    begun = await town.depart()
    town.stage.providers = {}
    assert isinstance(await finish_journey(town.stage, begun.token, {}, None, origin()), ProviderRefused)


async def test_one_links_signs_in_by_it_and_unlinks(town: Town) -> None:
    member = await town.stage.member()
    elsewhere = await town.stage.sign_in()
    assert isinstance(elsewhere, SignedIn)
    assert await town.journey(Provider.TWITCH, "ayu", member) == Linked(Provider.TWITCH)
    assert await town.journey(Provider.TWITCH, "ayu", member) == Linked(Provider.TWITCH)
    assert (await town.arrived(Provider.TWITCH)).person == member.person
    identities = await town.identities(member.person)
    assert set(identities) == {"password", "twitch"}
    assert identities["twitch"].subject == str(AYU.number)
    assert identities["twitch"].last_used_at == town.stage.clock()
    assert await unlink(town.stage, member, identities["twitch"].id) is None
    assert await town.stage.living(member) == 1
    assert (await town.arrived(Provider.TWITCH)).person != member.person
    deeds = await town.stage.deeds()
    assert (deeds.count("identity.linked"), deeds.count("identity.unlinked")) == (1, 1)


async def test_the_person_is_told_of_each_change_and_of_nothing_else(town: Town) -> None:
    stage, member = town.stage, await town.stage.member()
    stage.wording = WrittenLetters()
    for _ in range(2):
        assert await town.journey(Provider.TWITCH, "ayu", member) == Linked(Provider.TWITCH)
    assert isinstance(await unlink(stage, member, uuid7()), UnknownIdentity)
    linked = (await town.identities(member.person))["twitch"]
    for _ in range(2):
        await unlink(stage, member, linked.id)
    await stage.post()
    letters = [letter for letter in stage.mailer.letters if letter.subject == "How you sign in changed"]
    assert [letter.to for letter in letters] == ["ani@mail.example"] * 2
    assert "A way to sign in was added to your account: Twitch, on " in letters[0].text
    assert "A way to sign in was removed from your account: Twitch, on " in letters[1].text
    assert all("https://portal.example/settings/identities" in letter.text for letter in letters)


async def test_an_address_that_nobody_confirmed_is_not_told(town: Town) -> None:
    member = await town.stage.member()
    await town.stage.database.pool.execute("update person set mail_verified_at = null")
    assert await town.journey(Provider.TWITCH, "ayu", member) == Linked(Provider.TWITCH)
    linked = (await town.identities(member.person))["twitch"]
    assert await unlink(town.stage, member, linked.id) is None
    await town.stage.post()
    assert town.stage.subjects == ["ConfirmSignUp"]


async def test_the_last_way_in_stays_and_anothers_is_not_touched(town: Town) -> None:
    ayu, budi = await town.arrived(), await town.arrived(person="budi")
    (own,) = (await town.identities(ayu.person)).values()
    (others,) = (await town.identities(budi.person)).values()
    assert isinstance(await unlink(town.stage, ayu, own.id), LastIdentity)
    assert await town.journey(Provider.TWITCH, "ayu", ayu) == Linked(Provider.TWITCH)
    for identity in (others.id, uuid7()):
        assert isinstance(await unlink(town.stage, ayu, identity), UnknownIdentity)
    assert await town.stage.count("sign_in_identity") == 3
    linked = (await town.identities(ayu.person))["twitch"]
    answers = await asyncio.gather(*(unlink(town.stage, ayu, each.id) for each in (own, linked)))
    assert sorted(type(each).__name__ for each in answers) == ["LastIdentity", "NoneType"]
    assert len(await town.identities(ayu.person)) == 1


async def test_anothers_way_in_cannot_be_linked(town: Town) -> None:
    member, ayu = await town.stage.member(), await town.arrived()
    assert isinstance(await town.journey(Provider.GOOGLE, "ayu", member), IdentityTaken)
    assert (await town.arrived()).person == ayu.person
    begun = [await town.depart(Provider.TWITCH, each) for each in (member, ayu)]
    told = [await chosen(each.url, "citra") for each in begun]
    found = await asyncio.gather(
        finish_journey(town.stage, begun[0].token, told[0], member, origin()),
        finish_journey(town.stage, begun[1].token, told[1], ayu, origin()),
    )
    assert sorted(type(each).__name__ for each in found) == ["IdentityTaken", "Linked"]


async def test_linking_takes_a_fresh_sign_in_and_ones_own_eyes(town: Town) -> None:
    member = await town.stage.member()
    watched = replace(member, impersonator=PersonId(uuid7()))
    own = (await town.identities(member.person))["password"].id
    signed = launch_text(AYU, BOT_TOKEN, town.stage.clock())
    assert isinstance(await begin_journey(town.stage, Provider.GOOGLE, Portal.PLAYER, watched), NotWhileImpersonating)
    assert isinstance(await unlink(town.stage, watched, own), NotWhileImpersonating)
    assert isinstance(await link_with_proof(town.stage, watched, signed), NotWhileImpersonating)
    begun = await town.depart(actor=member)
    told = await chosen(begun.url, "ayu")
    old = replace(member, authenticated_at=town.stage.clock() - FRESH_SIGN_IN)
    assert isinstance(await finish_journey(town.stage, begun.token, told, old, origin()), FreshSignInRequired)
    assert isinstance(await begin_journey(town.stage, Provider.GOOGLE, Portal.PLAYER, old), FreshSignInRequired)
    assert isinstance(await unlink(town.stage, old, own), FreshSignInRequired)
    assert isinstance(await link_with_proof(town.stage, old, signed), FreshSignInRequired)
    confirmed = replace(old, stepped_up_until=town.stage.clock() + FRESH_SIGN_IN)
    assert await link_with_proof(town.stage, confirmed, signed) == Linked(Provider.TELEGRAM)


async def test_what_one_session_began_no_other_finishes(town: Town) -> None:
    """Whoever has somebody finish a journey of theirs would have their own account open to that person's site."""
    member, stranger = await town.stage.member(), await town.arrived(person="budi")
    same_person = replace(member, session=SessionId(uuid7()))
    for who in (stranger, same_person, None):
        begun = await town.depart(Provider.TWITCH, member)
        told = await chosen(begun.url, "ayu")
        assert isinstance(await finish_journey(town.stage, begun.token, told, who, origin()), LinkRefused)
    assert "identity.linked" not in await town.stage.deeds()


async def test_telegrams_three_ways_are_one_identity(town: Town) -> None:
    by_site = await town.arrived(Provider.TELEGRAM)
    now = town.stage.clock()
    for signed in (widget_fields(AYU, BOT_TOKEN, now), launch_text(AYU, BOT_TOKEN, now)):
        found = await enter_with_proof(town.stage, signed, Portal.PLAYER, origin())
        assert isinstance(found, SignedIn), found
        assert found.session.person == by_site.person
    assert await town.stage.count("sign_in_identity") == 1


@pytest.mark.parametrize("sign", [widget_fields, launch_text])
async def test_a_proof_is_good_once(town: Town, sign: Any) -> None:
    signed = sign(CITRA, BOT_TOKEN, town.stage.clock())
    found = await asyncio.gather(*(enter_with_proof(town.stage, signed, Portal.PLAYER, origin()) for _ in range(3)))
    assert sorted(type(each).__name__ for each in found) == ["LinkRefused", "LinkRefused", "SignedIn"]
    member = await town.stage.member()
    assert isinstance(await link_with_proof(town.stage, member, signed), LinkRefused)
    town.stage.turn(minutes=7)
    assert isinstance(await enter_with_proof(town.stage, signed, Portal.PLAYER, origin()), ProviderRefused)


async def test_a_proof_of_somebody_else_is_refused(town: Town) -> None:
    now = town.stage.clock()
    forged = {**widget_fields(CITRA, BOT_TOKEN, now), "id": str(AYU.number)}
    for signed in (forged, widget_fields(AYU, "7000000002:anothers-bot", now), launch_text(AYU, "1:x", now), ""):
        assert isinstance(await enter_with_proof(town.stage, signed, Portal.PLAYER, origin()), ProviderRefused)
    town.stage.signed_proofs = None
    signed = launch_text(AYU, BOT_TOKEN, now)
    assert isinstance(await enter_with_proof(town.stage, signed, Portal.PLAYER, origin()), ProviderRefused)
    assert await town.stage.count("person") == 0
    assert (await town.stage.deeds()).count("sign_in.refused") == 4


async def test_a_banned_person_stays_out_by_every_way(town: Town) -> None:
    ayu = await town.arrived(Provider.TELEGRAM)
    async with town.stage.work() as work:
        await work.people.set_status(ayu.person, PersonStatus.BANNED)
    assert isinstance(await town.journey(Provider.TELEGRAM), PersonBanned)
    signed = launch_text(AYU, BOT_TOKEN, town.stage.clock())
    assert isinstance(await enter_with_proof(town.stage, signed, Portal.PLAYER, origin()), PersonBanned)
    assert isinstance(await town.journey(Provider.TWITCH, "ayu", ayu), FreshSignInRequired)
    (identity,) = (await town.identities(ayu.person)).values()
    assert isinstance(await unlink(town.stage, ayu, identity.id), FreshSignInRequired)
    assert await town.stage.count("sign_in_identity") == 1


async def test_nobody_becomes_staff_by_another_site(town: Town) -> None:
    begun = await begin_journey(town.stage, Provider.GOOGLE, Portal.ADMIN)
    assert isinstance(begun, JourneyBegun)
    told = await chosen(begun.url, "ayu")
    assert isinstance(await finish_journey(town.stage, begun.token, told, None, origin()), SignInRefused)
    assert await town.stage.count("session") == 0


async def test_who_was_erased_links_nothing_and_comes_back_as_somebody_new(town: Town) -> None:
    member, ayu = await town.stage.member(), await town.arrived()
    await town.stage.vault.destroy_key(member.person)
    assert isinstance(await town.journey(Provider.TWITCH, "ayu", member), FreshSignInRequired)
    await town.stage.database.pool.execute("delete from sign_in_identity where person = $1", ayu.person)
    assert (await town.arrived()).person != ayu.person


async def test_a_link_that_was_cut_meanwhile_lets_nobody_in(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity is unlinked between the look at whose it is and the session."""
    ayu = await town.arrived()
    assert await town.journey(Provider.TWITCH, "ayu", ayu) == Linked(Provider.TWITCH)
    real, identity = town.stage.vault.seal, (await town.identities(ayu.person))["google"].id

    async def seal(person: PersonId, field: str, text: str) -> bytes:
        if field == "origin":
            monkeypatch.undo()
            assert await unlink(town.stage, ayu, identity) is None
        return await real(person, field, text)

    profile = await town.sites.sign_in(Site.GOOGLE)
    monkeypatch.setattr(town.stage.vault, "seal", seal)
    assert isinstance(await enter(town.stage, profile, Portal.PLAYER, origin()), SignInRefused)
