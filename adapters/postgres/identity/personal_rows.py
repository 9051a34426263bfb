"""All of identity, brands, streamers, overlays and wallet that is a person's, for their export: page by page, opened.

A page is found by the key behind which the last one ended, so that no connection is held between two pages.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from asyncpg import Record

from adapters.postgres.database import Database
from domain.identity.privacy_stores import Cell, Row, Section
from domain.ids import PersonId
from domain.money import Currency
from domain.vault import Sealed, Vault

_PAGE = 200


@dataclass(frozen=True, slots=True)
class _Table:
    """How a section is read: rows with a `key` that orders them and the `person` with whose key they are sealed."""

    rows: str
    sealed: Mapping[str, str] = field(default_factory=dict)
    """Sealed columns, and as what the vault knows them."""
    amounts: tuple[str, ...] = ()
    """Columns in minor units of the row's `currency`."""


_TABLES = {
    Section.PROFILE: _Table(
        """
        select id::text as key, id as person, name, mail, mail_verified_at, locale, status, survivor as merged_into,
            created_at
        from person where id = any($1::uuid[])
        """,
        {"name": "name", "mail": "mail"},
    ),
    Section.IDENTITIES: _Table(
        """
        select id::text as key, person, provider, subject, created_at, last_used_at
        from sign_in_identity where person = any($1::uuid[])
        """,
        {"subject": "subject"},
    ),
    Section.SECOND_FACTORS: _Table(
        """
        select 'app ' || person as key, person, 'authenticator app' as kind, null::bytea as name,
            confirmed_at as created_at, null::timestamptz as last_used_at
        from totp where person = any($1::uuid[]) and confirmed_at is not null
        union all
        select 'passkey ' || encode(credential, 'hex'), person, 'passkey', name, created_at, last_used_at
        from passkey where person = any($1::uuid[])
        union all
        select 'recovery ' || encode(digest, 'hex'), person, 'recovery code', null, null, used_at
        from recovery_code where person = any($1::uuid[])
        """,
        {"name": "passkey_name"},
    ),
    Section.SESSIONS: _Table(
        """
        select id::text as key, person, portal, created_at, authenticated_at, last_used_at, expires_at, ended_at,
            end_reason, impersonator is not null as by_staff, case when impersonator is null then origin end as origin
        from session where person = any($1::uuid[])
        """,
        {"origin": "origin"},
    ),
    Section.CONSENTS: _Table(
        """
        select lpad(position::text, 20, '0') as key, person, purpose, version, given, at, origin
        from consent where person = any($1::uuid[])
        """,
        {"origin": "origin"},
    ),
    Section.MEMBERSHIPS: _Table(
        """
        select id::text as key, person, kind, brand, role, created_at, ended_at
        from membership where person = any($1::uuid[])
        """
    ),
    Section.BRAND_CONTACTS: _Table(
        """
        select id::text as key, contact as person, id as brand, name from brand where contact = any($1::uuid[])
        """
    ),
    Section.BRAND_INVITATIONS: _Table(
        """
        select id::text as key, invited_by as person, brand, role, state, mail, 'sent' as direction, created_at,
            expires_at
        from brand_invitation where invited_by = any($1::uuid[])
        union all
        select id::text || ' received', ($1::uuid[])[1], brand, role, state, null, 'received', created_at, expires_at
        from brand_invitation
        where accepted_by = any($1::uuid[]) or mail_index in (
            select mail_index from person where id = any($1::uuid[]) and mail_verified_at is not null)
        """,
        {"mail": "invited_mail"},
    ),
    Section.LETTERS: _Table(
        """
        select id::text as key, person, template as occasion, locale, created_at, sent_at, failed_at
        from letter where person = any($1::uuid[])
        """
    ),
    Section.TOP_UPS: _Table(
        """
        select id::text as key, person, wallet, amount, currency, method, gateway, state, credited, taken_back,
            created_at, expires_at
        from top_up where person = any($1::uuid[])
        """,
        amounts=("amount", "credited", "taken_back"),
    ),
    Section.STREAMER: _Table(
        """
        select id::text as key, id, person, display_name, array_to_string(categories, ', ') as categories, language,
            rating, country, time_zone, schedule, created_at, changed_at
        from streamer where person = any($1::uuid[])
        """,
        {"display_name": "streamer_name", "schedule": "streamer_schedule"},
    ),
    Section.FILES: _Table(
        """
        select id::text as key, id, uploader as person, owner, purpose, file_name, media_type, length as bytes,
            encode(sha256, 'hex') as sha256, state, created_at, decided_at
        from asset where uploader = any($1::uuid[])
        """,
        {"file_name": "asset_file_name"},
    ),
    Section.PLATFORM_LINKS: _Table(
        """
        select platform_link.id::text as key, streamer.person, platform, account, state, platform_link.asked_at,
            placed_at,
            decided_at, ended_at, reason, subject, followers
        from platform_link join streamer on streamer.id = platform_link.streamer
        left join platform_watch on platform_watch.link = platform_link.id
        where streamer.person = any($1::uuid[])
        """,
        {"account": "platform_account", "reason": "platform_reason", "subject": "platform_subject"},
    ),
    Section.STREAMS: _Table(
        """
        select stream_session.id::text as key, streamer.person, platform, stream, started_at, stream_session.ended_at,
            (select array_to_string(array_agg(viewers order by at), ', ') from viewer_sample
                where session = stream_session.id) as viewers
        from stream_session join platform_link on platform_link.id = stream_session.link
        join streamer on streamer.id = platform_link.streamer
        where streamer.person = any($1::uuid[])
        """
    ),
    Section.OVERLAYS: _Table(
        """
        select overlay.id::text as key, overlay.id, streamer.person, words, goal_reached, goal_target, width, height,
            place, theme, safe_area, overlay.created_at, overlay.changed_at, revoked_at
        from overlay join streamer on streamer.id = overlay.streamer where streamer.person = any($1::uuid[])
        """,
        {"words": "overlay_words"},
    ),
    Section.OVERLAY_ALERTS: _Table(
        """
        select overlay_alert.overlay::text || ' ' || lpad(overlay_alert.sequence::text, 20, '0') as key,
            streamer.person, overlay_alert.overlay, body, is_test, raised_at
        from overlay_alert join overlay on overlay.id = overlay_alert.overlay
        join streamer on streamer.id = overlay.streamer where streamer.person = any($1::uuid[])
        """,
        {"body": "overlay_alert"},
    ),
    Section.OVERLAY_STOPS: _Table(
        """
        select overlay_stop.streamer::text || ' ' || side as key, streamer.person, side, since, reason
        from overlay_stop join streamer on streamer.id = overlay_stop.streamer
        where streamer.person = any($1::uuid[])
        """,
        {"reason": "overlay_stop_reason"},
    ),
    Section.PARTICIPATIONS: _Table(
        """
        select id::text as key, person, id, campaign, campaign_version, begun_by, state, pricing, rate, currency,
            minutes, created_at, agreed_at, disclosed_at, live_at, ended_at
        from participation where person = any($1::uuid[])
        """,
        amounts=("rate",),
    ),
    Section.OFFERS: _Table(
        """
        select participation::text || ' ' || lpad(number::text, 9, '0') as key, person, participation, number, side,
            offer.pricing, offer.rate, offer.currency, offer.minutes, offer.state, made_at, expires_at
        from offer join participation on participation.id = offer.participation where person = any($1::uuid[])
        """,
        amounts=("rate",),
    ),
    Section.EARNINGS: _Table(
        """
        select part.id || ' ' || to_char(minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') as key, part.person,
            part.campaign, minute, earned_in.state, earned_in.reason, viewers, coalesce(earned, 0) as earned,
            coalesce(take, 0) as take, coalesce(withheld, 0) as withheld, currency
        from earning_minute as earned_in join participation as part on part.id = earned_in.participation
        where part.person = any($1::uuid[])
        """,
        amounts=("earned", "take", "withheld"),
    ),
    Section.DISPUTES: _Table(
        """
        select id::text as key, person, participation, side, reason, ruling, opened_at, decided_at
        from dispute where person = any($1::uuid[])
        """,
        {"reason": "dispute_reason"},
    ),
    Section.MESSAGES: _Table(
        """
        select id::text as key, person, participation, number, side, text, sent_at, hidden_at
        from message where person = any($1::uuid[])
        """,
        {"text": "message_text"},
    ),
    Section.MESSAGE_MARKS: _Table(
        """
        select participation::text || ' ' || person as key, person, participation, number as read_up_to
        from message_mark where person = any($1::uuid[])
        """
    ),
    Section.MESSAGE_REPORTS: _Table(
        """
        select id::text as key, person, message, reason, ruling, reported_at, decided_at
        from message_report where person = any($1::uuid[])
        """,
        {"reason": "message_report_reason"},
    ),
}


async def rows_of(
    database: Database, vault: Vault, section: Section, people: Sequence[PersonId]
) -> AsyncIterator[Sequence[Row]]:
    """The rows of a section, page by page."""
    table, after = _TABLES[section], ""
    # By code points: any other order of texts would depend on the database's language.
    page = f'select * from ({table.rows}) as found where key collate "C" > $2 order by key collate "C" limit $3'  # noqa: S608  # the words are ours
    while True:
        records = await database.pool.fetch(page, list(people), after, _PAGE)
        if records:
            yield await _readable(vault, table, records)
        if len(records) < _PAGE:
            return
        after = records[-1]["key"]


async def _readable(vault: Vault, table: _Table, records: Sequence[Record]) -> list[Row]:
    places = [(row, column) for row, record in enumerate(records) for column in table.sealed if record[column]]
    sealed = [
        Sealed(PersonId(records[row]["person"]), table.sealed[column], records[row][column]) for row, column in places
    ]
    opened = dict(zip(places, await vault.open(sealed) if sealed else (), strict=True))
    return [
        _row(table, record, {column: opened.get((row, column)) for column in table.sealed})
        for row, record in enumerate(records)
    ]


def _row(table: _Table, record: Record, opened: Mapping[str, str | None]) -> Row:
    row: dict[str, Cell] = {}
    for column, value in record.items():
        if column == "origin":
            row["address"], _, row["device"] = (opened[column] or "").partition("\n")
        elif column in opened:
            row[column] = opened[column]
        elif column in table.amounts:
            row[column] = Decimal(value).scaleb(-Currency(record["currency"]).scale)
        elif column != "key":
            row[column] = _cell(value)
    return row


def _cell(value: object) -> Cell:
    """A value of PostgreSQL as an export shows it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
