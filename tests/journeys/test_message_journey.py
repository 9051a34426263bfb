"""A brand and a streamer write to each other on live sockets, and staff looks into it; at the end all is audited."""

from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from tests.gql.house import Socket
from tests.identity_settings import IDENTITY
from tests.journeys.house import Journey, Person
from tests.journeys.studio import studio_of
from tests.journeys.test_campaign_journey import WHY, staff
from tests.journeys.test_earning_journey import asked, key_in, taking_part
from tests.vaults import VaultKeys, open_vault

_REFUSED = "... on Refusal { code }"
_LINE = "id side isYours state text isRead"
SEND = f"""mutation ($input: SendMessageInput!) {{
  sendMessage(input: $input) {{ ... on Message {{ {_LINE} }} {_REFUSED} }} }}"""
MARK = f"""mutation ($input: MarkMessagesReadInput!) {{
  markMessagesRead(input: $input) {{ ... on Participation {{ unreadMessages }} {_REFUSED} }} }}"""
REPORT = f"""mutation ($input: ReportMessageInput!) {{
  reportMessage(input: $input) {{ ... on MessageReport {{ messageId }} {_REFUSED} }} }}"""
HIDE = f"""mutation ($input: HideMessageInput!) {{
  hideMessage(input: $input) {{ ... on MessageCase {{ state text }} {_REFUSED} }} }}"""
DISMISS = f"""mutation ($input: DismissMessageReportInput!) {{
  dismissMessageReport(input: $input) {{ ... on MessageCase {{ state text }} {_REFUSED} }} }}"""
READ = f"""query ($id: ID!, $after: Cursor) {{ node(id: $id) {{ ... on Participation {{ unreadMessages
  messages(first: 2, after: $after) {{
    edges {{ node {{ {_LINE} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
REPORTED = "{ reportedMessages { edges { node { reason message { id text } } } } }"
AROUND = """query ($id: ID!) { participationMessages(participationId: $id) { edges { node { side state text } } } }"""
FOLLOW = f"""subscription ($id: ID!, $after: Cursor) {{ messages(participationId: $id, after: $after) {{
  cursor messages {{ {_LINE} }} participation {{ unreadMessages }} }} }}"""
_MANY = """
with grown as (
    update conversation set messages = messages + 150, seq = seq + 150 where participation = $1 returning messages, seq
)
insert into message (id, participation, number, side, person, text, sent_at, seq)
select gen_random_uuid(), $1, messages - 150 + n, 'streamer', $2, null, now(), seq - 150 + n
from grown, generate_series(1, 150) as n
"""
_DEEDS = "select action from deed where action like 'message%' order by position"


async def told(socket: Socket) -> Any:
    """What comes next, of a message or of how far somebody has read."""
    return (await socket.data("1"))["messages"]


async def test_two_sides_write_to_each_other_and_nobody_else_hears(journey: Journey) -> None:
    brand = BrandId(uuid7())
    ani = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    viewer = (await journey.enroll(brands={brand: BrandRole.VIEWER})).actor
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with open_vault(journey.house.database, keys) as vault:
        for each in (ani, viewer, other):
            await vault.create_key(each.person)
    async with studio_of(journey) as studio:
        which, _ = await taking_part(journey, ani, brand, studio)
        hello = {"participationId": which, "text": "Hello,\nwhen do you begin?", "idempotencyKey": "1"}
        assert (await asked(journey, viewer, SEND, hello))["code"] == "ROLE_TOO_LOW"
        assert (await asked(journey, other, SEND, hello))["code"] == "UNKNOWN_PARTICIPATION"
        async with journey.conversation(Person(other, "")) as outsider:
            await outsider.subscribe("1", FOLLOW, id=which)
            assert (await outsider.next())["type"] == "error"

        async with (
            journey.conversation(Person(studio.actor, "")) as streamers,
            journey.conversation(Person(viewer, "")) as brands,
        ):
            for socket in (streamers, brands):
                await socket.subscribe("1", FOLLOW, id=which)
                first = await told(socket)
                assert (first["messages"], first["participation"]) == ([], {"unreadMessages": 0})
            sent = await asked(journey, ani, SEND, hello)
            assert sent == await asked(journey, ani, SEND, hello)
            line = {"id": sent["id"], "side": "BRAND", "state": "SENT", "text": hello["text"], "isRead": False}
            assert sent == line | {"isYours": True}
            heard, seen = await told(streamers), await told(brands)
            assert heard["messages"] == seen["messages"] == [line | {"isYours": False}]
            assert (heard["participation"]["unreadMessages"], seen["participation"]["unreadMessages"]) == (1, 0)
            mark = {"participationId": which, "upTo": sent["id"]}
            assert await asked(journey, studio.actor, MARK, mark) == {"unreadMessages": 0}
            assert (await told(brands))["messages"] == []

        await at_the_desk(journey, ani, studio.actor, which, seen["cursor"])
        await through_their_eyes(journey, studio.actor, which)


async def at_the_desk(journey: Journey, ani: Actor, streamer: Actor, which: str, cursor: str) -> None:
    """The streamer is rude; the brand, which was away, hears of it, and staff hides it."""
    rude, kind = [
        await asked(journey, streamer, SEND, {"participationId": which, "text": text, "idempotencyKey": text})
        for text in ("You fool", "At eight")
    ]
    for message in (rude, kind):
        report = {"messageId": message["id"], "reason": "It is rude."}
        assert await asked(journey, ani, REPORT, report) == {"messageId": message["id"]}
    found = (await journey.ask(ani, READ, id=which)).data["node"]
    assert found["unreadMessages"] == 2
    assert [edge["node"]["text"] for edge in found["messages"]["edges"]] == ["At eight", "You fool"]
    behind = found["messages"]["pageInfo"]
    (oldest,) = (await journey.ask(ani, READ, id=which, after=behind["endCursor"])).data["node"]["messages"]["edges"]
    assert (behind["hasNextPage"], oldest["node"]["isRead"]) == (True, True)

    judge, support = await staff(journey), (await journey.enroll(staff=StaffRole.SUPPORT)).actor
    cases = [edge["node"] for edge in (await journey.ask(judge, REPORTED)).data["reportedMessages"]["edges"]]
    assert cases == [
        {"reason": "It is rude.", "message": {"id": message["id"], "text": message["text"]}} for message in (rude, kind)
    ]
    assert await asked(journey, judge, HIDE, {"messageId": rude["id"], "reason": WHY}) == {
        "state": "HIDDEN", "text": "You fool",
    }  # fmt: skip
    assert (await asked(journey, judge, DISMISS, {"messageId": kind["id"], "reason": WHY}))["state"] == "SENT"
    around = (await journey.ask(judge, AROUND, id=which)).data["participationMessages"]["edges"]
    assert [edge["node"]["state"] for edge in around] == ["SENT", "HIDDEN", "SENT"]
    for who, query in ((support, REPORTED), (ani, REPORTED), (streamer, AROUND)):
        refused = (await journey.ask(who, query, id=which)).body
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]

    async with journey.conversation(Person(ani, "")) as socket:
        await socket.subscribe("1", FOLLOW, id=which, after=cursor)
        news = await told(socket)
    missed = news["messages"]
    assert [(each["id"], each["text"], each["state"]) for each in missed] == [
        (kind["id"], "At eight", "SENT"), (rude["id"], None, "HIDDEN"),
    ]  # fmt: skip
    deeds = [row["action"] for row in await journey.connection.fetch(_DEEDS)]
    assert deeds == [
        "message.reported", "message.reported", "messages.read", "message.hidden", "message.report_dismissed",
        "messages.read",
    ]  # fmt: skip
    await after_a_long_while(journey, ani, which, news["cursor"])


async def after_a_long_while(journey: Journey, ani: Actor, which: str, cursor: str) -> None:
    """Whoever comes again hears of everything, a hundred messages at a time."""
    await journey.connection.execute(_MANY, UUID(key_in(which)), ani.person)
    async with journey.conversation(Person(ani, "")) as socket:
        await socket.subscribe("1", FOLLOW, id=which, after=cursor)
        parts = [await told(socket) for _ in range(2)]
    assert [len(each["messages"]) for each in parts] == [100, 50]
    assert len({message["id"] for each in parts for message in each["messages"]}) == 150
    async with journey.conversation(Person(ani, "")) as socket:
        await socket.subscribe("1", FOLLOW, id=which, after=parts[0]["cursor"])
        assert await told(socket) == parts[1]


async def through_their_eyes(journey: Journey, streamer: Actor, which: str) -> None:
    """Staff that looks through somebody's eyes sees no letters of theirs, nor that there are any."""
    admin = await journey.enroll(staff=StaffRole.ADMIN)
    await journey.enroll(person=streamer.person, impersonator=admin.person)
    found = (await journey.ask(streamer, READ, id=which)).data["node"]
    nothing = {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    assert found == {"unreadMessages": 0, "messages": nothing}
    async with journey.conversation(Person(streamer, "")) as socket:
        await socket.subscribe("1", FOLLOW, id=which)
        assert (await socket.next())["type"] == "error"
