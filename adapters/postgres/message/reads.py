"""Messages read without locks: `domain.message.ports.MessageReads`."""

from collections.abc import Mapping, Sequence

from adapters.postgres.database import Database
from adapters.postgres.message.rows import opened, report_of
from domain.campaign.participation import ParticipationId
from domain.ids import PersonId
from domain.message.model import REASON_FIELD, MessageId, ReadMessage, ReadReport, ReportId
from domain.message.ports import MessagePage, Unread
from domain.vault import Sealed, Vault

_READ = """
    exists (select from message_mark as mark where mark.participation = message.participation
        and mark.side <> message.side and mark.number >= message.number) as is_read
"""
_BY_ID = f"select message.*, {_READ} from message where id = any($1::uuid[])"  # noqa: S608  # the words are ours
PAGES = f"""
select asked.place, found.*
from unnest($1::uuid[], $2::bigint[], $3::integer[]) with ordinality as asked (participation, before, most, place)
cross join lateral (
    select message.*, {_READ} from message
    where message.participation = asked.participation and number < coalesce(asked.before, 9223372036854775807)
    order by number desc limit asked.most
) as found
order by asked.place, found.number desc
"""  # noqa: S608  # the words are ours
UNREAD = """
select asked.place, count(*) as unread
from unnest($1::uuid[], $2::text[]) with ordinality as asked (participation, side, place)
join message on message.participation = asked.participation and message.side <> asked.side and hidden_at is null
    and number > coalesce((select max(mark.number) from message_mark as mark
        where mark.participation = asked.participation and mark.person = any($3::uuid[])), 0)
group by asked.place
"""
_SEQ = "select seq from conversation where participation = $1"
CHANGED = f"""
select message.*, {_READ} from message where participation = $1 and seq > $2 order by seq limit $3
"""  # noqa: S608  # the words are ours
REPORTS = """
select * from message_report where ruling is null and ($1::uuid is null or id > $1) order by id limit $2
"""


class PostgresMessageReads:
    """Reads of messages."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def messages_by_id(self, ids: Sequence[MessageId]) -> Mapping[MessageId, ReadMessage]:
        """Messages, whosever they are, also what is hidden of them."""
        rows = await self._database.pool.fetch(_BY_ID, list(ids))
        return {each.message.id: each for each in await opened(self._vault, rows, with_hidden=True)}

    async def messages(self, pages: Sequence[MessagePage]) -> Mapping[MessagePage, Sequence[ReadMessage]]:
        """Pages of messages as the two sides see them, newest first."""
        asked = ([getattr(page, part) for page in pages] for part in ("participation", "before", "first"))
        rows = await self._database.pool.fetch(PAGES, *asked)
        found: dict[MessagePage, list[ReadMessage]] = {page: [] for page in pages}
        for row, message in zip(rows, await opened(self._vault, rows), strict=True):
            found[pages[row["place"] - 1]].append(message)
        return found

    async def all_of(self, page: MessagePage) -> Sequence[ReadMessage]:
        """A page of messages as staff sees them: also what is hidden."""
        asked = ([page.participation], [page.before], [page.first])
        return await opened(self._vault, await self._database.pool.fetch(PAGES, *asked), with_hidden=True)

    async def unread(self, asked: Sequence[Unread]) -> Mapping[Unread, int]:
        """How many messages of the other side people have not read: one statement for all that the same people ask."""
        found = dict.fromkeys(asked, 0)
        for people in {each.people for each in asked}:
            theirs = [each for each in asked if each.people == people]
            columns = ([each.participation for each in theirs], [each.side for each in theirs])
            for row in await self._database.pool.fetch(UNREAD, *columns, list(people)):
                found[theirs[row["place"] - 1]] = row["unread"]
        return found

    async def seq_of(self, participation: ParticipationId) -> int:
        """How often anything about the messages of a participation has changed so far."""
        return await self._database.pool.fetchval(_SEQ, participation) or 0

    async def changed(self, participation: ParticipationId, after: int, most: int) -> Sequence[ReadMessage]:
        """Messages that were sent or hidden behind a place in the stream, in its order, as the two sides see them."""
        return await opened(self._vault, await self._database.pool.fetch(CHANGED, participation, after, most))

    async def reports_to_decide(self, first: int, after: ReportId | None) -> Sequence[ReadReport]:
        """Reports that wait for staff, with their messages and why, oldest first."""
        reports = [report_of(row) for row in await self._database.pool.fetch(REPORTS, after, first)]
        messages = await self.messages_by_id([report.message for report in reports]) if reports else {}
        sealed = [Sealed(PersonId(each.person), REASON_FIELD, each.reason) for each in reports if each.reason]
        reasons = iter(await self._vault.open(sealed) if sealed else ())
        return [ReadReport(each, messages[each.message], next(reasons) if each.reason else None) for each in reports]
