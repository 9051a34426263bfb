"""People read without locks: `domain.identity.ports.PeopleReads`, one statement and one opening of seals a list."""

from collections.abc import Collection, Mapping, Sequence

from asyncpg import Record

from adapters.postgres.database import Database
from adapters.postgres.identity.sessions import COLUMNS, session_of
from domain.identity.model import Identity, Locale, Person, PersonStatus
from domain.identity.ports import PERSON_TEXTS, PasskeyView, PersonText, SecondFactorsView, SessionView
from domain.ids import PersonId
from domain.vault import Sealed, Vault

_PEOPLE = (
    "select id, status, created_at, locale, mail_verified_at, survivor{texts} from person where id = any($1::uuid[])"
)
_IDENTITIES = """
select id, person, provider, subject, created_at, last_used_at from sign_in_identity
where person = any($1::uuid[]) order by created_at, id
"""
_SESSIONS = f"""
select {COLUMNS}, session.origin from session
where person = any($1::uuid[]) and ended_at is null and expires_at > clock_timestamp()
order by last_used_at desc, id
"""  # noqa: S608  # a list of our columns

_PLACES = """
select person, origin from session where person = any($1::uuid[]) and origin is not null
order by created_at desc limit 200
"""
_FACTORS = """
select asked.person,
    (select confirmed_at from totp where person = asked.person) as totp_since,
    (select count(*) from recovery_code where person = asked.person and used_at is null) as codes
from unnest($1::uuid[]) as asked (person)
"""
_PASSKEYS = """
select person, credential, name as passkey_name, created_at, last_used_at from passkey
where person = any($1::uuid[]) order by created_at, credential
"""


class PostgresPeopleReads:
    """Reads of people; personal texts are opened by the vault, and None where the key was destroyed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def people(
        self, ids: Sequence[PersonId], texts: Collection[PersonText] = PERSON_TEXTS
    ) -> Mapping[PersonId, Person]:
        """People by id, those that there are; what is of no other texts is neither fetched nor opened."""
        wanted = sorted(texts)
        records = await self._rows(_PEOPLE.format(texts="".join(f", {text}" for text in wanted)), ids)
        opened = [await self._open(records, text) for text in wanted]
        return {
            PersonId(record["id"]): _person(
                record, {text: found[place] for text, found in zip(wanted, opened, strict=True)}
            )
            for place, record in enumerate(records)
        }

    async def identities_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[Identity]]:
        """The ways in which each signs in, oldest first."""
        records = await self._rows(_IDENTITIES, people)
        found: dict[PersonId, list[Identity]] = {person: [] for person in people}
        for record, subject in zip(records, await self._open(records, "subject"), strict=True):
            person = PersonId(record["person"])
            found[person].append(
                Identity(
                    record["id"], person, record["provider"], subject, record["created_at"], record["last_used_at"]
                )
            )
        return found

    async def sessions_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[SessionView]]:
        """The living sessions of each, last used first."""
        records = await self._rows(_SESSIONS, people)
        found: dict[PersonId, list[SessionView]] = {person: [] for person in people}
        for record, origin in zip(records, await self._open(records, "origin"), strict=True):
            address, _, device = (origin or "").partition("\n")
            found[PersonId(record["person"])].append(SessionView(session_of(record), device or None, address or None))
        return found

    async def places_of(self, person: PersonId) -> Sequence[tuple[str, str]]:
        """The address and device of each session that a person began of late, also of those that are over."""
        opened = await self._open(await self._rows(_PLACES, [person]), "origin")
        parts = [origin.partition("\n") for origin in opened if origin is not None]
        return [(address, device) for address, _, device in parts]

    async def second_factors_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, SecondFactorsView]:
        """What each set up to prove themselves with; passkeys oldest first."""
        records = await self._rows(_PASSKEYS, people)
        passkeys: dict[PersonId, list[PasskeyView]] = {person: [] for person in people}
        for record, name in zip(records, await self._open(records, "passkey_name"), strict=True):
            found = PasskeyView(record["credential"], name, record["created_at"], record["last_used_at"])
            passkeys[PersonId(record["person"])].append(found)
        return {
            person: SecondFactorsView(record["totp_since"], passkeys[person], record["codes"])
            for record in await self._rows(_FACTORS, people)
            for person in (PersonId(record["person"]),)
        }

    async def _rows(self, statement: str, ids: Sequence[PersonId]) -> Sequence[Record]:
        records: Sequence[Record] = await self._database.pool.fetch(statement, list(ids))
        return records

    async def _open(self, records: Sequence[Record], field: str) -> Sequence[str | None]:
        """One field of many rows, readable."""
        owners = [PersonId(record["person"] if "person" in record else record["id"]) for record in records]
        sealed = [
            Sealed(owner, field, record[field])
            for owner, record in zip(owners, records, strict=True)
            if record[field] is not None
        ]
        opened = iter(await self._vault.open(sealed)) if sealed else iter(())
        return [None if record[field] is None else next(opened) for record in records]


def _person(record: Record, texts: Mapping[PersonText, str | None]) -> Person:
    survivor = record["survivor"]
    return Person(
        PersonId(record["id"]), PersonStatus(record["status"]), record["created_at"], Locale(record["locale"]),
        texts.get("name"), texts.get("mail"), record["mail_verified_at"], texts.get("reason") or "",
        PersonId(survivor) if survivor else None,
    )  # fmt: skip
