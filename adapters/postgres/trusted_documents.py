"""Trusted documents that were uploaded: one row each, never changed, in the order in which they were committed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from asyncpg import InterfaceError, PostgresError

from adapters.postgres.database import Database
from domain.errors import UnavailableError

_ORDER = 0x646F6373
"""Advisory lock: who uploads waits for those before, so that no position appears below one that was read."""

_AFTER = "select position, client, text from trusted_document where position > $1 order by position limit $2"
_ADD = """
insert into trusted_document (client, sha256, text, uploaded_by) values ($1, $2, $3, $4) on conflict do nothing
"""
_ALL = "select client, sha256, text, uploaded_by, uploaded_at from trusted_document order by position"


@dataclass(frozen=True, slots=True)
class UploadedDocument:
    """A document, and its place among all that were uploaded."""

    position: int
    client: str
    text: str


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as people look at it."""

    client: str
    id: str
    text: str
    by: str
    at: datetime


class PostgresTrustedDocuments:
    """`gql.trusted.Uploads`, with what uploads and lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, position: int, most: int) -> Sequence[UploadedDocument]:
        """Those behind a position, the first so many. Raises `UnavailableError`."""
        try:
            records = await self._database.pool.fetch(_AFTER, position, most)
        except (OSError, InterfaceError, PostgresError) as error:
            raise UnavailableError("uploaded documents cannot be read now") from error
        return [UploadedDocument(record["position"], record["client"], record["text"]) for record in records]

    async def add(self, client: str, texts: Iterable[str], by: str) -> int:
        """Store documents, all or none; answers how many were new."""
        added = 0
        async with self._database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", _ORDER)
            for text in texts:
                status = await connection.execute(_ADD, client, sha256(text.encode()).digest(), text, by)
                added += int(status.rpartition(" ")[2])
        return added

    async def all(self) -> Sequence[Upload]:
        """Everything that was uploaded, oldest first."""
        records = await self._database.pool.fetch(_ALL)
        return [
            Upload(each["client"], f"sha256:{each['sha256'].hex()}", each["text"], each["uploaded_by"],
                   each["uploaded_at"])
            for each in records
        ]  # fmt: skip
