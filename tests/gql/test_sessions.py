"""Sessions at the doors: a token is worth what its session is, now and for as long as a socket is open."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.demo import DEMO, demo_session
from domain.actor import Actor, Origin
from domain.errors import UnavailableError
from domain.identity.model import PersonStatus, Portal, Session, SessionEnd, SignedOutError
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from gql.doorkeeper import CHANGED, ENDED, Doorkeeper
from gql.node import global_id
from tests.fakes import FakePorts, somebody
from tests.gql.house import House, Socket
from tests.gql.test_live import FOLLOW
from tests.people import session_of
from tests.waiting import eventually

VIEWER = "{ viewer { id } }"
NOW = datetime.now(UTC)

LOST: dict[str, dict[str, Any]] = {
    "ended": {"ended_at": NOW, "end_reason": SessionEnd.REVOKED},
    "past its time": {"expires_at": NOW - timedelta(days=365)},
    "idle staff": {"portal": Portal.ADMIN, "last_used_at": NOW - timedelta(days=365)},
}


class TestOverHttp:
    @pytest.mark.parametrize("changes", LOST.values(), ids=LOST.keys())
    async def test_a_token_of_a_session_that_is_over_is_no_good(self, house: House, changes: dict[str, Any]) -> None:
        session = house.ports.standings.begin(session_of(somebody().person, **changes))
        actor = Actor(session.person)
        reply = await house.ask(VIEWER, actor)
        assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])
        assert not house.ports.standings.uses

    @pytest.mark.parametrize("status", [status for status in PersonStatus if status is not PersonStatus.ACTIVE])
    async def test_only_active_people_come_in(self, house: House, status: PersonStatus) -> None:
        me = somebody()
        assert (await house.ask(VIEWER, me)).status == 200
        house.ports.standings.change(house.session(me), status=status)
        reply = await house.ask(VIEWER, me)
        assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])

    async def test_a_token_of_a_session_that_is_not_there_is_no_good(self, house: House) -> None:
        me = somebody()
        headers = house.headers(me)
        house.ports.standings.known.clear()
        reply = await house.request("POST", json={"query": VIEWER}, headers=headers)
        assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])

    async def test_a_token_that_names_another_than_its_session_is_no_good(self, house: House) -> None:
        session = house.session(somebody())
        other = Session(
            session.id, somebody().person, session.portal, NOW, NOW, NOW, session.expires_at
        )  # fmt: skip
        token = house.tokens.issue(other, datetime.now(UTC)).text
        headers = {"Authorization": f"Bearer {token}"}
        reply = await house.request("POST", json={"query": VIEWER}, headers=headers)
        assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])
        async with house.socket() as socket:
            await socket.send({"type": "connection_init", "payload": {"token": token}})
            assert await socket.closing() == (4403, "Forbidden")

    async def test_where_nobody_can_say_it_may_be_tried_again(self, house: House) -> None:
        me = somebody()
        headers = house.headers(me)
        house.ports.standings.away = True
        reply = await house.request("POST", json={"query": VIEWER}, headers=headers)
        assert (reply.status, reply.codes) == (503, ["UNAVAILABLE"])
        assert reply.body["errors"][0]["extensions"]["retryable"] is True
        assert "data" not in reply.body
        assert (await house.ask("{ __typename }")).status == 200

    async def test_a_request_is_a_use(self, house: House) -> None:
        me = somebody()
        await house.ask(VIEWER, me)
        assert set(house.ports.standings.uses) == {house.session(me).id}


async def watching(house: House, me: Actor, socket: Socket) -> None:
    wallet = await house.ports.wallet(me)
    await socket.subscribe("1", FOLLOW, id=global_id("Wallet", wallet))
    assert (await socket.data("1"))["walletChanged"]["__typename"] == "WalletSnapshot"


async def stays(socket: Socket) -> None:
    await socket.send({"type": "ping"})
    assert await socket.next() == {"type": "pong"}


class TestOnSockets:
    async def test_who_is_banned_must_leave_and_all_others_stay(self, house: House) -> None:
        me, other = somebody(), somebody()
        async with house.conversation(me) as mine, house.conversation(me) as too, house.conversation(other) as others:
            await watching(house, me, mine)
            house.ports.standings.change(house.session(me), status=PersonStatus.BANNED)
            assert await mine.closing() == (4403, ENDED)
            assert await too.closing() == (4403, ENDED)
            await stays(others)

    async def test_who_has_other_rights_is_to_connect_again(self, house: House) -> None:
        me = somebody()
        async with house.conversation(me) as socket:
            await watching(house, me, socket)
            house.ports.standings.change(house.session(me), brands={BrandId(uuid7()): BrandRole.VIEWER})
            assert await socket.closing() == (4403, CHANGED)

    async def test_a_fresh_code_ends_nothing_and_counts_from_then_on(self) -> None:
        ports, left = FakePorts(), list[str]()
        session = ports.standings.begin(session_of(somebody().person))
        async with Doorkeeper(ports).on_duty() as keeper:
            guest = await keeper.admit(session.id, Origin("127.0.0.1", "1"), left.append)
            before = guest.actor
            stepped = replace(session, stepped_up_at=NOW)
            ports.standings.change(session, session=stepped)
            await eventually(lambda: guest.actor.stepped_up_until is not None)
            assert before.stepped_up_until is None
            assert not left

    async def test_staff_of_a_network_that_is_taken_away_must_leave(self, house: House) -> None:
        session = house.ports.standings.begin(
            session_of(somebody().person, Portal.ADMIN), staff_role=StaffRole.SUPPORT, networks=("127.0.0.0/8",)
        )
        async with house.conversation(Actor(session.person)) as socket:
            house.ports.standings.change(session, networks=("10.0.0.0/8",))
            assert await socket.closing() == (4403, CHANGED)

    async def test_all_who_are_in_doubt_are_judged_by_one_look(self, house: House) -> None:
        people = [somebody() for _ in range(5)]
        async with (
            house.conversation(people[0]) as first,
            house.conversation(people[1]) as second,
            house.conversation(people[2]) as third,
        ):
            house.ports.standings.looks.clear()
            for me in people:
                house.ports.standings.tell(me.person)
            await eventually(lambda: house.ports.standings.looks)
            house.ports.standings.tell(None)
            await eventually(lambda: len(house.ports.standings.looks) == 2)
            assert house.ports.standings.looks == [3, 3]
            for socket in (first, second, third):
                await stays(socket)

    async def test_while_nobody_can_say_all_stay_and_are_judged_later(self, house: House) -> None:
        me = somebody()
        async with house.conversation(me) as socket:
            house.ports.standings.away = True
            house.ports.standings.looks.clear()
            house.ports.standings.change(house.session(me), status=PersonStatus.BANNED)
            await eventually(lambda: house.ports.standings.looks)
            await stays(socket)
            house.ports.standings.away = False
            assert await socket.closing() == (4403, ENDED)

    async def test_where_nobody_can_say_a_socket_is_to_come_later(self, house: House) -> None:
        token = house.token(somebody())
        house.ports.standings.away = True
        async with house.socket() as socket:
            await socket.send({"type": "connection_init", "payload": {"token": token}})
            assert await socket.closing() == (1013, "Try again later")

    async def test_an_operation_is_a_use(self, house: House) -> None:
        me = somebody()
        async with house.conversation(me) as socket:
            house.ports.standings.uses.clear()
            await socket.subscribe("1", VIEWER)
            await socket.data("1")
            assert set(house.ports.standings.uses) == {house.session(me).id}

    async def test_who_has_left_is_known_no_more(self) -> None:
        ports = FakePorts()
        keeper = Doorkeeper(ports)
        session = ports.standings.begin(session_of(somebody().person, impersonator=somebody().person))
        async with keeper.on_duty():
            guest = await keeper.admit(session.id, Origin("127.0.0.1", "1"), lambda _: None)
            assert set(keeper._guests) == {session.person, session.impersonator}
            keeper.part(guest)
            assert not keeper._guests
            keeper.part(guest)
        assert not ports.standings.watchers


class TestAdmission:
    """What changes while somebody comes in must not be missed."""

    async def test_what_is_told_while_we_look_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ports, left = FakePorts(), list[str]()
        session = ports.standings.begin(session_of(somebody().person))
        look = ports.standings.of
        looks: list[object] = []

        async def slow(asked: Any) -> Any:
            found = await look(asked)
            if not looks:
                ports.standings.change(session, status=PersonStatus.BANNED)
            looks.append(asked)
            return found

        monkeypatch.setattr(ports.standings, "of", slow)
        async with Doorkeeper(ports).on_duty() as keeper:
            await keeper.admit(session.id, Origin("127.0.0.1", "1"), left.append)
        assert left == [ENDED]

    async def test_who_may_not_come_in_leaves_no_trace(self) -> None:
        ports = FakePorts()
        session = ports.standings.begin(session_of(somebody().person, ended_at=NOW, end_reason=SessionEnd.SIGNED_OUT))
        async with Doorkeeper(ports).on_duty() as keeper:
            with pytest.raises(SignedOutError):
                await keeper.admit(session.id, Origin("127.0.0.1", "1"), lambda _: None)
            ports.standings.away = True
            with pytest.raises(UnavailableError):
                await keeper.admit(session.id, Origin("127.0.0.1", "1"), lambda _: None)
            assert not keeper._guests


class TestPublishedKeys:
    async def test_anybody_finds_them_and_may_keep_them_for_a_while(self, house: House) -> None:
        reply = await house.request("GET", "/.well-known/jwks.json")
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "application/jwk-set+json"
        assert reply.headers["Cache-Control"] == "public, max-age=300"
        (key,) = json.loads(reply.text)["keys"]
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
        assert "d" not in key
        tag = {"If-None-Match": reply.headers["ETag"]}
        again = await house.request("GET", "/.well-known/jwks.json", headers=tag)
        assert (again.status, again.text) == (304, "")


def test_the_demo_session_is_the_same_at_every_start_and_lasts() -> None:
    session = demo_session(DEMO)
    assert session == demo_session(str(session.person)) != demo_session("other")
    assert session.living(datetime(2100, 1, 1, tzinfo=UTC))
