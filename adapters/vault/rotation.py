"""Rotation of master keys: wraps every data key anew with the newest one. Sealed values are not touched.

A new master key comes last into the list first, so that every process can unwrap with it; then first, so that it wraps;
then `rewrap`; and once `master_keys_in_use` names the new one alone, the old one may go.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from asyncpg import Connection

from adapters.postgres.database import Database
from adapters.vault.envelope import MasterKeys
from adapters.vault.pauses import in_turns
from domain.ids import PersonId

_IN_USE = "select master, count(*) from data_key where wrapped is not null group by master order by master"
_SOME = """
select person, wrapped from data_key
where wrapped is not null and master = $1 and person >= $2 order by person limit $3 for update
"""
_SAVE = """
update data_key as kept set wrapped = anew.wrapped, master = $1
from unnest($2::uuid[], $3::bytea[]) as anew (person, wrapped)
where kept.person = anew.person
"""
_LOWEST = PersonId(UUID(int=0))

Report = Callable[[int, int], None]
"""Told after each batch: how many are wrapped anew, of how many."""


async def master_keys_in_use(database: Database) -> Mapping[str, int]:
    """How many data keys each master key wraps. One that is not named here is needed no longer."""
    return {row["master"]: row["count"] for row in await database.pool.fetch(_IN_USE)}


async def rewrap(
    database: Database, master: MasterKeys, *, batch: int = 500, report: Report = lambda _done, _of: None
) -> int:
    """Wrap all data keys with the newest master key, and answer how many it were. Safe to repeat and to kill.

    Raises `UnknownMasterKeyError` or `UnreadableError`, which name the person, and then goes no further.
    """
    done = of = 0
    while older := await _older(database, master):
        of = of or sum(older.values())
        for name in older:
            after = _LOWEST
            # The last one moved is itself out of the way, for it has another master key now.
            while moved := await _rewrap_some(database, master, name, after, batch):
                after, done = moved[-1], done + len(moved)
                report(done, max(done, of))
    return done


async def _older(database: Database, master: MasterKeys) -> dict[str, int]:
    in_use = await master_keys_in_use(database)
    return {name: count for name, count in in_use.items() if name != master.newest}


async def _rewrap_some(
    database: Database, master: MasterKeys, older: str, after: PersonId, batch: int
) -> list[PersonId]:
    """Lock some keys in the order of their persons, for somebody may be destroying one, and wrap them anew."""
    async with database.transaction() as connection:
        rows = await connection.fetch(_SOME, older, after, batch)
        persons = [row["person"] for row in rows]
        wrapped = await in_turns(
            master.wrap(row["person"], master.unwrap(row["person"], row["wrapped"])) for row in rows
        )
        await _save(connection, master.newest, persons, wrapped)
    return persons


async def _save(connection: Connection, newest: str, persons: list[PersonId], wrapped: list[bytes]) -> None:
    if persons:
        await connection.execute(_SAVE, newest, persons, wrapped)
