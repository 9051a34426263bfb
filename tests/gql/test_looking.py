"""Whoever of staff looks at somebody stands in the audit log; whoever looks at what is theirs does not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.deeds import PostgresDeeds
from domain.audit_log import DeedFilter, KeptDeed
from domain.errors import UnavailableError
from domain.identity.model import Session
from domain.ids import PersonId
from domain.rights import StaffRole
from gql.node import global_id
from gql.schema import build_schema
from tests.accounts_house import running_accounts
from tests.gql.test_staff import StaffHouse

PERSON = "query ($person: ID!) { person(id: $person) { %s } }"
SEARCH = "query ($search: PeopleSearch!) { people(search: $search) { %s } }"
EVERYTHING = """id status name mail mailVerifiedAt locale createdAt banReason survivor { id } merged { id }
  identities { provider } sessions { device } memberships { kind } wallets { owner }"""
FIELDS = (
    "status", "name", "mail", "mailVerifiedAt", "locale", "createdAt", "banReason", "survivor { id }", "merged { id }",
    "identities { provider }", "sessions { device }", "memberships { kind }", "wallets { owner }",
)  # fmt: skip


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[StaffHouse]:
    async with running_accounts(tmp_path, database) as running:
        prepared = StaffHouse(running)
        await prepared.prepare()
        yield prepared


def log(house: StaffHouse) -> PostgresDeeds:
    return PostgresDeeds(house.stage.database, house.stage.vault, bytes(32))


async def looks(house: StaffHouse) -> list[KeptDeed]:
    """Every deed of looking, oldest first."""
    return list(reversed(await log(house).page(DeedFilter(action="person.looked_up"), 100)))


def seen_in(deed: KeptDeed) -> set[str]:
    """Whom a deed of looking names."""
    if deed.target != "people":
        return {deed.target.removeprefix("person:")}
    return {str(value) for value in deed.told.after.values()} if deed.told else set()


async def answered(house: StaffHouse, query: str, session: Session, **given: Any) -> Any:
    reply = await house.run(query, house.token(session), **{**house.given, **given})
    assert "errors" not in reply.body, reply.text
    return reply.data


async def test_who_looks_at_everything_of_a_person_leaves_one_deed(house: StaffHouse) -> None:
    support = await house.staff(StaffRole.SUPPORT)
    assert (await answered(house, PERSON % EVERYTHING, support))["person"]["status"] == "ACTIVE"
    (deed,) = await looks(house)
    assert (deed.actor, deed.session, deed.target, deed.about) == (
        support.person, support.id, f"person:{house.player.person}", house.player.person,
    )  # fmt: skip
    assert deed.origin is not None
    assert (deed.origin.address, deed.origin.device, deed.request_id is not None) == ("127.0.0.1", "a browser", True)
    verification = await log(house).verify()
    assert (verification.intact, verification.deeds) == (True, await house.stage.count("deed"))


@pytest.mark.parametrize("search", ["id", "plain", "mail"])
async def test_who_finds_somebody_leaves_one_though_they_ask_for_nothing_else(house: StaffHouse, search: str) -> None:
    support = await house.staff(StaffRole.SUPPORT)
    await house.house.signed_up()
    person = await house.pool.fetchval("select id from person where mail is not null")
    known = {
        "id": {"id": global_id("Person", PersonId(person))}, "plain": {"id": str(person)},
        "mail": {"mail": "ani@mail.example"},
    }  # fmt: skip
    assert len((await answered(house, SEARCH % "id", support, search=known[search]))["people"]) == 1
    (deed,) = await looks(house)
    assert seen_in(deed) == {str(person)}


async def test_every_field_of_a_person_leaves_one_and_the_id_alone_none(house: StaffHouse) -> None:
    chief = await house.staff()
    await house.one("askToMerge", await house.staff(StaffRole.SUPPORT))
    listed = "{ openMergeRequests { edges { node { survivor { %s } } } } }"
    await answered(house, listed % "id", chief)
    assert await looks(house) == []
    for number, field in enumerate(FIELDS, 1):
        await answered(house, listed % field, chief)
        deeds = await looks(house)
        assert len(deeds) == number, field
        assert seen_in(deeds[-1]) == {str(house.other.person)}


async def test_many_at_once_are_one_deed_that_names_them_all(house: StaffHouse) -> None:
    chief, moderators = await house.staff(), [await house.staff(StaffRole.MODERATOR) for _ in range(30)]
    await answered(house, "{ roles { holders { id name status memberships { kind } } } }", chief)
    (deed,) = await looks(house)
    assert deed.target == "people"
    assert seen_in(deed) == {str(each.person) for each in moderators}


async def test_why_two_should_be_one_is_looked_at_too(house: StaffHouse) -> None:
    await house.one("askToMerge", await house.staff(StaffRole.SUPPORT))
    chief = await house.staff()
    await answered(house, "{ openMergeRequests { edges { node { reason } } } }", chief)
    (deed,) = await looks(house)
    assert seen_in(deed) == {str(house.player.person)}


async def test_who_looks_at_what_is_theirs_leaves_none(house: StaffHouse) -> None:
    tokens = await house.house.signed_up()
    mine = "{ viewer { name mail sessions { device } identities { provider } wallets { id } } }"
    reply = await house.house.run(mine, {"Authorization": f"Bearer {tokens['accessToken']}"})
    assert "errors" not in reply.body, reply.text
    chief = await house.staff()
    await answered(house, PERSON % EVERYTHING, chief, person=global_id("Person", chief.person))
    await answered(house, mine, chief)
    assert await looks(house) == []


async def test_a_denial_is_no_look(house: StaffHouse) -> None:
    moderator = await house.staff(StaffRole.MODERATOR)
    reply = await house.run(PERSON % EVERYTHING, house.token(moderator), **house.given)
    assert reply.codes == ["FORBIDDEN"]
    assert await looks(house) == []


async def test_nobody_is_seen_unseen(house: StaffHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    support = await house.staff(StaffRole.SUPPORT)

    async def away(*_: Any) -> None:
        raise UnavailableError("the audit log is full")

    monkeypatch.setattr("adapters.postgres.work.write_deed", away)
    reply = await house.run(PERSON % "name", house.token(support), **house.given)
    assert reply.codes == ["UNAVAILABLE"]
    assert reply.body["data"] == {"person": None}


def test_every_field_of_a_person_is_looked_at_above() -> None:
    person = build_schema().core.type_map["Person"]
    assert isinstance(person, GraphQLObjectType)
    assert {field.split()[0] for field in FIELDS} == {*person.fields} - {"id"}
