"""Two people who are one: four eyes, what moves, what stays untouched, and what races leave behind."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.audit import audit
from adapters.postgres.seal import Sealer
from domain.actor import Actor
from domain.audit_log import DeedFilter
from domain.clock import system_clock
from domain.errors import NotPermittedError
from domain.identity.addresses import mail_index
from domain.identity.merging import ask_to_merge, decide_merge, reasons_of
from domain.identity.model import MergeRequest, PersonStatus, Portal, SessionEnd
from domain.identity.provider import Profile, Provider
from domain.identity.providers import enter, link
from domain.identity.refusals import (
    FourEyesRequired,
    IsStaff,
    MergeRefused,
    ReasonRequired,
    SignInRefused,
    StepUpRequired,
    UnknownPerson,
)
from domain.identity.sessions import SignedIn
from domain.identity.staff import ban
from domain.ids import BrandId, PersonId, uuid7
from domain.rights import BrandRole, StaffRole
from tests.accounts_stage import PASSWORD, origin
from tests.people import enroll
from tests.privacy_stage import SEAL_KEY, PrivacyStage, all_that_is_written, staged_privacy
from tests.staff_stage import WHY, as_known, at_once, hears, nobody_special, staffer, told_of_standing
from tests.waiting import eventually

ANI, BUDI = "ani@mail.example", "budi@mail.example"
OTHER = "a cow that eats magnets"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[PrivacyStage]:
    async with staged_privacy(database) as staged:
        yield staged


def profile(subject: str, provider: Provider = Provider.GOOGLE) -> Profile:
    return Profile(provider, subject, "Ani", None, mail_verified=False, picture=None)


async def arrived(stage: PrivacyStage, subject: str, provider: Provider = Provider.GOOGLE) -> Actor:
    """Somebody whom a provider vouched for."""
    found = await enter(stage, profile(subject, provider), Portal.PLAYER, origin())
    assert isinstance(found, SignedIn), found
    return stage.actor(found)


async def asked(stage: PrivacyStage, by: Actor, survivor: PersonId, merged: PersonId) -> MergeRequest:
    found = await ask_to_merge(stage, by, survivor, merged, WHY)
    assert isinstance(found, MergeRequest), found
    return found


async def merged(stage: PrivacyStage, survivor: PersonId, second: PersonId) -> MergeRequest:
    """Two members of staff agree."""
    one, other = await staffer(stage), await staffer(stage, StaffRole.SUPPORT)
    request = await asked(stage, one, survivor, second)
    found = await decide_merge(stage, other, request.id, WHY, approve=True)
    assert isinstance(found, MergeRequest), found
    assert (found.approved, found.decided_by, found.asked_by) == (True, other.person, one.person)
    return found


async def status(stage: PrivacyStage, person: PersonId) -> tuple[PersonStatus, PersonId | None]:
    found = (await stage.people.people([person]))[person]
    return found.status, found.survivor


async def subjects(stage: PrivacyStage, person: PersonId) -> set[tuple[str, str | None]]:
    found = (await stage.people.identities_of([person]))[person]
    return {(each.provider, each.subject) for each in found}


class TestWhoMay:
    async def test_it_takes_the_permission_a_reason_and_a_fresh_code(self, stage: PrivacyStage) -> None:
        actor, one, other = await staffer(stage), await nobody_special(stage), await nobody_special(stage)
        stranger = await staffer(stage, StaffRole.MODERATOR)
        request = await asked(stage, actor, one, other)
        with pytest.raises(NotPermittedError):
            await ask_to_merge(stage, stranger, one, other, WHY)
        with pytest.raises(NotPermittedError):
            await decide_merge(stage, stranger, request.id, WHY, approve=False)
        assert await ask_to_merge(stage, actor, one, other, " ") == ReasonRequired()
        assert await decide_merge(stage, actor, request.id, "", approve=False) == ReasonRequired()
        stage.turn(minutes=6)
        assert await ask_to_merge(stage, actor, one, other, WHY) == StepUpRequired()
        assert await decide_merge(stage, actor, request.id, WHY, approve=False) == StepUpRequired()
        assert await stage.count("merge_request", "decided_at is null") == 1

    async def test_who_asked_may_turn_it_down_but_not_agree(self, stage: PrivacyStage) -> None:
        actor, one, other = await staffer(stage), await nobody_special(stage), await nobody_special(stage)
        request = await asked(stage, actor, one, other)
        assert await decide_merge(stage, actor, request.id, WHY, approve=True) == FourEyesRequired()
        assert await status(stage, other) == (PersonStatus.ACTIVE, None)
        found = await decide_merge(stage, actor, request.id, WHY, approve=False)
        assert isinstance(found, MergeRequest)
        assert found.approved is False
        assert await status(stage, other) == (PersonStatus.ACTIVE, None)
        assert isinstance(await decide_merge(stage, actor, request.id, WHY, approve=False), MergeRefused)
        assert isinstance(await decide_merge(stage, actor, UUID(int=1), WHY, approve=True), MergeRefused)
        assert (await stage.deeds())[-2:] == ["person.merge_asked", "person.merge_turned_down"]

    async def test_who_cannot_be_merged(self, stage: PrivacyStage) -> None:
        actor, one, banned = await staffer(stage), await nobody_special(stage), await nobody_special(stage)
        helper, nobody = await staffer(stage, StaffRole.SUPPORT), PersonId(uuid7())
        await ban(stage, actor, banned, WHY)
        assert isinstance(await ask_to_merge(stage, actor, one, one, WHY), MergeRefused)
        assert isinstance(await ask_to_merge(stage, actor, one, banned, WHY), MergeRefused)
        for survivor, second in ((one, helper.person), (helper.person, one), (actor.person, one)):
            assert await ask_to_merge(stage, actor, survivor, second, WHY) == IsStaff()
        for survivor, second in ((banned, one), (nobody, one), (one, nobody)):
            assert await ask_to_merge(stage, actor, survivor, second, WHY) == UnknownPerson()
        assert await stage.count("merge_request") == 0

    async def test_one_request_at_a_time_for_who_is_merged(self, stage: PrivacyStage) -> None:
        actor, people = await staffer(stage), [await nobody_special(stage) for _ in range(3)]
        await asked(stage, actor, people[0], people[1])
        assert isinstance(await ask_to_merge(stage, actor, people[2], people[1], WHY), MergeRefused)

    async def test_who_became_staff_or_was_banned_meanwhile_is_not_merged(self, stage: PrivacyStage) -> None:
        actor, other, one, second = (
            await staffer(stage), await staffer(stage), await nobody_special(stage), await nobody_special(stage),
        )  # fmt: skip
        request = await asked(stage, actor, one, second)
        await enroll(stage.database.pool, one, staff=StaffRole.SUPPORT)
        assert await decide_merge(stage, other, request.id, WHY, approve=True) == IsStaff()
        await stage.database.pool.execute("update membership set ended_at = now() where person = $1", one)
        await ban(stage, actor, second, WHY)
        assert isinstance(await decide_merge(stage, other, request.id, WHY, approve=True), MergeRefused)


class TestWhatMoves:
    async def test_ways_of_signing_in_are_the_survivors_and_readable_with_their_key(
        self, stage: PrivacyStage, database: DatabaseAddresses
    ) -> None:
        ani, budi = await arrived(stage, "google-1"), await stage.member(BUDI)
        await link(stage, budi, profile("twitch-1", Provider.TWITCH))
        async with told_of_standing(database) as told:
            await merged(stage, ani.person, budi.person)
            await hears(told, ani.person)
            await hears(told, budi.person)
        assert await status(stage, budi.person) == (PersonStatus.MERGED, ani.person)
        everything = {("google", "google-1"), ("twitch", "twitch-1"), ("password", BUDI)}
        assert await subjects(stage, ani.person) == everything
        assert await subjects(stage, budi.person) == set()
        assert await stage.living(budi) == 0
        ended = await stage.value("select end_reason from session where person = $1", budi.person)
        assert ended == SessionEnd.MERGED
        for found in (
            await enter(stage, profile("twitch-1", Provider.TWITCH), Portal.PLAYER, origin()),
            await stage.sign_in(BUDI),
        ):
            assert isinstance(found, SignedIn)
            assert found.session.person == ani.person
        # What is the survivor's does not hang on the other's key.
        await stage.vault.destroy_key(budi.person)
        assert await subjects(stage, ani.person) == everything

    async def test_of_two_passwords_the_survivors_stays(self, stage: PrivacyStage) -> None:
        ani, budi = await stage.member(ANI), await stage.member(BUDI, OTHER)
        await merged(stage, ani.person, budi.person)
        assert await subjects(stage, ani.person) == {("password", ANI)}
        assert isinstance(await stage.sign_in(ANI, PASSWORD), SignedIn)
        for mail, password in ((BUDI, OTHER), (BUDI, PASSWORD), (ANI, OTHER)):
            assert isinstance(await stage.sign_in(mail, password), SignInRefused)
        assert await stage.count("password") == 1

    async def test_an_address_goes_to_who_has_none_and_nowhere_else(self, stage: PrivacyStage) -> None:
        ani, budi = await arrived(stage, "google-1"), await stage.member(BUDI)
        await merged(stage, ani.person, budi.person)
        found = (await stage.people.people([ani.person]))[ani.person]
        assert (found.name, found.mail, found.mail_verified_at is not None) == ("Ani", BUDI, True)
        eni, fani = await stage.member("eni@mail.example"), await stage.member("fani@mail.example")
        await merged(stage, eni.person, fani.person)
        found = (await stage.people.people([eni.person]))[eni.person]
        assert found.mail == "eni@mail.example"
        async with stage.work() as work:
            assert await work.mailboxes.owner(mail_index(stage.vault, BUDI)) == ani.person

    async def test_both_are_told(self, stage: PrivacyStage) -> None:
        ani, budi = await stage.member(ANI), await stage.member(BUDI)
        await merged(stage, ani.person, budi.person)
        await stage.post()
        told = [letter.to for letter in stage.mailer.letters if letter.subject == "AccountsMerged"]
        assert sorted(told) == [ANI, BUDI]

    async def test_memberships_are_joined_and_of_two_roles_the_higher_stays(self, stage: PrivacyStage) -> None:
        both, hers, his = (BrandId(uuid7()) for _ in range(3))
        pool = stage.database.pool
        one = await enroll(pool, brands={both: BrandRole.VIEWER, hers: BrandRole.MANAGER})
        other = await enroll(pool, brands={both: BrandRole.OWNER, his: BrandRole.VIEWER}, streamer=True)
        for person in (one.person, other.person):
            await stage.vault.create_key(person)
        await merged(stage, one.person, other.person)
        known = await as_known(stage, one.session)
        assert known.brands == {both: BrandRole.OWNER, hers: BrandRole.MANAGER, his: BrandRole.VIEWER}
        assert known.is_streamer
        assert await stage.count("membership", f"person = '{other.person}' and ended_at is null") == 0

    async def test_wallets_of_both_are_the_survivors_and_the_ledger_is_untouched(self, stage: PrivacyStage) -> None:
        ani, budi = await stage.member(ANI), await stage.member(BUDI)
        for owner, amount in ((ani.owner, 100), (budi.owner, 23)):
            await stage.pay(owner, amount)
        rows = "select md5(string_agg(to_jsonb(line)::text, ';' order by line::text)) from {} as line"
        before = [await stage.value(rows.format(table)) for table in ("journal", "account")]
        await merged(stage, ani.person, budi.person)
        assert [await stage.value(rows.format(table)) for table in ("journal", "account")] == before
        found = await stage.sign_in(ANI)
        assert isinstance(found, SignedIn)
        known = await as_known(stage, found.session)
        assert set(known.owners) == {ani.owner, budi.owner}
        wallets = await stage.books.accounts_of(known.owners)
        assert sorted(wallet.balance.posted for wallet in wallets) == [2_300, 10_000]

    async def test_whoever_was_merged_into_the_merged_goes_along(self, stage: PrivacyStage) -> None:
        people = [await arrived(stage, f"google-{number}") for number in range(3)]
        ani, budi, eni = (each.person for each in people)
        await merged(stage, budi, eni)
        await merged(stage, ani, budi)
        for person in (budi, eni):
            assert await status(stage, person) == (PersonStatus.MERGED, ani)
        found = await enter(stage, profile("google-2"), Portal.PLAYER, origin())
        assert isinstance(found, SignedIn)
        assert (await as_known(stage, found.session)).people == (ani, *sorted((budi, eni)))
        actor = await staffer(stage)
        assert await ask_to_merge(stage, actor, people[0].person, budi, WHY) == UnknownPerson()

    async def test_second_factors_do_not_go_along(self, stage: PrivacyStage) -> None:
        ani, budi = await stage.member(ANI), await stage.member(BUDI)
        await stage.database.pool.execute(
            "insert into passkey (credential, person, public_key, sign_count, name) values ('x', $1, 'y', 0, 'z')",
            budi.person,
        )
        await merged(stage, ani.person, budi.person)
        assert await stage.count("passkey") == 0
        assert isinstance(await stage.sign_in(ANI), SignedIn)


async def test_why_is_read_by_staff_and_by_no_dump_and_goes_with_the_merged_persons_key(
    stage: PrivacyStage, database: DatabaseAddresses
) -> None:
    ani, budi = await stage.member(ANI), await stage.member(BUDI)
    request = await merged(stage, ani.person, budi.person)
    assert await reasons_of(stage.vault, [request, request]) == [WHY, WHY]
    assert WHY not in await all_that_is_written(database)
    await stage.vault.destroy_key(budi.person)
    assert await reasons_of(stage.vault, [request]) == [None]


async def test_nobody_unknown_is_said_to_be_somebody(stage: PrivacyStage) -> None:
    one, ani = await staffer(stage), await stage.member(ANI)
    assert await ask_to_merge(stage, one, ani.person, PersonId(uuid7()), WHY) == UnknownPerson()


async def test_the_audit_log_tells_it_and_erasure_reaches_the_reason(stage: PrivacyStage) -> None:
    ani, budi = await stage.member(ANI), await stage.member(BUDI)
    request = await merged(stage, ani.person, budi.person)
    found = await stage.audit_log.page(DeedFilter(target=f"merge:{request.id}"), 10)
    assert [each.action for each in found] == ["person.merge_approved", "person.merge_asked"]
    assert [each.told.reason for each in found if each.told] == [WHY, WHY]
    assert {each.about for each in found} == {budi.person}
    await stage.vault.destroy_key(budi.person)
    found = await stage.audit_log.page(DeedFilter(target=f"merge:{request.id}"), 10)
    assert [(each.told, each.erased) for each in found] == [(None, True)] * 2


async def test_the_whole_ledger_and_log_are_in_order_afterwards(stage: PrivacyStage) -> None:
    ani, budi = await stage.member(ANI), await stage.member(BUDI)
    for owner in (ani.owner, budi.owner):
        await stage.pay(owner, 50)
    async with stage.database.direct() as connection:
        sealer = Sealer(connection, SEAL_KEY, system_clock)
        await sealer.seal_all()
        await merged(stage, ani.person, budi.person)

        async def sealed() -> bool:
            await sealer.seal_all()
            return (await stage.audit_log.verify()).unsealed == 0

        await eventually(sealed)
        report = await audit(connection, SEAL_KEY)
    assert (report.findings, report.unsealed) == ([], 0)
    verification = await stage.audit_log.verify()
    assert (verification.intact, verification.deeds) == (True, report.deeds)
    assert report.deeds == len(await stage.deeds())


class TestRaces:
    async def test_two_approvals_at_once_are_one(self, stage: PrivacyStage) -> None:
        one, others = await staffer(stage), [await staffer(stage) for _ in range(4)]
        ani, budi = await stage.member(ANI), await stage.member(BUDI)
        request = await asked(stage, one, ani.person, budi.person)
        found = await at_once(*(decide_merge(stage, each, request.id, WHY, approve=True) for each in others))
        assert [type(each).__name__ for each in found].count("MergeRequest") == 1
        assert [type(each).__name__ for each in found].count("MergeRefused") == 3
        assert (await stage.deeds()).count("person.merge_approved") == 1

    async def test_agreed_and_turned_down_at_once_is_one_of_both(self, stage: PrivacyStage) -> None:
        one, other = await staffer(stage), await staffer(stage)
        ani, budi = await stage.member(ANI), await stage.member(BUDI)
        request = await asked(stage, one, ani.person, budi.person)
        found = await at_once(
            decide_merge(stage, other, request.id, WHY, approve=True),
            decide_merge(stage, one, request.id, WHY, approve=False),
        )
        (decided,) = [each for each in found if isinstance(each, MergeRequest)]
        expected = PersonStatus.MERGED if decided.approved else PersonStatus.ACTIVE
        assert (await status(stage, budi.person))[0] is expected

    async def test_each_into_the_other_at_once_leaves_one_of_them(self, stage: PrivacyStage) -> None:
        one, other = await staffer(stage), await staffer(stage)
        ani, budi = await arrived(stage, "google-1"), await arrived(stage, "google-2")
        requests = [
            await asked(stage, one, ani.person, budi.person), await asked(stage, one, budi.person, ani.person),
        ]  # fmt: skip
        found = await at_once(*(decide_merge(stage, other, each.id, WHY, approve=True) for each in requests))
        (done,) = [each for each in found if isinstance(each, MergeRequest)]
        assert UnknownPerson() in found
        assert await status(stage, done.merged) == (PersonStatus.MERGED, done.survivor)
        assert await status(stage, done.survivor) == (PersonStatus.ACTIVE, None)
        assert len(await subjects(stage, done.survivor)) == 2

    async def test_an_address_that_changes_in_that_moment_is_not_the_one_that_is_given(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ani, budi = await arrived(stage, "google-1"), await stage.member(BUDI)
        one, other = await staffer(stage), await staffer(stage)
        request = await asked(stage, one, ani.person, budi.person)
        real = stage.vault.seal

        async def overtaken(person: PersonId, field: str, text: str) -> bytes:
            sealed = await real(person, field, text)
            if (person, field, text) == (ani.person, "mail", BUDI):
                async with stage.work() as work:
                    mail = await real(budi.person, "mail", ANI)
                    await work.people.set_mail(budi.person, mail, mail_index(stage.vault, ANI), stage.clock())
            return sealed

        with monkeypatch.context() as patch:
            patch.setattr(stage.vault, "seal", overtaken)
            found = await decide_merge(stage, other, request.id, WHY, approve=True)
        assert isinstance(found, MergeRefused)
        assert (await stage.people.people([ani.person]))[ani.person].mail is None
        assert isinstance(await decide_merge(stage, other, request.id, WHY, approve=True), MergeRequest)
        assert (await stage.people.people([ani.person]))[ani.person].mail == ANI

    async def test_an_address_that_the_survivor_proves_in_that_moment_stays_theirs(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ani, budi = await arrived(stage, "google-1"), await stage.member(BUDI)
        one, other = await staffer(stage), await staffer(stage)
        request = await asked(stage, one, ani.person, budi.person)
        real = stage.vault.seal

        async def overtaken(person: PersonId, field: str, text: str) -> bytes:
            sealed = await real(person, field, text)
            if (person, field, text) == (ani.person, "mail", BUDI):
                async with stage.work() as work:
                    mail = await real(ani.person, "mail", ANI)
                    await work.people.set_mail(ani.person, mail, mail_index(stage.vault, ANI), stage.clock())
            return sealed

        with monkeypatch.context() as patch:
            patch.setattr(stage.vault, "seal", overtaken)
            assert isinstance(await decide_merge(stage, other, request.id, WHY, approve=True), MergeRefused)
        assert isinstance(await decide_merge(stage, other, request.id, WHY, approve=True), MergeRequest)
        assert (await stage.people.people([ani.person]))[ani.person].mail == ANI

    async def test_nothing_is_left_behind_that_was_linked_in_that_moment(self, stage: PrivacyStage) -> None:
        one, other = await staffer(stage), await staffer(stage)
        for number in range(4):
            ani, budi = await arrived(stage, f"google-{number}"), await arrived(stage, f"telegram-{number}")
            request = await asked(stage, one, ani.person, budi.person)
            found, _ = await at_once(
                decide_merge(stage, other, request.id, WHY, approve=True),
                link(stage, budi, profile(f"twitch-{number}", Provider.TWITCH)),
            )
            left = await subjects(stage, budi.person)
            if isinstance(found, MergeRefused):
                assert len(left) == 2
                assert (await status(stage, budi.person))[0] is PersonStatus.ACTIVE
            else:
                assert left == set()
