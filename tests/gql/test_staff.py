"""The admin portal over HTTP: who is let in, what staff sees and does, and that a denial changes nothing."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncpg import Connection

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.seal import Sealer
from domain.actor import Actor
from domain.clock import system_clock
from domain.identity.model import Portal, Session
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from gql.access import Right, requirement
from gql.node import global_id
from gql.schema import build_schema
from tests.accounts_house import ME, AccountsHouse, bearer, running_accounts
from tests.people import enroll, open_session
from tests.staff_stage import WHY
from tests.waiting import eventually

CODE = "... on Refusal { code }"
PERSON = "personId: $person, reason: $why"
QUERIES = {
    "person": "person(id: $person) { id }",
    "people": 'people(search: {mail: "ani@mail.example"}) { id }',
    "roles": "roles { role permissions holders { id } }",
    "openMergeRequests": "openMergeRequests { edges { node { id } } }",
    "staffNetworks": "staffNetworks { network }",
    "auditLog": "auditLog { edges { node { action } } }",
    "verifyAuditLog": "verifyAuditLog { intact }",
}
MUTATIONS = {
    "setStaffRole": f"setStaffRole(input: {{{PERSON}, role: SUPPORT}}) {{ __typename {CODE} }}",
    "banPerson": f"banPerson(input: {{{PERSON}}}) {{ __typename {CODE} }}",
    "liftBan": f"liftBan(input: {{{PERSON}}}) {{ __typename {CODE} }}",
    "endPersonSessions": f"endPersonSessions(input: {{{PERSON}}}) {{ __typename {CODE} }}",
    "impersonate": f"impersonate(input: {{{PERSON}}}) {{ __typename {CODE} }}",
    "askToMerge": "askToMerge(input: {survivorId: $other, mergedId: $person, reason: $why}) { __typename "
    + CODE
    + " }",
    "decideMerge": "decideMerge(input: {requestId: $request, approve: true, reason: $why}) { __typename " + CODE + " }",
    "setRolePermissions": "setRolePermissions(input: {role: SUPPORT, permissions: [], reason: $why}) { __typename "
    + CODE
    + " }",
    "allowNetwork": 'allowNetwork(input: {network: "127.0.0.1/32", reason: $why}) { __typename ' + CODE + " }",
    "disallowNetwork": 'disallowNetwork(input: {network: "127.0.0.1/32", reason: $why}) { __typename ' + CODE + " }",
}
OF_MANAGERS = {
    *("person", "people", "roles", "openMergeRequests", "setStaffRole", "banPerson", "liftBan", "endPersonSessions"),
    *("impersonate", "askToMerge", "decideMerge"),
}
OF_AUDITORS = {"auditLog", "verifyAuditLog"}
OF_SUPER_ADMINS = (set(QUERIES) | set(MUTATIONS)) - OF_MANAGERS - OF_AUDITORS
VARIABLES = {"person": "ID!", "other": "ID!", "request": "ID!", "why": "String!"}
STATE = ("person", "membership", "session", "staff_role", "staff_network", "merge_request", "sign_in_identity", "deed")


def document(name: str) -> str:
    """One of the fields above, alone, with what it uses declared."""
    kind, text = ("query", QUERIES[name]) if name in QUERIES else ("mutation", MUTATIONS[name])
    used = ", ".join(f"${each}: {type_}" for each, type_ in VARIABLES.items() if f"${each}" in text)
    return f"{kind} {f'({used})' if used else ''} {{ {text} }}"


class StaffHouse:
    """The application, a player to be looked after, and members of staff."""

    def __init__(self, house: AccountsHouse) -> None:
        self.house, self.stage, self.pool = house, house.stage, house.stage.database.pool

    async def prepare(self) -> None:
        self.player, self.other = [await self.person() for _ in range(2)]
        self.given = {
            "person": global_id("Person", self.player.person), "other": global_id("Person", self.other.person),
            "request": global_id("MergeRequest", uuid7()), "why": WHY,
        }  # fmt: skip

    async def person(self, **more: Any) -> Session:
        """Somebody with a session and a key."""
        enrolled = await enroll(self.pool, **more)
        await self.stage.vault.create_key(enrolled.person)
        return enrolled.session

    async def staff(self, role: StaffRole = StaffRole.SUPER_ADMIN, *, fresh: bool = True) -> Session:
        """A member of staff, with a fresh code."""
        session = await self.person(staff=role)
        if fresh:
            await self.pool.execute("update session set stepped_up_at = now() where id = $1", session.id)
        return session

    def token(self, session: Session) -> dict[str, str]:
        return bearer({"accessToken": self.house.tokens.issue(session, self.stage.clock()).text})

    async def ask(self, name: str, session: Session | None, headers: Any = None, **given: Any) -> Any:
        """The answer to one of the fields above."""
        sent = {**(self.token(session) if session else {}), **(headers or {})}
        return await self.run(document(name), sent, **{**self.given, **given})

    async def run(self, query: str, headers: dict[str, str], **given: Any) -> Any:
        used = {name: value for name, value in given.items() if f"${name}" in query}
        return await self.house.run(query, headers, **used)

    async def one(self, name: str, session: Session, **given: Any) -> Any:
        (found,) = (await self.ask(name, session, **given)).data.values()
        return found

    async def is_out(self, session: Session) -> None:
        """Wait until a session is over for everybody."""
        await eventually(lambda: self.turned_away(session))

    async def turned_away(self, session: Session) -> bool:
        return (await self.house.run(ME, self.token(session))).status == 401

    async def state(self) -> list[object]:
        """What a denial must leave alone."""
        rows = "select md5(coalesce(string_agg(line::text, ';' order by line::text), '')) from {} as line"
        return [await self.stage.value(rows.format(table)) for table in STATE]


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[StaffHouse]:
    async with running_accounts(tmp_path, database) as running:
        prepared = StaffHouse(running)
        await prepared.prepare()
        yield prepared


async def kinds(house: StaffHouse) -> dict[str, Session | None]:
    """Everybody who has no business in the admin portal."""
    chief = await house.staff()
    no_factor = await open_session(house.pool, chief.person, Portal.ADMIN, second_factor_at=None)
    return {
        "nobody": None,
        "player": house.player,
        "streamer": await house.person(streamer=True),
        "brand owner": await house.person(brands={BrandId(uuid7()): BrandRole.OWNER}),
        "super admin without a second factor": no_factor,
        "super admin in another portal": await open_session(house.pool, chief.person, Portal.PLAYER),
        "super admin through a player's eyes": await open_session(
            house.pool, house.player.person, impersonator=chief.person
        ),
        "moderator": await house.staff(StaffRole.MODERATOR),
    }


@pytest.mark.parametrize("name", [*QUERIES, *MUTATIONS])
async def test_nobody_else_is_let_in_and_a_denial_changes_nothing(house: StaffHouse, name: str) -> None:
    everybody = await kinds(house)
    if name in OF_SUPER_ADMINS or name in OF_AUDITORS:
        everybody["support"] = await house.staff(StaffRole.SUPPORT)
    if name in OF_SUPER_ADMINS:
        everybody["admin"] = await house.staff(StaffRole.ADMIN)
    before = await house.state()
    for kind, session in everybody.items():
        reply = await house.ask(name, session)
        assert reply.codes == ["UNAUTHENTICATED" if session is None else "FORBIDDEN"], f"{kind}: {reply.text}"
        assert not any((reply.body["data"] or {}).values()), kind
    assert await house.state() == before


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_deed_takes_a_reason_and_a_fresh_code(house: StaffHouse, name: str) -> None:
    stale, chief = await house.staff(fresh=False), await house.staff()
    before = await house.state()
    assert (await house.one(name, stale))["code"] == "STEP_UP_REQUIRED"
    assert (await house.one(name, chief, why=" "))["code"] == "REASON_REQUIRED"
    for wrong in ("person", "other", "request"):
        if f"${wrong}" in MUTATIONS[name]:
            for id_ in ("nonsense", global_id("Session", uuid7()), global_id(wrong.title(), "7")):
                assert (await house.ask(name, chief, **{wrong: id_})).codes == ["BAD_INPUT"]
    assert await house.state() == before


async def test_somebody_unknown_is_refused(house: StaffHouse) -> None:
    chief = await house.staff()
    for name in ("setStaffRole", "banPerson", "liftBan", "endPersonSessions", "impersonate", "askToMerge"):
        found = await house.one(name, chief, person=global_id("Person", uuid7()))
        assert found["code"] == "UNKNOWN_PERSON", name
    assert await house.one("person", chief, person=global_id("Person", uuid7())) is None
    assert (await house.one("decideMerge", chief))["code"] == "MERGE_REFUSED"


async def test_a_person_is_found_by_what_is_known_of_them_and_by_nothing_less(house: StaffHouse) -> None:
    tokens = await house.house.signed_up()
    support, chief = await house.staff(StaffRole.SUPPORT), await house.staff()
    query = """query ($search: PeopleSearch!) { people(search: $search) {
      id status name mail mailVerifiedAt locale createdAt banReason survivor { id } merged { id }
      identities { provider subject } sessions { device place portal impersonated }
      memberships { kind role since }
    } }"""

    async def found(**search: Any) -> Any:
        return (await house.run(query, house.token(support), search=search)).data["people"]

    (ani,) = await found(mail="ANI@mail.example")
    person = tokens["person"]["viewerId"]
    assert (ani["name"], ani["mail"], ani["status"], ani["survivor"], ani["merged"]) == (
        "Ani", "ani@mail.example", "ACTIVE", None, [],
    )  # fmt: skip
    assert ani["identities"] == [{"provider": "PASSWORD", "subject": "ani@mail.example"}]
    (session,) = ani["sessions"]
    assert session == {"device": "a browser", "place": "127.0.0.1", "portal": "PLAYER", "impersonated": False}
    assert person != ani["id"]
    plain = str(await house.stage.value("select id from person where mail is not null"))
    for search in (
        {"id": ani["id"]}, {"id": plain}, {"id": f"person:{plain}"},
        {"subject": {"provider": "PASSWORD", "subject": "ani@mail.example"}},
    ):  # fmt: skip
        assert [each["id"] for each in await found(**search)] == [ani["id"]]
    for search in (
        {"mail": "ani@mail"}, {"mail": "budi@mail.example"}, {"id": str(uuid7())},
        {"subject": {"provider": "GOOGLE", "subject": "ani@mail.example"}},
    ):  # fmt: skip
        assert await found(**search) == []
    for search in ({}, {"id": plain, "mail": "ani@mail.example"}):
        assert (await house.run(query, house.token(support), search=search)).codes == ["BAD_INPUT"]
    (member,) = (await house.run(query, house.token(support), search={"id": str(chief.person)})).data["people"]
    assert {(each["kind"], each["role"]) for each in member["memberships"]} == {
        ("PLAYER", None), ("STAFF", "super_admin"),
    }  # fmt: skip


async def test_wallets_are_seen_with_a_permission_of_their_own(house: StaffHouse) -> None:
    wallet = await house.house.ports.wallet(Actor(house.player.person))
    await house.house.ports.credit(wallet, 70)
    query = "query ($person: ID!) { person(id: $person) { wallets { purpose balance { total { amount } } owner } } }"
    chief, support = await house.staff(), await house.staff(StaffRole.SUPPORT)
    reply = await house.run(query, house.token(support), **house.given)
    (seen,) = reply.data["person"]["wallets"]
    assert (seen["balance"]["total"]["amount"], seen["owner"]) == ("70.00", f"person:{house.player.person}")
    assert (
        await house.run(
            "mutation ($why: String!) { setRolePermissions(input: {role: SUPPORT, permissions: [MANAGE_USERS],"
            " reason: $why}) { ... on RoleChanged { role { permissions } } } }",
            house.token(chief),
            **house.given,
        )
    ).data["setRolePermissions"] == {"role": {"permissions": ["MANAGE_USERS"]}}
    await eventually(lambda: sees(house, support, "SUPPORT", ["MANAGE_USERS"]))
    assert (await house.run(query, house.token(support), **house.given)).codes == ["FORBIDDEN"]


async def sees(house: StaffHouse, session: Session, role: str | None, permissions: list[str]) -> bool:
    """Whether somebody sees themselves as staff so."""
    seen = (await house.run("{ viewer { staffRole permissions } }", house.token(session))).data["viewer"]
    return [seen["staffRole"], seen["permissions"]] == [role, permissions]


async def test_a_role_is_given_and_seen_and_taken(house: StaffHouse) -> None:
    chief, portal = await house.staff(), await open_session(house.pool, house.player.person, Portal.ADMIN)
    viewer = "{ viewer { staffRole permissions impersonator } }"
    seen = (await house.run(viewer, house.token(chief))).data["viewer"]
    assert (seen["staffRole"], len(seen["permissions"]), seen["impersonator"]) == ("SUPER_ADMIN", 10, None)
    assert (await house.one("setStaffRole", chief))["__typename"] == "PersonChanged"
    await eventually(lambda: sees(house, portal, "SUPPORT", ["MANAGE_USERS", "VIEW_FINANCIALS"]))
    holders = {each["role"]: each["holders"] for each in await house.one("roles", chief)}
    assert holders["SUPPORT"] == [{"id": house.given["person"]}]
    take = """mutation ($person: ID!, $why: String!) {
      setStaffRole(input: {personId: $person, reason: $why}) {
        ... on PersonChanged { person { id status memberships { kind } } } ... on Refusal { code }
      }
    }"""
    taken = (await house.run(take, house.token(chief), **house.given)).data["setStaffRole"]["person"]
    assert taken == {"id": house.given["person"], "status": "ACTIVE", "memberships": [{"kind": "PLAYER"}]}
    await eventually(lambda: sees(house, portal, None, []))
    own = {**house.given, "person": global_id("Person", chief.person)}
    assert (await house.run(take, house.token(chief), **own)).data["setStaffRole"] == {"code": "LAST_SUPER_ADMIN"}


async def test_a_banned_person_is_out_at_once(house: StaffHouse) -> None:
    support = await house.staff(StaffRole.SUPPORT)
    assert (await house.house.run(ME, house.token(house.player))).status == 200
    assert (await house.one("banPerson", support))["__typename"] == "PersonChanged"
    await house.is_out(house.player)
    assert (await house.one("banPerson", support))["code"] == "UNKNOWN_PERSON"
    assert (await house.one("liftBan", support))["__typename"] == "PersonChanged"
    assert await house.turned_away(house.player)
    session = await open_session(house.pool, house.player.person)
    assert (await house.house.run(ME, house.token(session))).status == 200
    assert (await house.one("endPersonSessions", support))["__typename"] == "SessionsEnded"
    await house.is_out(session)


async def test_who_looks_through_somebodys_eyes_sees_a_banner_and_changes_nothing(house: StaffHouse) -> None:
    support = await house.staff(StaffRole.SUPPORT)
    begin = """mutation ($person: ID!, $why: String!) { impersonate(input: {personId: $person, reason: $why}) {
      ... on SignedIn { accessToken refreshToken expiresAt } ... on Refusal { code }
    } }"""
    made = (await house.run(begin, house.token(support), **house.given)).data["impersonate"]
    assert made["refreshToken"] is None
    token = bearer(made)
    seen = (await house.run("{ viewer { id impersonator staffRole } }", token)).data["viewer"]
    assert seen == {
        "id": global_id("Viewer", house.player.person), "staffRole": None,
        "impersonator": global_id("Person", support.person),
    }  # fmt: skip
    before = await house.state()
    for query in (
        "mutation { openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename } }",
        "mutation { endOtherSessions(input: {}) { __typename } }",
        document("banPerson"),
    ):
        assert (await house.run(query, token, **house.given)).codes == ["FORBIDDEN"], query
    assert await house.state() == before
    out = "mutation { signOut(input: {}) { __typename } }"
    assert (await house.run(out, token)).data == {"signOut": {"__typename": "SessionsEnded"}}
    await eventually(lambda: refused(house, token))
    assert (await house.house.run(ME, house.token(house.player))).status == 200


async def refused(house: StaffHouse, token: dict[str, str]) -> bool:
    return bool((await house.run("{ viewer { id } }", token)).status == 401)


async def test_two_of_staff_make_two_people_one(house: StaffHouse) -> None:
    one, other = await house.staff(StaffRole.SUPPORT), await house.staff(StaffRole.SUPPORT)
    assert (await house.one("askToMerge", one))["__typename"] == "MergeRequest"
    listed = "{ openMergeRequests { edges { node { id reason survivor { id } merged { id } askedBy { id } } } } }"
    (edge,) = (await house.run(listed, house.token(other))).data["openMergeRequests"]["edges"]
    request = edge["node"]
    assert (request["survivor"]["id"], request["merged"]["id"]) == (house.given["other"], house.given["person"])
    assert (request["reason"], request["askedBy"]["id"]) == (WHY, global_id("Person", one.person))
    assert (await house.one("decideMerge", one, request=request["id"]))["code"] == "FOUR_EYES_REQUIRED"
    assert (await house.one("decideMerge", other, request=request["id"]))["__typename"] == "MergeRequest"
    assert (await house.run(listed, house.token(other))).data["openMergeRequests"]["edges"] == []
    seen = "query ($person: ID!) { person(id: $person) { status survivor { id merged { id } } } }"
    found = (await house.run(seen, house.token(one), **house.given)).data["person"]
    assert found["status"] == "MERGED"
    assert found["survivor"] == {"id": house.given["other"], "merged": [{"id": house.given["person"]}]}
    await house.is_out(house.player)


class TestAuditLog:
    LOG = """query ($filter: AuditFilter, $after: Cursor, $first: Int!) {
      auditLog(filter: $filter, after: $after, first: $first) {
        edges { cursor node {
          action target place device reason erased requestId recordedAt
          actor { id } about { id } impersonator { id } before { name value } after { name value }
        } }
        pageInfo { hasNextPage endCursor }
      }
    }"""

    async def page(self, house: StaffHouse, session: Session, first: int = 20, **given: Any) -> Any:
        return (await house.run(self.LOG, house.token(session), first=first, **given)).data["auditLog"]

    async def test_it_tells_who_did_what_and_that_it_was_read(self, house: StaffHouse) -> None:
        chief, auditor = await house.staff(), await house.staff(StaffRole.ADMIN)
        await house.one("setStaffRole", chief)
        only = {"action": "staff.", "aboutId": house.given["person"]}
        (edge,) = (await self.page(house, auditor, filter=only))["edges"]
        deed = edge["node"]
        assert (deed["action"], deed["target"]) == ("staff.role_changed", f"person:{house.player.person}")
        assert (deed["place"], deed["device"], deed["reason"]) == ("127.0.0.1", "a browser", WHY)
        assert (deed["actor"]["id"], deed["about"]["id"]) == (
            global_id("Person", chief.person), house.given["person"],
        )  # fmt: skip
        assert deed["before"] == [{"name": "role", "value": "null"}]
        assert deed["after"] == [{"name": "role", "value": '"support"'}]
        (edge,) = (await self.page(house, auditor, filter={"actorId": global_id("Person", auditor.person)}))["edges"]
        read = edge["node"]
        assert (read["action"], read["target"], read["place"]) == ("audit_log.read", "audit_log", "127.0.0.1")
        assert {each["name"]: each["value"] for each in read["after"]} == {
            "about": f'"{house.player.person}"', "action": '"staff."',
        }  # fmt: skip

    async def test_it_is_read_in_pages_while_it_grows(self, house: StaffHouse) -> None:
        chief = await house.staff()
        for _ in range(4):
            await house.one("endPersonSessions", chief)
        only, seen, after = {"action": "person."}, [], None
        for size in (2, 1, 1):
            page = await self.page(house, chief, size, filter=only, after=after)
            seen += [edge["cursor"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            assert page["pageInfo"]["hasNextPage"] is (len(seen) < 4)
        assert len(set(seen)) == 4
        bad: list[dict[str, Any]] = [
            {"after": "nonsense"}, {"first": 0}, {"first": 101}, {"filter": {"target": "nul\0"}},
            {"filter": {"actorId": "me"}},
        ]  # fmt: skip
        for given in bad:
            assert (await house.run(self.LOG, house.token(chief), **{"first": 1, **given})).codes == ["BAD_INPUT"]

    async def test_it_is_verified(self, house: StaffHouse, database: DatabaseAddresses) -> None:
        chief = await house.staff()
        await house.one("endPersonSessions", chief)
        verify = """query ($oldest: Cursor, $first: Int! = 20) {
          verifyAuditLog(oldest: $oldest, first: $first) { intact deeds unsealed firstWrong next }
        }"""
        found = (await house.run(verify, house.token(chief))).data["verifyAuditLog"]
        assert (found["intact"], found["firstWrong"], found["deeds"]) == (True, None, 1)
        (edge,) = (await self.page(house, chief))["edges"]
        found = (await house.run(verify, house.token(chief), oldest=edge["cursor"])).data["verifyAuditLog"]
        assert (found["intact"], found["deeds"], found["next"]) == (True, 2, None)
        for bad in (0, 101):
            assert (await house.run(verify, house.token(chief), first=bad)).codes == ["BAD_INPUT"]

    async def test_it_is_verified_link_by_link(self, house: StaffHouse, database: DatabaseAddresses) -> None:
        chief = await house.staff()
        async with house.stage.database.direct() as connection:
            sealer = Sealer(connection, bytes(32), system_clock)
            for number in range(1, 4):
                await house.one("endPersonSessions", chief)

                async def sealed(number: int = number) -> bool:
                    await sealer.seal_all()
                    return await house.stage.count("seal") == number

                assert await eventually(sealed)
        verify = "query ($oldest: Cursor) { verifyAuditLog(oldest: $oldest, first: 1) { intact deeds next } }"
        seen: list[tuple[bool, int]] = []
        oldest = None
        while not seen or oldest:
            found = (await house.run(verify, house.token(chief), oldest=oldest)).data["verifyAuditLog"]
            seen, oldest = [*seen, (found["intact"], found["deeds"])], found["next"]
        assert seen[:3] == [(True, 1)] * 3
        assert sum(deeds for _, deeds in seen) == 3

    async def test_an_auditor_without_the_permission_sees_ids_alone(self, house: StaffHouse) -> None:
        chief, support = await house.staff(), await house.staff(StaffRole.SUPPORT)
        await house.one("endPersonSessions", support)
        allow = """mutation ($why: String!) { setRolePermissions(
          input: {role: MODERATOR, permissions: [ACCESS_AUDIT], reason: $why}) { __typename } }"""
        assert (await house.run(allow, house.token(chief), **house.given)).status == 200
        auditor = await house.staff(StaffRole.MODERATOR)
        query = "{ auditLog { edges { node { about { %s } } } } }"
        reply = await house.run(query % "id", house.token(auditor))
        assert {"id": house.given["person"]} in [each["node"]["about"] for each in reply.data["auditLog"]["edges"]]
        reply = await house.run(query % "id mail", house.token(auditor))
        assert set(reply.codes) == {"FORBIDDEN"}


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that is sent to PostgreSQL meanwhile, but for signs of life."""
    sent: list[str] = []
    execute = Connection._execute

    async def noted(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        if query != "select 1":
            sent.append(query)
        return await execute(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_execute", noted)
        yield sent


async def test_lists_cost_as_many_statements_whatever_their_length(
    house: StaffHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = """{ id status name mail survivor { id } merged { id status } identities { subject }
      sessions { place } memberships { kind } wallets { owner } }"""
    merges = f"""query ($n: Int!) {{ openMergeRequests(first: $n) {{ edges {{ node {{
      survivor {person} merged {person} askedBy {{ id name }}
    }} }} }} }}"""
    log = """query ($n: Int!) { auditLog(first: $n) { edges { node {
      action actor { id name sessions { place } } about { id name memberships { kind } }
    } } } }"""
    roles = "{ roles { role holders { id name memberships { kind } } } }"
    chief = await house.staff()
    for _ in range(12):
        first, second, by = [await house.person() for _ in range(2)] + [await house.staff(StaffRole.SUPPORT)]
        given = {"other": global_id("Person", first.person), "person": global_id("Person", second.person)}
        await house.one("askToMerge", by, **given)
    for query, sizes in ((merges, (2, 12)), (log, (8, 16)), (roles, (0, 30))):
        counts = []
        for size in sizes:
            if query is roles:
                for _ in range(size):
                    await house.staff(StaffRole.MODERATOR, fresh=False)
            await house.run("{ viewer { id } }", house.token(chief))
            house.house.ports.calls.clear()
            with statements(monkeypatch) as sent:
                reply = await house.run(query, house.token(chief), n=size)
            assert "errors" not in reply.body, reply.text
            counts.append((len([each for each in sent if "from session\njoin person" not in each]),
                           house.house.ports.calls["accounts_of"]))  # fmt: skip
        assert counts[0] == counts[1], query
        assert counts[0][0] <= 12


class TestBehindAProxy:
    """Staff works from networks that are allowed, as the last proxy that is ours tells them."""

    OFFICE, ELSEWHERE = "203.0.113.9", "198.51.100.7"

    async def role(self, house: StaffHouse, session: Session, told: str | None) -> object:
        sent = house.token(session) | ({"X-Forwarded-For": told} if told is not None else {})
        return (await house.run("{ viewer { staffRole } }", sent)).data["viewer"]["staffRole"]

    async def is_let_in(self, house: StaffHouse, session: Session, told: str) -> bool:
        return await self.role(house, session, told) == "SUPER_ADMIN"

    async def is_shut_out(self, house: StaffHouse, session: Session, told: str) -> bool:
        return await self.role(house, session, told) is None

    @pytest.fixture
    async def behind(self, tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[StaffHouse]:
        async with running_accounts(tmp_path, database, trusted_proxies=1) as running:
            prepared = StaffHouse(running)
            await prepared.prepare()
            await prepared.pool.execute("insert into staff_network values ('203.0.113.0/24', 'office')")
            yield prepared

    async def test_what_our_proxy_saw_counts_and_not_what_a_client_says(self, behind: StaffHouse) -> None:
        chief = await behind.staff()
        assert await self.role(behind, chief, self.OFFICE) == "SUPER_ADMIN"
        forged = f"{self.OFFICE}, {self.ELSEWHERE}"
        for told in (self.ELSEWHERE, forged, f"{self.OFFICE}, {self.OFFICE}, {self.ELSEWHERE}", "", None):
            assert await self.role(behind, chief, told) is None, told
        before = await behind.state()
        for name in (*QUERIES, *MUTATIONS):
            assert (await behind.ask(name, chief, {"X-Forwarded-For": forged})).codes == ["FORBIDDEN"], name
        assert await behind.state() == before
        reply = await behind.ask("roles", chief, {"X-Forwarded-For": f"{self.ELSEWHERE}, {self.OFFICE}"})
        assert len(reply.data["roles"]) == 4

    async def test_without_proxies_of_ours_nobody_says_where_they_are(self, house: StaffHouse) -> None:
        chief = await house.staff()
        assert await self.role(house, chief, None) == "SUPER_ADMIN"
        await house.pool.execute("insert into staff_network values ('203.0.113.0/24', 'office')")
        await eventually(lambda: sees(house, chief, None, []))
        for told in (None, self.OFFICE, "127.0.0.1"):
            assert await self.role(house, chief, told) is None

    async def test_the_network_of_who_removes_it_stays(self, behind: StaffHouse) -> None:
        chief = await behind.staff()
        office = {"X-Forwarded-For": self.OFFICE}
        change = """mutation ($network: String!, $why: String!) {
          %s(input: {network: $network, reason: $why}) {
            ... on NetworksChanged { networks { network note addedBy { id } } } ... on Refusal { code }
          }
        }"""
        given = {**behind.given, "network": "2001:db8::/32"}
        made = (await behind.run(change % "allowNetwork", behind.token(chief) | office, **given)).data["allowNetwork"]
        by = {"id": global_id("Person", chief.person)}
        assert {"network": "2001:db8::/32", "note": WHY, "addedBy": by} in made["networks"]
        await eventually(lambda: self.is_let_in(behind, chief, "2001:db8::7"))
        given["network"] = "203.0.113.0/24"
        refused = await behind.run(change % "disallowNetwork", behind.token(chief) | office, **given)
        assert refused.data["disallowNetwork"] == {"code": "NOT_A_NETWORK"}
        away = {"X-Forwarded-For": "2001:db8::7"}
        done = await behind.run(change % "disallowNetwork", behind.token(chief) | away, **given)
        assert [each["network"] for each in done.data["disallowNetwork"]["networks"]] == ["2001:db8::/32"]
        await eventually(lambda: self.is_shut_out(behind, chief, self.OFFICE))


def test_every_root_field_of_staff_is_asked_above() -> None:
    core = build_schema().core
    found = {
        name
        for root in (core.query_type, core.mutation_type)
        if root is not None
        for name, declared in root.fields.items()
        if (requires := requirement(declared)) is not None and requires.right is Right.STAFF
    }
    with_streamers = {"platformLinksToCheck", "confirmPlatformLink", "rejectPlatformLink"}
    with_brands = {"brandCases", "decideBrand"}
    with_overlays = {"switchStreamerOverlays"}
    with_campaigns = {"campaignCases", "creativesToReview", "decideCreative"}
    with_campaigns |= {f"{step}Campaign" for step in ("decide", "suspend", "reinstate")}
    with_invoices = {"invoices"}
    with_messages = {"reportedMessages", "participationMessages", "hideMessage", "dismissMessageReport"}
    with_earnings = {"minutesToReview", "reviewMinute", "disputesToDecide", "decideDispute"}
    beside_people = with_overlays | with_brands | with_streamers | with_campaigns | with_earnings | with_invoices
    beside_people |= with_messages
    elsewhere = {"lookUpRetained", *beside_people}  # with privacy
    assert found - elsewhere == OF_MANAGERS | OF_AUDITORS | OF_SUPER_ADMINS == {*QUERIES, *MUTATIONS}


async def test_who_lays_their_role_down_does_nothing_more_with_it_in_the_same_request(house: StaffHouse) -> None:
    chief, _ = await house.staff(), await house.staff()
    both = """mutation ($me: ID!, $person: ID!, $why: String!) {
      a: setStaffRole(input: {personId: $me, reason: $why}) { __typename }
      b: banPerson(input: {personId: $person, reason: $why}) { __typename }
    }"""
    me = global_id("Person", chief.person)
    assert (await house.run(both, house.token(chief), me=me, **house.given)).codes == ["FORBIDDEN"]
    assert await house.stage.value("select status from person where id = $1", house.player.person) == "active"
    kept = "select count(*) from membership where person = $1 and kind = 'staff' and ended_at is null"
    assert await house.stage.value(kept, chief.person) == 0
