"""What an export tells: everything that concerns a person, page by page, as far as it is theirs to see.

What others did is told without who they were, where they were, and why: that is theirs, or an inquiry's.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Final

from domain.audit_log import DeedFilter, KeptDeed
from domain.identity.privacy_stores import PrivacyPorts, Row, Section
from domain.ids import PersonId
from domain.ledger.model import Entry
from domain.ledger.ports import AccountView, StatementRequest
from domain.money import Currency

PAGE: Final = 200
"""Rows in memory at once."""

Pages = Callable[[], AsyncIterator[Sequence[Row]]]
"""Reads a table anew each time: once for JSON and once for CSV, which also has what happened in between."""


def tables(ports: PrivacyPorts, people: Sequence[PersonId]) -> list[tuple[str, Pages]]:
    """Every table of an export by its name."""

    def of(section: Section) -> Pages:
        return lambda: ports.reads.rows(section, people)

    return [
        *((section.value, of(section)) for section in Section),
        ("wallets", lambda: _wallets(ports, people)),
        ("statements", lambda: _statements(ports, people)),
        ("deeds", lambda: _deeds(ports, people)),
    ]


async def _accounts(ports: PrivacyPorts, people: Sequence[PersonId]) -> Sequence[AccountView]:
    return await ports.books.accounts_of([f"person:{person}" for person in people])


async def _wallets(ports: PrivacyPorts, people: Sequence[PersonId]) -> AsyncIterator[Sequence[Row]]:
    yield [
        {
            "wallet": account.id, "owner": account.key.owner, "purpose": account.key.purpose.value,
            "currency": account.key.currency.value, "status": account.balance.status.value,
            "total": _amount(account.balance.posted, account.key.currency),
            "held": _amount(account.balance.held, account.key.currency),
        }
        for account in await _accounts(ports, people)
    ]  # fmt: skip


async def _statements(ports: PrivacyPorts, people: Sequence[PersonId]) -> AsyncIterator[Sequence[Row]]:
    for account in await _accounts(ports, people):
        after = 0
        while True:
            (found,) = await ports.books.statements([StatementRequest(account.id, PAGE, after=after)])
            if found:
                yield [_entry(account, entry) for entry in found]
            if len(found) < PAGE:
                break
            after = found[-1].seq


def _entry(account: AccountView, entry: Entry) -> Row:
    currency = account.key.currency
    return {
        "wallet": account.id, "sequence": entry.seq, "recorded_at": entry.recorded_at.isoformat(),
        "effective_at": entry.effective_at.isoformat(), "kind": entry.kind.value, "operation": entry.operation.value,
        "change": _amount(entry.change, currency), "balance": _amount(entry.posted, currency),
        "held": _amount(entry.held, currency), "currency": currency.value,
        "counterpart": entry.counterpart.purpose.value, "transaction": str(entry.transaction_id),
    }  # fmt: skip


async def _deeds(ports: PrivacyPorts, people: Sequence[PersonId]) -> AsyncIterator[Sequence[Row]]:
    """What they did, then what else was done about them, then what else was done to them."""

    def told_before(deed: KeptDeed, place: int) -> bool:
        return (place > 0 and deed.actor in people) or (place > 1 and deed.about in people)

    asked: list[list[DeedFilter]] = [
        [DeedFilter(actor=person) for person in people],
        [DeedFilter(about=person) for person in people],
        [DeedFilter(target=f"person:{person}") for person in people],
    ]
    for place, filters in enumerate(asked):
        for only in filters:
            async for page in _deeds_of(ports, only):
                yield [_deed(deed, people) for deed in page if not told_before(deed, place)]


async def _deeds_of(ports: PrivacyPorts, only: DeedFilter) -> AsyncIterator[Sequence[KeptDeed]]:
    after: int | None = None
    while True:
        found = await ports.audit_log.page(only, PAGE, after)
        yield found
        if len(found) < PAGE:
            return
        after = found[-1].position


def _deed(deed: KeptDeed, people: Sequence[PersonId]) -> Row:
    """A line of the audit log as whom it concerns may see it."""
    by_them = deed.actor in people and deed.impersonator is None
    unknown = deed.actor is None and deed.impersonator is None
    concerns_others = deed.about is not None and deed.about not in people
    told = None if concerns_others or not (by_them or deed.about in people) else deed.told
    origin = deed.origin if by_them or (unknown and deed.about in people) else None
    kind, _, name = deed.target.partition(":")
    others = kind == "person" and name not in set(map(str, people))
    return {
        "at": deed.recorded_at.isoformat(),
        "action": deed.action,
        "by": "you" if by_them else "" if unknown else "staff",
        "target": "" if others else deed.target,
        "before": json.dumps(dict(told.before)) if told and told.before else "",
        "after": json.dumps(dict(told.after)) if told and told.after else "",
        "reason": told.reason if told and by_them else "",
        "address": origin.address if origin else "",
        "device": origin.device if origin else "",
    }


def _amount(minor: int, currency: Currency) -> Decimal:
    return Decimal(minor).scaleb(-currency.scale)
