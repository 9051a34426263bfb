"""The audit log on PostgreSQL: a deed is written with what it speaks of, and read a page at a time, newest first.

What is personal is encrypted before it is written, and the sealed chain covers it as it is written: whose key is
destroyed vanishes from every line, and no line changes.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Connection, InterfaceError, PostgresError, Record

from adapters.postgres.audit.deeds import verify_deeds
from adapters.postgres.database import Database
from adapters.postgres.seal import exported_heads
from domain.actor import Origin
from domain.audit_log import Deed, DeedFilter, KeptDeed, Told, Verification
from domain.errors import DomainError, KeyDestroyedError, UnavailableError
from domain.ids import PersonId
from domain.vault import PLATFORM, Sealed, Vault

DETAIL, ORIGIN = "deed.detail", "deed.origin"
"""What the vault calls the encrypted columns."""

_NO_KEY = b""
"""Stands in place of something personal of somebody who had no key any more: the vault never makes this."""

_WRITE = """
insert into deed (id, actor, session, impersonator, action, target, about, request_id, detail, encrypted_detail,
    encrypted_origin)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (id) do nothing
"""
_COLUMNS = """position, id, recorded_at, action, target, actor, session, impersonator, about, request_id, detail,
    encrypted_detail, encrypted_origin"""
_OF_ACTIONS = """
with recursive known (action) as (
    select min(action) from deed
    union all
    select (select min(action) from deed where deed.action > known.action) from known where known.action is not null
)
select line.* from known cross join lateral ({of_one}) as line
where {begins} order by line.position desc limit $1
"""
"""By the beginning of actions: there are few different ones, and each has its own order in the index."""

_LAST_BEFORE = "(select position from deed where recorded_at < {} order by recorded_at desc limit 1)"
_FIRST_SINCE = "(select position from deed where recorded_at >= {} order by recorded_at limit 1)"
_GRACE = timedelta(hours=1)
"""A deed gets its position and its time in one moment, so by both they come in the same order, but for clocks that are
set back."""

_VAULT_AWAY = (UnavailableError, PostgresError, InterfaceError, OSError)
"""What a vault raises that cannot be asked: its keys lie in a database of their own."""

_log = structlog.get_logger(__name__)


async def write_deed(connection: Connection, vault: Vault, deed: Deed) -> None:
    """Write a line of the audit log; the same deed again is the same line.

    Without the key of whom it concerns, what is personal of it is left out and the line says so. While no key can be
    had at all, the origin alone is left out: whoever ends a thief's session must not wait for the vault.
    Raises what the vault does where a deed has more to tell than that.
    """
    actor, origin = deed.actor, deed.came_from
    detail = _detail(deed)
    await connection.execute(
        _WRITE, deed.id, actor and actor.person, actor and actor.session, actor and actor.impersonator, deed.action,
        deed.target, deed.about, origin and origin.request_id, detail if deed.about is None else None,
        await _encrypted(vault, deed.about, DETAIL, detail),
        await _encrypted_origin(vault, deed.origin_of, origin),
    )  # fmt: skip


async def _encrypted_origin(vault: Vault, person: PersonId, origin: Origin | None) -> bytes | None:
    if origin is None:
        return None
    try:
        return await _encrypted(vault, person, ORIGIN, _json(origin.address, origin.device))
    except _VAULT_AWAY as error:
        _log.warning("a deed is kept without its origin", request=origin.request_id, error=repr(error))
        return None


async def _encrypted(vault: Vault, person: PersonId | None, field: str, text: str | None) -> bytes | None:
    if person is None or text is None:
        return None
    try:
        return await vault.seal(person, field, text)
    except KeyDestroyedError:
        return _NO_KEY


def _detail(deed: Deed) -> str | None:
    """Before, after and the reason in one text; None where there is nothing to tell."""
    if not (deed.before or deed.after or deed.reason):
        return None
    return _json(dict(deed.before), dict(deed.after), deed.reason)


def _json(*values: object) -> str:
    """As plain ASCII, so that nothing which a client may send is beyond what PostgreSQL keeps."""
    return json.dumps(values, separators=(",", ":"))


class PostgresDeeds:
    """Is `domain.audit_log.Deeds`: one statement and one opening of the vault for each page."""

    def __init__(self, database: Database, vault: Vault, seal_key: bytes, head_file: Path | None = None) -> None:
        self._database, self._vault = database, vault
        self._seal_key, self._head_file = seal_key, head_file

    async def page(self, only: DeedFilter, first: int, after: int | None = None) -> Sequence[KeptDeed]:
        """The newest so many deeds, decrypted as far as keys are left; `after`: older ones than at this position."""
        statement, values = page_query(only, first, after)
        records = await self._database.pool.fetch(statement, *values)
        encrypted = {place: sealed for record in records for place, sealed in _encrypted_parts(record).items()}
        texts = dict(zip(encrypted, await self._opened(list(encrypted.values())), strict=True))
        return [_kept(record, texts) for record in records]

    async def verify(self, first: int | None = None, last: int | None = None, seals: int | None = None) -> Verification:
        """Hold the deeds from one position to another against the sealed chain; None is the beginning or the end.

        It costs as much as the chain between them is long: `seals` is how many of its links to walk along at most.
        """
        file = self._head_file
        exported = await asyncio.to_thread(exported_heads, file) if file and file.exists() else []
        async with self._database.direct(application_name="gametriggers audit log") as connection:
            return await verify_deeds(connection, self._seal_key, first, last, exported, seals)

    async def _opened(self, sealed: Sequence[Sealed]) -> Sequence[str | None]:
        if not sealed:
            return []
        try:
            return await self._vault.open(sealed)
        except UnavailableError:
            raise
        except DomainError as error:
            # Whoever spoils one line of the log shall not hide the others.
            if len(sealed) == 1:
                _log.error("a part of the audit log cannot be read", of=str(sealed[0].person), error=repr(error))
                return [None]
            return [text for each in sealed for text in await self._opened([each])]


_Place = tuple[int, str]


def _encrypted_parts(record: Record) -> dict[_Place, Sealed]:
    """What of a line the vault has to open."""
    people = {DETAIL: record["about"], ORIGIN: _origin_of(record)}
    contents = {DETAIL: record["encrypted_detail"], ORIGIN: record["encrypted_origin"]}
    return {
        (record["position"], field): Sealed(PersonId(people[field]), field, content)
        for field, content in contents.items()
        if content and people[field]
    }


def _origin_of(record: Record) -> UUID:
    """As `Deed.origin_of` has it."""
    found: UUID = record["impersonator"] or record["actor"] or record["about"] or PLATFORM
    return found


def _kept(record: Record, texts: Mapping[_Place, str | None]) -> KeptDeed:
    position = record["position"]
    plain = record["encrypted_detail"] is None
    detail = _values(record["detail"] or '[{},{},""]' if plain else texts.get((position, DETAIL)), 3)
    device = _values(texts.get((position, ORIGIN)), 2)
    return KeptDeed(
        position=position,
        id=record["id"],
        recorded_at=record["recorded_at"],
        action=record["action"],
        target=record["target"],
        actor=record["actor"],
        session=record["session"],
        impersonator=record["impersonator"],
        about=record["about"],
        request_id=record["request_id"],
        origin=Origin(device[0], record["request_id"] or "", device[1]) if device else None,
        told=Told(*detail) if detail else None,
        erased=detail is None or (device is None and record["encrypted_origin"] is not None),
    )


def _values(text: str | None, count: int) -> list[Any] | None:
    """The parts of a text as they were put in; None also where it is not such a text, which an audit will tell of."""
    try:
        values = json.loads(text or "null")
    except ValueError:
        return None
    return values if isinstance(values, list) and len(values) == count else None


def page_query(only: DeedFilter, first: int, after: int | None = None) -> tuple[str, list[object]]:
    """The statement that finds a page, and its values: it walks along the one index that has the lines in their order.

    With an equality the planner might rather walk along all lines and drop what does not fit, however rare that is;
    a span of (value, position) leaves it no choice.
    """
    values: list[object] = [first]

    def given(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    exact = {"target": only.target, "about": only.about, "impersonator": only.impersonator, "actor": only.actor}
    leads = [(column, given(value)) for column, value in exact.items() if value is not None]
    conditions = [f"{column} = {value}" for column, value in leads[1:]]
    low, high = str(-(2**63)), str(2**63 - 1) if after is None else given(after)
    if only.since is not None:
        conditions.append(f"recorded_at >= {given(only.since)}")
        low = f"coalesce({_LAST_BEFORE.format(given(only.since - _GRACE))}, {low})"
    if only.until is not None:
        conditions.append(f"recorded_at < {given(only.until)}")
        high = f"least({_FIRST_SINCE.format(given(only.until + _GRACE))}, {high})"
    if not only.action:
        return _lines(leads[0] if leads else None, (low, high), conditions), values
    begins = "starts_with({}, " + given(only.action) + ")"
    if leads:
        return _lines(leads[0], (low, high), [*conditions, begins.format("action")]), values
    of_one = _lines(("action", "known.action"), (low, high), conditions)
    return _OF_ACTIONS.format(of_one=of_one, begins=begins.format("known.action")), values


def _lines(lead: tuple[str, str] | None, span: tuple[str, str], conditions: Sequence[str]) -> str:
    """Lines within a span of positions; with a lead, a column and its value, only those that have this value."""
    column = f"{lead[0]}, " if lead else ""
    value = f"{lead[1]}, " if lead else ""
    low, high = (f"({column}position) {than} ({value}{end})" for than, end in zip("><", span, strict=True))
    # An index that leaves nulls out is known to fit only where this is said.
    where = " and ".join((low, high, *([f"{lead[0]} is not null"] if lead else []), *conditions))
    order = f"{lead[0]} desc, position desc" if lead else "position desc"
    return f"select {_COLUMNS} from deed where {where} order by {order} limit $1"  # noqa: S608  # the words are ours, and what is given stands as $n


class NoVault:
    """A `domain.vault.Vault` of an installation, or a tool, that knows no person: nobody has a key."""

    async def create_key(self, person: PersonId) -> None:
        """Refuse."""
        raise KeyDestroyedError(f"there is no vault to keep a key of {person}")

    async def seal(self, person: PersonId, field: str, text: str) -> bytes:
        """Refuse."""
        raise KeyDestroyedError(f"there is no vault to seal {len(text)} characters of the {field} of {person}")

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[str | None]:
        """Nothing can be read."""
        return [None] * len(sealed)

    async def destroy_key(self, person: PersonId) -> None:
        """There is none."""

    async def forget_key(self, person: PersonId) -> None:
        """There is none."""

    def index(self, scope: str, text: str) -> bytes:
        """Refuse."""
        raise KeyDestroyedError(f"there is no vault to look up {len(text)} characters of a {scope}")
