"""A crowd of streamers on a real database, unlike one another as real ones are: for plans and for measurements."""

import asyncpg

from adapters.postgres.streamer.listing import PostgresListing

CROWD = 100_000
MOST_WATCHED = 50_000

_STATEMENTS = (
    "select setseed(0.25)",
    """
    create temporary table crowd as select number,
        (lpad(to_hex(1700000000000 + number * 60000::bigint), 12, '0') || '7000a000' || lpad(to_hex(number), 12, '0'))
            ::uuid as id,
        gen_random_uuid() as person, random() as lives, random() as speaks, random() as watched, random() as rated,
        1 + (random() * 10)::integer as about, (random() * 3)::integer as accounts
    from generate_series(1, $1::integer) as number
    """,
    "insert into person (id) select person from crowd",
    """
    insert into streamer (id, person, display_name, schedule, categories, language, rating, country, time_zone,
        created_at, changed_at)
    select id, person, '', '',
        (array['games', 'esports', 'talk', 'music', 'art', 'sports', 'food', 'travel', 'beauty', 'technology',
            'education'])[about : about + accounts],
        case when speaks > 0.999 then 'jv' when speaks > 0.85 then 'en' when lives < 0.7 then 'id'
            when lives < 0.8 then 'ms' else 'en' end,
        case when rated < 0.4 then 'everyone' when rated < 0.8 then 'teen' else 'mature' end,
        case when lives < 0.7 then 'ID' when lives < 0.8 then 'MY' when lives < 0.88 then 'SG' when lives < 0.95
            then 'PH' when lives < 0.999 then 'TH' else 'TV' end,
        'Asia/Jakarta', now(), now()
    from crowd
    """,
    """
    insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
        asked_at, placed_at, decided_at)
    select gen_random_uuid(), id, platform, '', uuid_send(id), '', now(), 'confirmed', now(), now(), now()
    from crowd cross join (values (1, 'tiktok'), (2, 'facebook')) as known (bit, platform) where accounts & bit <> 0
    """,
)
# Most are watched by few, few by many, and of a third nobody knows.
_WATCHED = """
update streamer_listing set average_viewers = least($1, 8 / (1 - watched))::integer from crowd
where crowd.id = streamer_listing.streamer and number % 3 <> 0
"""


async def crowd_streams(superuser_url: str, size: int = CROWD) -> int:
    """Have so many people stream, and list them; how many were listed."""
    connection = await asyncpg.connect(superuser_url)
    try:
        for statement in _STATEMENTS:
            await connection.execute(statement, *([size] if "$1" in statement else []))
        listed = await PostgresListing(connection).renew()
        await connection.execute(_WATCHED, MOST_WATCHED)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return listed
