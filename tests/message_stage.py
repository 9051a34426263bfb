"""Messages on a real database, between streamers and those who manage the brand that pays them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.message.reads import PostgresMessageReads
from domain.actor import Actor
from domain.campaign.participation import Side
from domain.ids import BrandId
from domain.message.model import Message, ReadMessage
from domain.message.ports import MessagePage, Unread
from domain.message.writing import send_message
from domain.rights import BrandRole
from tests.accounts_stage import AccountsStage, origin
from tests.earning_stage import EarningStage, Part, staged_earnings
from tests.people import enroll


@dataclass(kw_only=True)
class MessageStage(AccountsStage):
    """`domain.message.ports.MessagePorts`, with the means to look behind it."""

    reads: PostgresMessageReads


def messages_on(stage: AccountsStage) -> MessageStage:
    """The same stage, with messages."""
    given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
    return MessageStage(**given, reads=PostgresMessageReads(stage.database, stage.vault))


@dataclass
class Talk:
    """A participation that is live, its streamer, and a manager of its brand."""

    stage: MessageStage
    earnings: EarningStage
    part: Part
    ani: Actor
    streamer: Actor

    async def sends(self, who: Actor, text: str, key: str | None = None) -> Message:
        """What somebody writes."""
        made = await send_message(self.stage, who, self.part.id, text, key or text)
        assert isinstance(made, Message), made
        return made

    async def read(self, first: int = 100, before: int | None = None) -> list[ReadMessage]:
        """A page, newest first, as both sides read it."""
        page = MessagePage(self.part.id, first, before)
        return list((await self.stage.reads.messages([page]))[page])

    async def texts(self) -> list[str | None]:
        """What can be read, oldest first."""
        return [each.text for each in reversed(await self.read())]

    async def unread(self, who: Actor) -> int:
        side = Side.STREAMER if who.person == self.streamer.person else Side.BRAND
        asked = Unread(self.part.id, side, who.people)
        return (await self.stage.reads.unread([asked]))[asked]

    async def member(self, role: BrandRole) -> Actor:
        """Somebody else of the brand."""
        brand = BrandId(next(iter(self.ani.brands)))
        enrolled = await enroll(self.stage.database.pool, brands={brand: role})
        await self.stage.vault.create_key(enrolled.person)
        return replace(Actor(enrolled.person, brands={brand: role}), origin=origin())

    async def told(self) -> int:
        """How often it was told that something has changed."""
        asked = "select count(*) from event where name = 'MessagesChanged' and topic = $1"
        return int(str(await self.stage.value(asked, f"messages:{self.part.id}")))

    async def ends(self) -> None:
        """The participation is completed by now."""
        completed = "update participation set state = 'completed', ended_at = $2 where id = $1"
        await self.stage.database.pool.execute(completed, self.part.id, self.stage.clock())


@asynccontextmanager
async def talking(addresses: DatabaseAddresses) -> AsyncIterator[Talk]:
    async with staged_earnings(addresses) as earnings:
        part = await earnings.part(await earnings.campaign())
        streamer = replace(Actor(part.route.person), origin=origin())
        yield Talk(messages_on(earnings), earnings, part, await earnings.manager(part), streamer)
