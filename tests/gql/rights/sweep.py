"""The sweep itself: every field, asked by every kind of caller, for what is theirs, another's and nobody's."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLUnionType, get_named_type

from adapters.config import Settings
from adapters.embedded.database import DatabaseAddresses
from adapters.identity.tokens import Tokens
from adapters.postgres.database import Database
from adapters.redis.feed import Feed
from adapters.wiring import Adapters, plugged
from domain.clock import system_clock
from domain.quotas import USUAL
from gql.access import Right
from tests.fake_quotas import FakeQuotas
from tests.fake_wallet import FakeGateway
from tests.gql.house import PROTOCOL, served, settings_for
from tests.gql.rights.asking import CORE, REFUSAL, Root, right_of, roots
from tests.gql.rights.cast import CALLERS, Caller, Cast, Casting
from tests.gql.test_on_real_servers import GENEROUS
from tests.identity_parts import knowing_nobody
from tests.waiting import PATIENCE_S

OWN, OTHER, NOBODYS = "own", "other", "nobody's"
DATA, NOTHING, UNASKED = "data", "nothing", "unasked"
REMEMBERED = {"deed sign_in.wrong_password", "deed sign_in.refused", "deed step_up.refused", "deed audit_log.read",
              "deed person.looked_up", "deed messages.read"}  # fmt: skip
"""What is written down of those who are denied, and of who reads what others did or wrote, or who they are."""
TRIES: Mapping[str, set[str]] = {"Mutation.stepUp": {"person"}}
"""Where tries that failed are counted, by the field that they were made at."""
SLIGHT = {"mail_request", "ticket"}
"""What may have changed, and the same people go on asking."""
SHOWN = {"Query.streamer", "Query.node(Streamer)", "Query.nodes(Streamer)"}
"""What brands and staff are shown, whosever it is: for them another's is no secret."""
OPEN = {"Query.openCampaign"}
"""What every streamer is shown, whosever it is."""
_ENDLESS = {name: replace(quota, times=10**9) for name, quota in USUAL.items()}

_WATCH = """
create table touched (number bigint generated always as identity, what text not null);
create function touch() returns trigger security definer language plpgsql as $$
begin
    insert into touched (what) values (tg_table_name || coalesce(' ' || (to_jsonb(new) ->> 'action'), ''));
    return null;
end $$;
do $$
declare found text;
begin
    for found in
        select format('%I', tablename) from pg_tables where schemaname = 'public' and tablename <> 'touched'
    loop
        execute 'create trigger watched after insert or delete on ' || found
            || ' for each row execute function touch()';
        execute 'create trigger watched_changes after update on ' || found || ' for each row when ('
            || '(to_jsonb(old) - ''last_used_at'') is distinct from (to_jsonb(new) - ''last_used_at''))'
            || ' execute function touch()';
    end loop;
end $$;
"""
"""Every row that is written is noted, but for the minute in which a session was last used."""


@dataclass
class Findings:
    """What the sweep found: marks by field, caller and whose; and what must not be."""

    marks: dict[str, dict[str, dict[str, set[str]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
    )
    written: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What each field that was not denied wrote, whoever asked."""
    changed_though_denied: list[str] = field(default_factory=list)
    told_apart: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    """Answers that are mistakes of ours, or of the sweep's."""


@dataclass
class Sweep:
    """One run over a served application."""

    url: str
    client: aiohttp.ClientSession
    pool: Any
    casting: Casting
    findings: Findings = field(default_factory=Findings)

    async def run(self) -> Findings:
        """Ask everything."""
        for caller in CALLERS:
            cast = await self.casting.cast(caller)
            await self._touched()
            for root in roots():
                if root.type_ is CORE.subscription_type:
                    await self._follow(cast, root)
                else:
                    cast = await self._ask(cast, root)
        return self.findings

    async def _ask(self, cast: Cast, root: Root) -> Cast:
        """A field, asked three times. Answers who asks from then on: somebody new where something has changed."""
        answers = {}
        for whose, ids in ids_of(cast, root):
            answer = await self._answer(cast, root, ids)
            answers[whose] = hidden(answer.text, cast, ids)
            marks = set(marks_of(root, answer.body))
            for place, mark in marks:
                self.findings.marks[place][cast.caller.mark][whose].add(mark)
            here = f"{root.row} by {cast.caller.mark}, {whose}"
            touched = await self._touched()
            mark = next(mark for place, mark in marks if place == root.row)
            if mark == DATA:
                self.findings.written[root.row].update(touched)
            if (mark != DATA or root.type_ is CORE.query_type) and set(touched) - REMEMBERED - TRIES.get(
                root.row, set()
            ):
                self.findings.changed_though_denied.append(f"{here}: {mark}, and yet {', '.join(touched)}")
            if mark in {"INTERNAL", "UNAVAILABLE", "BAD_INPUT", "RATE_LIMITED"}:
                self.findings.ours.append(f"{here}: {answer.text[:500]}")
            if set(touched) - SLIGHT:
                cast = await self.casting.cast(cast.caller)
                await self._touched()
        self._compare(cast.caller, root, answers)
        return cast

    def _compare(self, caller: Caller, root: Root, answers: Mapping[str, str]) -> None:
        """What is another's answers as what does not exist does, but to staff who may see it."""
        if not root.takes_ids:
            return
        marks = self.findings.marks[root.row][caller.mark][OTHER]
        is_for_staff = root.right is Right.STAFF and not marks & {"FORBIDDEN", "UNAUTHENTICATED"}
        is_shown = root.row in OPEN or (root.row in SHOWN and (caller.brand is not None or caller.staff is not None))
        if not (is_for_staff or is_shown) and answers[OTHER] != answers[NOBODYS]:
            self.findings.told_apart.append(f"{root.row} by {caller.mark}: {answers[OTHER]} | {answers[NOBODYS]}")

    async def _answer(self, cast: Cast, root: Root, ids: Mapping[str, str]) -> "Answer":
        """An answer. What is forbidden below is left out the next time, so that it hides nothing beside it."""
        without = frozenset[str]()
        while True:
            found = await self._post(cast, root.document(ids, without))
            forbidden = {place for place, mark in marks_of(root, found.body) if mark == "FORBIDDEN"} - {root.row}
            for place in forbidden:
                self.findings.marks[place][cast.caller.mark][OWN].add("FORBIDDEN")
            if root.type_ is not CORE.query_type or not forbidden - without:
                return found
            without |= forbidden

    async def _post(self, cast: Cast, document: str) -> "Answer":
        async with self.client.post(f"{self.url}/graphql", json={"query": document}, headers=cast.headers) as answer:
            text = await answer.text()
            return Answer(text, await answer.json(content_type=None))

    async def _touched(self) -> list[str]:
        """What was written since the last look."""
        rows = await self.pool.fetch("with gone as (delete from touched returning what) select distinct what from gone")
        return sorted(row["what"] for row in rows)

    async def _follow(self, cast: Cast, root: Root) -> None:
        """A subscription's first message."""
        answers = {}
        for whose, ids in ids_of(cast, root):
            body = await self._first_message(cast, root.document(ids, frozenset()))
            answers[whose] = hidden(str(body), cast, ids)
            for place, mark in marks_of(root, body):
                self.findings.marks[place][cast.caller.mark][whose].add(mark)
        self._compare(cast.caller, root, answers)

    async def _first_message(self, cast: Cast, document: str) -> Any:
        headers = {"X-Forwarded-For": cast.caller.address}
        async with self.client.ws_connect(f"{self.url}/graphql", protocols=(PROTOCOL,), headers=headers) as socket:
            token = cast.headers.get("Authorization")
            await socket.send_json({"type": "connection_init", "payload": {"Authorization": token} if token else {}})
            async with asyncio.timeout(PATIENCE_S):
                opened = await socket.receive()
                if opened.type is not aiohttp.WSMsgType.TEXT:
                    return {"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}
                await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": document}})
                message = await socket.receive_json()
        return message["payload"] if message["type"] == "next" else {"errors": message["payload"]}


@dataclass(frozen=True)
class Answer:
    """A body, as it came and as it reads."""

    text: str
    body: Any


def ids_of(cast: Cast, root: Root) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Whose things are asked for, and their ids; what takes none is asked once."""
    yield OWN, cast.own.ids
    if root.takes_ids:
        yield from ((OTHER, cast.other.ids), (NOBODYS, cast.nobodys))


def hidden(text: str, cast: Cast, ids: Mapping[str, str]) -> str:
    """A body without the ids that were asked for."""
    for id_ in (*ids.values(), *cast.nobodys.values()):
        text = text.replace(id_, "<id>")
    return re.sub(r"\d+", "9", text) if "retryAfter" in text else text


def marks_of(root: Root, body: Any) -> Iterator[tuple[str, str]]:
    """What became of a field and of everything below it: places and marks."""
    errors = body.get("errors", [])
    for error in errors:
        yield _place(root, error.get("path", [root.name])), error["extensions"]["code"]
    if not any(len(error.get("path", [0])) == 1 for error in errors):
        yield from _marked(root.row, root.declared, (body.get("data") or {}).get(root.name))


def _marked(place: str, declared: GraphQLField, value: Any) -> Iterator[tuple[str, str]]:
    """A field's mark and those below it. What leans on its parent counts as answered, be it with null."""
    kind = value.get("__typename", "") if isinstance(value, dict) else ""
    if REFUSAL in getattr(CORE.type_map.get(kind), "interfaces", ()):
        yield place, f"refused {value['code']}"
        return
    is_nothing = value in (None, [], [None]) and right_of(declared) is not Right.PARENT
    yield place, NOTHING if is_nothing else DATA
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            fields: Any = CORE.type_map[each["__typename"]]
            for alias, inner in each.items():
                if alias != "__typename":
                    name = alias.removeprefix(f"{fields.name}_")
                    yield from _marked(f"{fields.name}.{name}", fields.fields[name], inner)


def _place(root: Root, path: list[Any]) -> str:
    """The field of an error's path. Of a union that is null the member is found by its field."""
    steps = [step for step in path if isinstance(step, str)]
    type_: Any = root.type_
    place = root.row
    for depth, step in enumerate(steps):
        members = type_.types if isinstance(type_, GraphQLUnionType) else _made(type_, root.kind)
        found = next(each for each in members if step.rpartition("_")[2] in each.fields)
        name = step.rpartition("_")[2]
        place = root.row if depth == 0 else f"{found.name}.{name}"
        type_ = get_named_type(found.fields[name].type)
    return place


def _made(type_: Any, kind: str | None) -> list[Any]:
    """What an object may be: of any type it was asked for as one `kind`."""
    if not isinstance(type_, GraphQLInterfaceType):
        return [type_]
    return [each for each in CORE.get_implementations(type_).objects if kind in {None, each.name}]


@asynccontextmanager
async def _connect(holder: list[Adapters], settings: Settings) -> AsyncIterator[Adapters]:
    async with (
        Database(settings.database_url.get_secret_value()) as database,
        Feed(settings.redis_url.get_secret_value()).running() as feed,
        plugged(
            database, feed, {"midtrans": FakeGateway()}, GENEROUS, system_clock, FakeQuotas(changed=_ENDLESS),
            knowing_nobody(),
        ) as ports,
        ports.standings.running(),
    ):  # fmt: skip
        holder.append(ports)
        yield ports


@asynccontextmanager
async def running(folder: Path, database: DatabaseAddresses, valkey_url: str) -> AsyncIterator[Sweep]:
    """An application as in production behind one proxy, over real servers, that is ready to be asked."""
    settings = settings_for(
        folder, "production", database_url=database.app_url, redis_url=valkey_url, trusted_proxies=1
    )
    holder: list[Adapters] = []
    async with (
        asyncpg.create_pool(database.superuser_url, min_size=1, max_size=1) as pool,
        served(settings, partial(_connect, holder)) as url,
        aiohttp.ClientSession() as client,
    ):
        tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        yield Sweep(url, client, pool, Casting(pool, holder[0], tokens))


async def swept(folder: Path, database: DatabaseAddresses, valkey_url: str) -> Findings:
    """Everything asked."""
    async with running(folder, database, valkey_url) as sweep:
        await sweep.pool.execute(_WATCH)
        return await sweep.run()
