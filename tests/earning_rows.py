"""So many minutes of one campaign, written as a year of closing would have left them: for plans and for measuring."""

from uuid import UUID

CAMPAIGN = UUID("0197a5d0-0000-7000-8000-000000000001")
FILL = """
insert into brand (id, name, industry, size) values (CAMPAIGN, 'A brand', 'batteries', 'small');
insert into person (id) select md5('person' || n)::uuid from generate_series(1, PARTS) n;
insert into streamer (id, person, display_name, schedule, categories, language, rating, country, time_zone, created_at,
    changed_at)
select md5('streamer' || n)::uuid, md5('person' || n)::uuid, '', '', '{games}', 'id', 'teen', 'ID', 'Asia/Jakarta',
    now(), now() from generate_series(1, PARTS) n;
begin;
insert into campaign (id, brand, state, created_at, launched_at) values (CAMPAIGN, CAMPAIGN, 'active', now(), now());
insert into campaign_version (campaign, version, made_at, title, description, link, currency, budget, pricing, rate,
    minutes, pacing, starts_on, ends_on, time_zone, platforms, countries, languages, categories, highest_rating,
    least_viewers, avoided)
values (CAMPAIGN, 1, now(), 'A title', '', 'https://brand.example', 'IDR', 1000000000000, 'cpm', 5000000, 100000,
    'even', '2026-01-01', '2026-12-31', 'Asia/Jakarta', '{}', '{}', '{}', '{}', 'mature', 0, '{}');
commit;
insert into participation (id, campaign, streamer, person, begun_by, state, created_at, campaign_version, pricing, rate,
    currency, minutes, agreed_at, disclosed_at, live_at)
select md5('part' || n)::uuid, CAMPAIGN, md5('streamer' || n)::uuid, md5('person' || n)::uuid, 'brand', 'live', now(),
    1, 'cpm', 5000000, 'IDR', 100000, now(), now(), now() from generate_series(1, PARTS) n;
insert into earning (participation, campaign, take, withholding_tax, value_added_tax, begun_at, seq)
select md5('part' || n)::uuid, CAMPAIGN, 2000, 0, 1100, now(), 1 from generate_series(1, PARTS) n;
insert into earning_minute (participation, minute, streamer, state, person, day, viewers, before_minutes,
    before_viewers, before_gross, before_cost, earned, take, withheld, added, seq, closed_at, released_at)
select md5('part' || n)::uuid, timestamptz '2026-01-01Z' + m * interval '1 minute', md5('streamer' || n)::uuid,
    case when m % 50 = 0 then 'held' when m % 51 = 0 then 'unpaid' else 'paid' end, md5('person' || n)::uuid,
    timestamptz '2026-01-01Z', 1000, m,
    m::bigint * 1000, m::bigint * 5000000, m::bigint * 5550000, 4000000, 1000000, 0, 550000, 1, now(),
    case when m % 50 <> 0 and m % 51 <> 0 then now() end
from generate_series(1, PARTS) n, generate_series(1, MINUTES) m;
insert into earning_share (participation, minute, creative, seconds, gross)
select participation, minute, CAMPAIGN, 60, 5000000 from earning_minute;
insert into earning_hour (participation, hour, creative, campaign, seconds, impressions, viewer_minutes, gross, cost)
select md5('part' || n)::uuid, timestamptz '2026-01-01Z' + h * interval '1 hour', md5('creative' || c)::uuid, CAMPAIGN,
    1800, 30000, 30000, 150000000, 166500000
from generate_series(1, PARTS) n, generate_series(0, MINUTES / 60) h, generate_series(1, 2) c;
"""
"""Statements one after another; `PARTS` and `MINUTES` say how much."""


def filling(parts: int, minutes: int) -> str:
    """The statements that leave so many participations with so many minutes each."""
    return FILL.replace("CAMPAIGN", f"'{CAMPAIGN}'::uuid").replace("PARTS", str(parts)).replace("MINUTES", str(minutes))
