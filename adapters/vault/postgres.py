"""The vault, its data keys wrapped in a PostgreSQL database that should have backups and a retention of its own."""

import time
from collections.abc import Callable, Sequence

import structlog

from adapters.postgres.database import Database
from adapters.vault.cache import KeyCache, Reading
from adapters.vault.envelope import MasterKeys, PersonKey, new_key
from adapters.vault.index import keyed_digest, subkey
from adapters.vault.pauses import blocks, in_turns
from domain.errors import KeyDestroyedError
from domain.ids import PersonId
from domain.vault import Sealed

_log = structlog.get_logger(__name__)

_CREATE = "insert into data_key (person, wrapped, master) values ($1, $2, $3) on conflict (person) do nothing"
_FIND = "select person, wrapped from data_key where person = any($1::uuid[])"
_DESTROY = """
insert into data_key as kept (person, destroyed_at) values ($1, now())
on conflict (person) do update set wrapped = null, master = null, destroyed_at = excluded.destroyed_at
where kept.destroyed_at is null
"""
"""Leaves a tombstone even where there was no key, so that none can be made by whoever comes too late."""
_FORGET = "delete from data_key where person = $1 and destroyed_at is null"


class PostgresVault:
    """Is a `domain.vault.Vault`. Remembers as many keys as it is told to, each for 60 s at most."""

    def __init__(
        self,
        database: Database,
        master: MasterKeys,
        identity_key: bytes,
        *,
        remembered: int = 10_000,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._master = database, master
        self._index_key = subkey(identity_key, "index")
        self._cache = KeyCache(remembered, seconds)

    async def create_key(self, person: PersonId) -> None:
        """Make a person's key. One that is there stays, and one that was destroyed is never made again."""
        await self._database.pool.execute(_CREATE, person, self._master.wrap(person, new_key()), self._master.newest)

    async def seal(self, person: PersonId, field: str, text: str) -> bytes:
        """Encrypt a text. Raises `KeyDestroyedError` for a person who was erased, or never had a key."""
        key = (await self._keys([person])).get(person)
        if key is None:
            raise KeyDestroyedError(f"person {person} has no data key")
        return key.seal(field, text)

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[str | None]:
        """Decrypt many at once, in their order: None where there is no key. One statement, however many they are.

        Raises `UnreadableError` if one of them does not open although its key is there.
        """
        persons = list({each.person for each in sealed})
        keys = await self._keys(persons)
        if len(keys) < len(persons):
            # Nobody was erased without a tombstone: this is a keys database that lost rows, or the wrong one.
            _log.error("persons without a data key", persons=len(persons) - len(keys))
        return await in_turns(_opened(keys.get(each.person), each) for each in sealed)

    async def destroy_key(self, person: PersonId) -> None:
        """Destroy a person's key for ever: at once in this process, within 60 s in others."""
        try:
            await self._database.pool.execute(_DESTROY, person)
        finally:
            # Also when it failed: the database may have done it all the same.
            self._cache.forget(person)

    async def forget_key(self, person: PersonId) -> None:
        """Delete the key of who never became a person; no tombstone is left, and one that is there stays."""
        try:
            await self._database.pool.execute(_FORGET, person)
        finally:
            self._cache.forget(person)

    def index(self, scope: str, text: str) -> bytes:
        """A keyed digest of exactly this text within a scope, 32 bytes."""
        return keyed_digest(self._index_key, scope, text)

    async def _keys(self, persons: Sequence[PersonId]) -> dict[PersonId, PersonKey | None]:
        keys: dict[PersonId, PersonKey | None] = {}
        for found in await in_turns(self._cache.find(some) for some in blocks(persons)):
            keys.update(found)
        missing = [person for person in persons if person not in keys]
        if missing:
            reading = self._cache.reading()
            rows = await self._database.pool.fetch(_FIND, missing)
            keys.update(await in_turns(self._learnt(reading, row["person"], row["wrapped"]) for row in rows))
        return keys

    def _learnt(self, reading: Reading, person: PersonId, wrapped: bytes | None) -> tuple[PersonId, PersonKey | None]:
        key = None if wrapped is None else PersonKey(person, self._master.unwrap(person, wrapped))
        self._cache.keep(reading, person, key)
        return person, key


def _opened(key: PersonKey | None, sealed: Sealed) -> str | None:
    return None if key is None else key.open(sealed.field, sealed.content)
