"""Second factors: `domain.identity.factor_stores.SecondFactors` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from asyncpg import Connection, Record

from domain.identity.factor_stores import KeptPasskey, KeptTotp
from domain.identity.model import SecondFactor
from domain.ids import PersonId

_ENROLLED = """
select
    exists (select from totp where person = $1 and confirmed_at is not null) as totp,
    exists (select from passkey where person = $1) as passkey,
    exists (select from recovery_code where person = $1 and used_at is null) as recovery_code
"""
_LOCK_TOTP = "select secret, offered, last_step from totp where person = $1 for no key update"
_OFFER_TOTP = """
insert into totp (person, offered) values ($1, $2) on conflict (person) do update set offered = excluded.offered
"""
_CONFIRM_TOTP = """
update totp set secret = offered, offered = null, last_step = $2, confirmed_at = $3
where person = $1 and offered is not null
"""
_TAKE_STEP = "update totp set last_step = $2 where person = $1"
_REMOVE_TOTP = "delete from totp where person = $1 returning confirmed_at is not null"
_PUT_CODES = "insert into recovery_code (person, digest) select $1, unnest($2::bytea[])"
_USE_CODE = """
update recovery_code set used_at = $3 where person = $1 and digest = $2 and used_at is null returning digest
"""
_COUNT_TRY = """
update person set
    codes_tried = case when codes_since > $2 then codes_tried + 1 else 1 end,
    codes_since = case when codes_since > $2 then codes_since else $3 end
where id = $1
returning codes_tried, codes_since
"""
_FORGET_TRIES = "update person set codes_tried = 0, codes_since = null where id = $1 and codes_tried > 0"
_PASSKEY = "select credential, person, public_key, sign_count, name, created_at, last_used_at from passkey"
_OF_PERSON = f"{_PASSKEY} where person = $1 order by created_at, credential for no key update"
_BY_ID = f"{_PASSKEY} where credential = $1 for no key update"
_ADD_PASSKEY = """
insert into passkey (credential, person, public_key, sign_count, name, created_at) values ($1, $2, $3, $4, $5, $6)
on conflict (credential) do nothing returning credential
"""
_USE_PASSKEY = "update passkey set sign_count = $2, last_used_at = $3 where credential = $1"
_REMOVE_PASSKEY = "delete from passkey where person = $1 and credential = $2 returning credential"


class PostgresSecondFactors:
    """Second factors inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enrolled(self, person: PersonId) -> frozenset[SecondFactor]:
        """What is set up and may be asked for; recovery codes only beside another."""
        found = await self._connection.fetchrow(_ENROLLED, person)
        methods = frozenset(factor for factor in SecondFactor if found[factor])
        return methods if methods - {SecondFactor.RECOVERY_CODE} else frozenset()

    async def lock_totp(self, person: PersonId) -> KeptTotp | None:
        """A person's authenticator app, confirmed or only offered; locked."""
        found = await self._connection.fetchrow(_LOCK_TOTP, person)
        return KeptTotp(*found) if found else None

    async def offer_totp(self, person: PersonId, secret: bytes) -> None:
        """Keep a new secret beside the one in use, until it is confirmed."""
        await self._connection.execute(_OFFER_TOTP, person, secret)

    async def confirm_totp(self, person: PersonId, step: int, now: datetime) -> None:
        """Use the offered secret from now on; the step of its first code counts as taken."""
        await self._connection.execute(_CONFIRM_TOTP, person, step, now)

    async def take_step(self, person: PersonId, step: int) -> None:
        """No code of this step or an earlier one is good any more."""
        await self._connection.execute(_TAKE_STEP, person, step)

    async def remove_totp(self, person: PersonId) -> bool:
        """Forget a person's authenticator app, and one that was only offered; False if none was in use."""
        return bool(await self._connection.fetchval(_REMOVE_TOTP, person))

    async def put_recovery_codes(self, person: PersonId, digests: Sequence[bytes]) -> None:
        """Keep new recovery codes instead of all earlier ones; none where there are none."""
        await self._connection.execute("delete from recovery_code where person = $1", person)
        await self._connection.execute(_PUT_CODES, person, list(digests))

    async def use_recovery_code(self, person: PersonId, digest: bytes, now: datetime) -> bool:
        """Use one up; False if it is none, or was used."""
        return await self._connection.fetchval(_USE_CODE, person, digest, now) is not None

    async def count_try(self, person: PersonId, now: datetime, within: timedelta) -> tuple[int, datetime]:
        """Count a code that is tried: how many there were, and since when. They begin anew after that time."""
        found = await self._connection.fetchrow(_COUNT_TRY, person, now - within, now)
        return found["codes_tried"], found["codes_since"]

    async def forget_tries(self, person: PersonId) -> None:
        """Begin to count anew."""
        await self._connection.execute(_FORGET_TRIES, person)

    async def passkeys(self, person: PersonId) -> Sequence[KeptPasskey]:
        """A person's passkeys, oldest first; locked."""
        return [_passkey(record) for record in await self._connection.fetch(_OF_PERSON, person)]

    async def owner_of_passkey(self, credential: bytes) -> PersonId | None:
        """Whose passkey it is, without a lock."""
        found = await self._connection.fetchval("select person from passkey where credential = $1", credential)
        return PersonId(found) if found else None

    async def find_passkey(self, credential: bytes) -> KeptPasskey | None:
        """A passkey by its id, locked."""
        found = await self._connection.fetchrow(_BY_ID, credential)
        return _passkey(found) if found else None

    async def add_passkey(self, passkey: KeptPasskey) -> bool:
        """Keep a passkey; False if its id is somebody's."""
        made = await self._connection.fetchval(
            _ADD_PASSKEY, passkey.credential, passkey.person, passkey.public_key, passkey.sign_count, passkey.name,
            passkey.created_at,
        )  # fmt: skip
        return made is not None

    async def use_passkey(self, credential: bytes, sign_count: int, now: datetime) -> None:
        """Note that a passkey was used."""
        await self._connection.execute(_USE_PASSKEY, credential, sign_count, now)

    async def remove_passkey(self, person: PersonId, credential: bytes) -> bool:
        """Forget a passkey; False if the person has no such."""
        return await self._connection.fetchval(_REMOVE_PASSKEY, person, credential) is not None


def _passkey(record: Record) -> KeptPasskey:
    return KeptPasskey(*record)
