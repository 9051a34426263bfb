"""What staff may do to rights and people: every deed, every refusal, and what races leave behind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.deeds import PostgresDeeds
from domain.actor import Actor
from domain.audit_log import DeedFilter, KeptDeed
from domain.errors import NotPermittedError
from domain.identity import staff
from domain.identity.model import PersonStatus, Portal, SessionEnd, SignedOutError
from domain.identity.refusals import (
    IsStaff,
    LastSuperAdmin,
    MayNotGive,
    NotANetwork,
    PersonBanned,
    ReasonRequired,
    SignInRefused,
    StepUpRequired,
    UnknownPerson,
)
from domain.identity.sessions import Means, SignedIn, end_session
from domain.identity.sign_in import finish_sign_in
from domain.identity.staff import Done, Ended
from domain.ids import PersonId, uuid7
from domain.rights import USUAL_PERMISSIONS, Permission, StaffRole
from tests.accounts_stage import PASSWORD, AccountsStage, origin, staged_accounts
from tests.people import open_session
from tests.privacy_stage import all_that_is_written
from tests.staff_stage import HERE, WHY, as_known, at_once, hears, nobody_special, staffer, told_of_standing

SUPER, ADMIN, SUPPORT, MODERATOR = StaffRole.SUPER_ADMIN, StaffRole.ADMIN, StaffRole.SUPPORT, StaffRole.MODERATOR
NOBODY = PersonId(uuid7())


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def role_of(stage: AccountsStage, person: PersonId) -> StaffRole | None:
    async with stage.work() as work:
        return await work.members.staff_role(person)


async def status_of(stage: AccountsStage, person: PersonId) -> PersonStatus:
    return (await stage.people.people([person]))[person].status


async def newest(stage: AccountsStage) -> KeptDeed:
    """The last line of the audit log, as its readers see it."""
    (found,) = await PostgresDeeds(stage.database, stage.vault, bytes(32)).page(DeedFilter(), 1)
    return found


Deed = Callable[[AccountsStage, Actor, PersonId, str], Awaitable[Any]]
DEEDS: dict[str, tuple[Permission, Deed]] = {
    "role": (
        Permission.MANAGE_USERS,
        lambda stage, actor, person, why: staff.change_staff_role(stage, actor, person, SUPPORT, why),
    ),
    "permissions": (
        Permission.CONFIGURE_SYSTEM,
        lambda stage, actor, _, why: staff.change_permissions(stage, actor, SUPPORT, frozenset(), why),
    ),
    "ban": (Permission.MANAGE_USERS, staff.ban),
    "lift": (Permission.MANAGE_USERS, staff.lift_ban),
    "end": (Permission.MANAGE_USERS, staff.end_sessions_of),
    "impersonate": (Permission.MANAGE_USERS, staff.impersonate),
    "allow": (
        Permission.CONFIGURE_SYSTEM,
        lambda stage, actor, _, why: staff.allow_network(stage, actor, f"{HERE}/32", why),
    ),
    "disallow": (
        Permission.CONFIGURE_SYSTEM,
        lambda stage, actor, _, why: staff.disallow_network(stage, actor, f"{HERE}/32", why),
    ),
}


@pytest.mark.parametrize("name", DEEDS)
async def test_a_deed_takes_permission_reason_and_a_fresh_code(stage: AccountsStage, name: str) -> None:
    permission, do = DEEDS[name]
    actor, person = await staffer(stage), await nobody_special(stage)
    before = await stage.deeds()
    with pytest.raises(NotPermittedError):
        await do(stage, replace(actor, permissions=frozenset(Permission) - {permission}), person, WHY)
    for reason in ("", "  \n", "x" * 501, "nul\0", "half \ud83d"):
        assert await do(stage, actor, person, reason) == ReasonRequired()
    assert await do(stage, replace(actor, stepped_up_until=None), person, WHY) == StepUpRequired()
    stage.turn(minutes=5)
    assert await do(stage, actor, person, WHY) == StepUpRequired()
    assert await stage.deeds() == before
    assert await stage.count("staff_network") == 0
    assert await role_of(stage, person) is None
    assert (await status_of(stage, person), await stage.count("session")) == (PersonStatus.ACTIVE, 2)


class TestRoles:
    async def test_a_role_is_given_changed_and_taken_and_all_hear_of_it(
        self, stage: AccountsStage, database: DatabaseAddresses
    ) -> None:
        actor, person = await staffer(stage), await nobody_special(stage)
        session = await open_session(stage.database.pool, person, Portal.ADMIN)
        for role in (SUPPORT, ADMIN, None):
            async with told_of_standing(database) as told:
                assert await staff.change_staff_role(stage, actor, person, role, WHY) == Done()
                await hears(told, person)
            known = await as_known(stage, session)
            assert (known.staff_role, known.permissions) == (role, USUAL_PERMISSIONS[role] if role else frozenset())
        deed = await newest(stage)
        assert (deed.action, deed.target, deed.about) == ("staff.role_changed", f"person:{person}", person)
        assert deed.told is not None
        assert (deed.told.before, deed.told.after, deed.told.reason) == ({"role": "admin"}, {"role": None}, WHY)
        kept = "person = $1 and kind = 'staff'"
        assert await stage.value(f"select count(*) from membership where {kept}", person) == 2

    async def test_nobody_gives_or_takes_what_they_do_not_have(self, stage: AccountsStage) -> None:
        actor, person, chief = await staffer(stage, ADMIN), await nobody_special(stage), await staffer(stage)
        assert await staff.change_staff_role(stage, actor, person, SUPER, WHY) == MayNotGive()
        assert await staff.change_staff_role(stage, actor, chief.person, SUPPORT, WHY) == MayNotGive()
        assert await staff.change_staff_role(stage, actor, chief.person, None, WHY) == MayNotGive()
        assert await staff.change_staff_role(stage, actor, actor.person, SUPER, WHY) == MayNotGive()
        assert await staff.change_staff_role(stage, actor, person, ADMIN, WHY) == Done()
        helper = await staffer(stage, SUPPORT)
        assert await staff.change_staff_role(stage, helper, person, None, WHY) == MayNotGive()
        assert await staff.change_staff_role(stage, helper, NOBODY, SUPPORT, WHY) == UnknownPerson()

    async def test_a_set_that_grew_is_more_than_one_has(self, stage: AccountsStage) -> None:
        chief, helper, person = await staffer(stage), await staffer(stage, SUPPORT), await nobody_special(stage)
        grown = USUAL_PERMISSIONS[MODERATOR] | {Permission.APPROVE_PAYOUTS}
        assert await staff.change_permissions(stage, chief, MODERATOR, grown, WHY) == Done()
        assert await staff.change_staff_role(stage, helper, person, MODERATOR, WHY) == MayNotGive()
        assert await role_of(stage, person) is None

    async def test_the_last_super_admin_stays(self, stage: AccountsStage) -> None:
        actor = await staffer(stage)
        for role in (None, ADMIN):
            assert await staff.change_staff_role(stage, actor, actor.person, role, WHY) == LastSuperAdmin()
        assert await staff.change_staff_role(stage, actor, actor.person, SUPER, WHY) == Done()
        other = await staffer(stage)
        assert await staff.change_staff_role(stage, actor, actor.person, ADMIN, WHY) == Done()
        assert await staff.change_staff_role(stage, other, other.person, None, WHY) == LastSuperAdmin()

    @pytest.mark.parametrize("unable", ["banned", "merged", "erased"])
    async def test_who_cannot_sign_in_is_no_super_admin_who_could_undo_it(
        self, stage: AccountsStage, unable: str
    ) -> None:
        actor, other = await staffer(stage), await staffer(stage)
        survivor = actor.person if unable == "merged" else None
        change = "update person set status = $2, survivor = $3 where id = $1"
        await stage.database.pool.execute(change, other.person, unable, survivor)
        for role in (None, ADMIN):
            assert await staff.change_staff_role(stage, actor, actor.person, role, WHY) == LastSuperAdmin()
        assert await staff.change_staff_role(stage, actor, other.person, None, WHY) == Done(), "nobody leaves with them"
        assert await role_of(stage, actor.person) is SUPER

    @pytest.mark.parametrize("loses", ["status", "session", "membership", "permission"])
    async def test_who_lost_the_right_since_their_request_began_changes_nothing(
        self, stage: AccountsStage, loses: str
    ) -> None:
        actor, person = await staffer(stage, ADMIN), await nobody_special(stage)
        lost = {
            "status": "update person set status = 'banned' where id = $1",
            "session": "update session set ended_at = now(), end_reason = 'revoked' where person = $1",
            "membership": "update membership set ended_at = now() where person = $1",
            "permission": "update staff_role set permissions = '{view_financials}' where role = (select role from"
            " membership where person = $1 and kind = 'staff')",
        }[loses]
        await stage.database.pool.execute(lost, actor.person)
        before = await stage.deeds()
        with pytest.raises(NotPermittedError):
            await staff.change_staff_role(stage, actor, person, SUPPORT, WHY)
        able = replace(actor, permissions=actor.permissions | {Permission.CONFIGURE_SYSTEM})
        for change in (staff.allow_network, staff.disallow_network):
            with pytest.raises(NotPermittedError):
                await change(stage, able, f"{HERE}/32", WHY)
        assert (await role_of(stage, person), await stage.deeds()) == (None, before)
        assert await stage.count("staff_network") == 0

    async def test_nobody_gives_what_they_lost_since_their_request_began(self, stage: AccountsStage) -> None:
        chief, actor, person = await staffer(stage), await staffer(stage, ADMIN), await nobody_special(stage)
        left = frozenset({Permission.MANAGE_USERS})
        assert await staff.change_permissions(stage, chief, ADMIN, left, WHY) == Done()
        assert await staff.change_staff_role(stage, actor, person, MODERATOR, WHY) == MayNotGive()
        assert await role_of(stage, person) is None

    async def test_of_three_who_demote_one_another_in_a_ring_somebody_is_left(self, stage: AccountsStage) -> None:
        for _ in range(3):
            ring = [await staffer(stage) for _ in range(3)]
            victims = [*ring[1:], ring[0]]
            pairs = zip(ring, victims, strict=True)
            await at_once(*(staff.change_staff_role(stage, one, other.person, None, WHY) for one, other in pairs))
            roles = [await role_of(stage, each.person) for each in ring]
            assert roles.count(SUPER) in {1, 2}
            await stage.database.pool.execute("update membership set ended_at = now() where ended_at is null")

    async def test_two_super_admins_who_demote_each_other_leave_one(self, stage: AccountsStage) -> None:
        for _ in range(5):
            one, other = await staffer(stage), await staffer(stage)
            found = await at_once(
                staff.change_staff_role(stage, one, other.person, None, WHY),
                staff.change_staff_role(stage, other, one.person, ADMIN, WHY),
            )
            assert [answer for answer in found if answer == Done()] == [Done()]
            assert [answer for answer in found if isinstance(answer, NotPermittedError)] != []
            roles = [await role_of(stage, each.person) for each in (one, other)]
            assert roles.count(SUPER) == 1
            await stage.database.pool.execute("update membership set ended_at = now() where ended_at is null")

    async def test_two_super_admins_who_leave_at_once_leave_one(self, stage: AccountsStage) -> None:
        one, other = await staffer(stage), await staffer(stage)
        found = await at_once(*(staff.change_staff_role(stage, each, each.person, None, WHY) for each in (one, other)))
        assert sorted(map(repr, found)) == sorted(map(repr, [Done(), LastSuperAdmin()]))

    async def test_the_banned_and_the_unknown_become_no_staff(self, stage: AccountsStage) -> None:
        actor, person = await staffer(stage), await nobody_special(stage)
        assert await staff.ban(stage, actor, person, WHY) == Done()
        for nobody in (person, NOBODY):
            assert await staff.change_staff_role(stage, actor, nobody, SUPPORT, WHY) == UnknownPerson()


class TestPermissions:
    async def test_a_set_is_changed_and_all_hear_of_it(self, stage: AccountsStage, database: DatabaseAddresses) -> None:
        actor, helper = await staffer(stage), await staffer(stage, SUPPORT)
        assert helper.session is not None
        async with told_of_standing(database) as told:
            given = frozenset({Permission.ACCESS_AUDIT})
            assert await staff.change_permissions(stage, actor, SUPPORT, given, WHY) == Done()
            await hears(told, "*")
        standing = await stage.standings.of(helper.session)
        assert standing is not None
        assert standing.permissions == given
        deed = await newest(stage)
        assert deed.told is not None
        assert deed.told.before == {"permissions": "manage_users, view_financials"}
        assert deed.told.after == {"permissions": "access_audit"}

    async def test_super_admins_alone_do_it_and_never_to_themselves(self, stage: AccountsStage) -> None:
        actor = await staffer(stage)
        assert await staff.change_permissions(stage, actor, SUPER, frozenset(), WHY) == LastSuperAdmin()
        almost = replace(await staffer(stage, ADMIN), permissions=frozenset(Permission))
        with pytest.raises(NotPermittedError):
            await staff.change_permissions(stage, almost, SUPPORT, frozenset(Permission), WHY)
        former = replace(almost, staff_role=SUPER)  # was one, until a moment ago
        with pytest.raises(NotPermittedError):
            await staff.change_permissions(stage, former, SUPPORT, frozenset(Permission), WHY)


class TestBans:
    async def test_a_ban_ends_sessions_and_keeps_out_until_it_is_lifted(
        self, stage: AccountsStage, database: DatabaseAddresses
    ) -> None:
        actor, ani = await staffer(stage), await stage.member()
        async with told_of_standing(database) as told:
            assert await staff.ban(stage, actor, ani.person, "sold a stolen account") == Done()
            await hears(told, ani.person)
        assert await stage.living(ani) == 0
        assert await stage.value("select end_reason from session where person = $1", ani.person) == SessionEnd.BANNED
        assert isinstance(await stage.sign_in(), PersonBanned)
        assert await staff.ban(stage, actor, ani.person, WHY) == UnknownPerson()
        assert await staff.lift_ban(stage, actor, ani.person, WHY) == Done()
        assert isinstance(await stage.sign_in(), SignedIn)
        assert await staff.lift_ban(stage, actor, ani.person, WHY) == UnknownPerson()

    async def test_why_is_read_by_staff_and_by_no_dump_and_goes_with_the_key(
        self, stage: AccountsStage, database: DatabaseAddresses
    ) -> None:
        actor, person = await staffer(stage), await nobody_special(stage)
        assert await staff.ban(stage, actor, person, "Zebulon shouted") == Done()
        assert (await stage.people.people([person]))[person].reason == "Zebulon shouted"
        assert "shouted" not in await all_that_is_written(database)
        await stage.vault.destroy_key(person)
        assert (await stage.people.people([person]))[person].reason == ""

    async def test_staff_and_strangers_are_not_banned(self, stage: AccountsStage) -> None:
        actor, helper = await staffer(stage), await staffer(stage, SUPPORT)
        assert await staff.ban(stage, actor, helper.person, WHY) == IsStaff()
        assert await staff.ban(stage, actor, NOBODY, WHY) == UnknownPerson()

    async def test_why_somebody_was_banned_is_unreadable_after_their_erasure(self, stage: AccountsStage) -> None:
        actor, ani = await staffer(stage), await stage.member()
        for do in (staff.ban, staff.lift_ban, staff.impersonate, staff.end_sessions_of):
            await do(stage, actor, ani.person, "told us of an illness")
        assert isinstance(await finish_sign_in(stage, ani.person, Portal.ADMIN, Means.LINK, origin()), SignInRefused)
        await stage.vault.destroy_key(ani.person)
        log = PostgresDeeds(stage.database, stage.vault, bytes(32))
        found = await log.page(DeedFilter(about=ani.person), 50)
        assert {"person.banned", "person.ban_lifted", "person.impersonated", "person.signed_out"} < {
            each.action for each in found
        }
        assert "sign_in.refused" in {each.action for each in found}
        assert [each.told for each in found if each.told and each.told.reason] == []
        assert (
            await stage.count("deed", "detail::text like '%illness%' or encrypted_detail::text like '%illness%'") == 0
        )


class TestSessions:
    async def test_all_sessions_of_a_person_end(self, stage: AccountsStage, database: DatabaseAddresses) -> None:
        actor, ani = await staffer(stage), await stage.member()
        await stage.sign_in()
        async with told_of_standing(database) as told:
            assert await staff.end_sessions_of(stage, actor, ani.person, WHY) == Ended(2)
            await hears(told, ani.person)
        assert await stage.living(ani) == 0
        assert await staff.end_sessions_of(stage, actor, ani.person, WHY) == Ended(0)
        assert await staff.end_sessions_of(stage, actor, NOBODY, WHY) == UnknownPerson()
        assert isinstance(await stage.sign_in(), SignedIn)

    async def test_not_of_those_who_may_do_more(self, stage: AccountsStage) -> None:
        chief, helper = await staffer(stage), await staffer(stage, SUPPORT)
        assert await staff.end_sessions_of(stage, helper, chief.person, WHY) == MayNotGive()
        assert await staff.end_sessions_of(stage, chief, helper.person, WHY) == Ended(1)


class TestNetworks:
    async def test_networks_come_and_go_and_all_hear_of_it(
        self, stage: AccountsStage, database: DatabaseAddresses
    ) -> None:
        actor = await staffer(stage)
        assert actor.session is not None
        for text in (f"{HERE}/32", "203.0.113.0/24", " 2001:db8::/32 "):
            async with told_of_standing(database) as told:
                assert await staff.allow_network(stage, actor, text, "our office") == Done()
                await hears(told, "*")
        standing = await stage.standings.of(actor.session)
        assert standing is not None
        assert set(standing.networks) == {"127.0.0.1/32", "203.0.113.0/24", "2001:db8::/32"}
        assert standing.actor(stage.clock(), origin("203.0.113.9")).staff_role is SUPER
        assert standing.actor(stage.clock(), origin("198.51.100.1")).staff_role is None
        assert await staff.allow_network(stage, actor, "203.0.113.0/24", "again") == Done()
        assert await staff.disallow_network(stage, actor, "203.0.113.0/24", WHY) == Done()
        assert isinstance(await staff.disallow_network(stage, actor, "203.0.113.0/24", WHY), NotANetwork)

    @pytest.mark.parametrize(
        "text", ["", "here", "203.0.113.7/24", "203.0.113.0/33", "fe80::1%eth0", "::ffff:203.0.113.0/120", "1\0"]
    )
    async def test_what_is_no_network_is_refused(self, stage: AccountsStage, text: str) -> None:
        actor = await staffer(stage)
        for do in (staff.allow_network, staff.disallow_network):
            assert await do(stage, actor, text, WHY) == NotANetwork()
        assert await stage.count("staff_network") == 0

    async def test_nobody_shuts_themselves_out(self, stage: AccountsStage) -> None:
        actor = await staffer(stage)
        assert isinstance(await staff.allow_network(stage, actor, "203.0.113.0/24", WHY), NotANetwork)
        for text in ("127.0.0.0/8", "203.0.113.0/24"):
            assert await staff.allow_network(stage, actor, text, WHY) == Done()
        away = replace(actor, origin=origin("203.0.113.9"))
        assert isinstance(await staff.disallow_network(stage, away, "203.0.113.0/24", WHY), NotANetwork)
        assert isinstance(await staff.disallow_network(stage, actor, "127.0.0.0/8", WHY), NotANetwork)
        assert await staff.disallow_network(stage, actor, "203.0.113.0/24", WHY) == Done()
        # With an empty list this machine itself is let in, and nobody else.
        assert await staff.disallow_network(stage, actor, "127.0.0.0/8", WHY) == Done()

    async def test_the_last_network_is_not_taken_by_who_is_elsewhere(self, stage: AccountsStage) -> None:
        actor = await staffer(stage)
        await stage.database.pool.execute("insert into staff_network values ('203.0.113.0/24', 'office')")
        away = replace(actor, origin=origin("203.0.113.9"))
        assert isinstance(await staff.disallow_network(stage, away, "203.0.113.0/24", WHY), NotANetwork)
        assert await stage.count("staff_network") == 1


class TestImpersonation:
    async def begun(self, stage: AccountsStage, actor: Actor, person: PersonId) -> SignedIn:
        found = await staff.impersonate(stage, actor, person, WHY)
        assert isinstance(found, SignedIn), found
        return found

    async def test_it_has_no_refresh_and_ends_after_half_an_hour(self, stage: AccountsStage) -> None:
        actor, ani = await staffer(stage), await stage.member()
        begun = await self.begun(stage, actor, ani.person)
        assert (begun.refresh, await stage.count("refresh_token", f"session = '{begun.session.id}'")) == (None, 0)
        known = await as_known(stage, begun.session)
        assert (known.person, known.impersonator, known.staff_role) == (ani.person, actor.person, None)
        for _ in range(2):
            stage.turn(minutes=14)
            await self.used(stage, begun)
        stage.turn(minutes=1, seconds=59)
        await as_known(stage, begun.session)
        stage.turn(seconds=1)
        with pytest.raises(SignedOutError):
            await as_known(stage, begun.session)
        assert begun.session.expires_at - begun.session.created_at == timedelta(minutes=30)
        deed = await newest(stage)
        assert (deed.action, deed.actor, deed.about) == ("person.impersonated", actor.person, ani.person)

    async def used(self, stage: AccountsStage, begun: SignedIn) -> None:
        async with stage.work() as work:
            await work.sessions.mark(begun.session.id, used_at=stage.clock())

    async def test_it_is_over_when_nobody_looks_for_a_quarter_of_an_hour(self, stage: AccountsStage) -> None:
        actor, ani = await staffer(stage), await stage.member()
        begun = await self.begun(stage, actor, ani.person)
        stage.turn(minutes=15)
        await as_known(stage, begun.session)
        stage.turn(seconds=1)
        with pytest.raises(SignedOutError):
            await as_known(stage, begun.session)

    async def test_it_takes_a_place_where_staff_may_work(self, stage: AccountsStage) -> None:
        actor, ani = await staffer(stage), await stage.member()
        begun = await self.begun(stage, actor, ani.person)
        with pytest.raises(SignedOutError):
            await as_known(stage, begun.session, "198.51.100.1")
        await stage.database.pool.execute("insert into staff_network values ('198.51.100.0/24', 'office')")
        assert (await as_known(stage, begun.session, "198.51.100.1")).impersonator == actor.person
        with pytest.raises(SignedOutError):
            await as_known(stage, begun.session)

    async def test_it_does_not_outlive_the_session_that_it_was_begun_in(
        self, stage: AccountsStage, database: DatabaseAddresses
    ) -> None:
        actor, ani = await staffer(stage), await stage.member()
        assert actor.session is not None
        await stage.database.pool.execute(
            "update session set ended_at = now(), end_reason = 'revoked' where id = $1", actor.session
        )
        with pytest.raises(NotPermittedError):
            await staff.impersonate(stage, actor, ani.person, WHY)
        again = await staffer(stage, person=actor.person)
        assert again.session is not None
        begun = await self.begun(stage, again, ani.person)
        async with told_of_standing(database) as told:
            assert await end_session(stage, again, again.session)
            await hears(told, ani.person)
        assert await stage.standings.of(begun.session.id) is None
        assert await stage.living(ani) == 1

    async def test_nobody_of_staff_no_stranger_and_not_oneself(self, stage: AccountsStage) -> None:
        actor, helper = await staffer(stage), await staffer(stage, SUPPORT)
        assert await staff.impersonate(stage, actor, helper.person, WHY) == IsStaff()
        assert await staff.impersonate(stage, actor, actor.person, WHY) == UnknownPerson()
        assert await staff.impersonate(stage, actor, NOBODY, WHY) == UnknownPerson()
        ani = await stage.member()
        assert await staff.ban(stage, actor, ani.person, WHY) == Done()
        assert await staff.impersonate(stage, actor, ani.person, WHY) == UnknownPerson()

    async def test_it_ends_when_who_looks_loses_the_role(
        self, stage: AccountsStage, database: DatabaseAddresses
    ) -> None:
        chief, helper, ani = await staffer(stage), await staffer(stage, SUPPORT), await stage.member()
        begun = await self.begun(stage, helper, ani.person)
        async with told_of_standing(database) as told:
            assert await staff.change_staff_role(stage, chief, helper.person, None, WHY) == Done()
            await hears(told, helper.person)
        assert await stage.standings.of(begun.session.id) is None
        assert await staff.ban(stage, chief, helper.person, WHY) == Done()
        assert await stage.standings.of(begun.session.id) is None
        assert await stage.living(ani) == 1

    async def test_it_ends_when_either_is_banned(self, stage: AccountsStage) -> None:
        chief, helper, ani = await staffer(stage), await staffer(stage, SUPPORT), await stage.member()
        begun = await self.begun(stage, helper, ani.person)
        assert await staff.ban(stage, chief, ani.person, WHY) == Done()
        with pytest.raises(SignedOutError):
            await as_known(stage, begun.session)
        assert await staff.lift_ban(stage, chief, ani.person, WHY) == Done()
        with pytest.raises(SignedOutError):
            await as_known(stage, begun.session)
        again = await self.begun(stage, helper, ani.person)
        assert await staff.end_sessions_of(stage, chief, helper.person, WHY) == Ended(2)
        assert await stage.standings.of(again.session.id) is None

    async def test_who_loses_the_permission_looks_no_longer(self, stage: AccountsStage) -> None:
        chief, helper, ani = await staffer(stage), await staffer(stage, SUPPORT), await stage.member()
        begun = await self.begun(stage, helper, ani.person)
        assert await staff.change_permissions(stage, chief, SUPPORT, frozenset(), WHY) == Done()
        assert await stage.standings.of(begun.session.id) is None


async def test_a_password_signs_nobody_in_who_is_banned_in_that_very_moment(stage: AccountsStage) -> None:
    actor, ani = await staffer(stage), await stage.member()
    await at_once(staff.ban(stage, actor, ani.person, WHY), *(stage.sign_in(password=PASSWORD) for _ in range(3)))
    assert await stage.living(ani) == 0
