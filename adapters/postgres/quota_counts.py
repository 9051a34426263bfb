"""What PostgreSQL knows of how often money was moved: how quotas are held while Redis is away."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from adapters.postgres.database import Database

TOP_UPS_STARTED = """
select created_at from top_up where person = $1 and created_at > $2 order by created_at desc limit $3
"""


class QuotaCounts:
    """Counts for `adapters.redis.quotas.RedisQuotas`, each by one look into an index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def top_ups_started(self, subject: Sequence[str], since: datetime, most: int) -> Sequence[datetime]:
        """When a person, the subject's first part, started top-ups, newest first."""
        async with self._database.pool.acquire() as connection:
            records = await connection.fetch(TOP_UPS_STARTED, UUID(subject[0]), since, most)
        return [record["created_at"] for record in records]
