"""One merchant's account at Midtrans: its payments, what befalls them, and who is told."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter

from adapters.sandbox.midtrans.bodies import status_body
from adapters.sandbox.midtrans.faults import Faults
from adapters.sandbox.midtrans.notices import Notifier, Sleep
from adapters.sandbox.midtrans.payments import MERCHANT_MAY, Act, ActRefusedError, Back, Payment, State
from domain.clock import Clock, system_clock

_CARD = "credit_card"
_PAYMENTS = TypeAdapter(list[Payment])


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The merchant's settings at Midtrans."""

    server_keys: tuple[str, ...]
    """All are accepted; the first signs notifications, so that a rotation of keys can be played."""
    notification_url: str | None = None
    """The dashboard's; a request's headers may override it or add to it."""
    state_file: Path | None = None
    """Keeps payments over restarts; None forgets them. Notifications that were still to be retried are not kept."""
    notification_timeout_s: float = 15.0


class Sandbox:
    """The account. Its verbs raise `ActRefusedError` where a payment's state does not allow them."""

    def __init__(self, settings: SandboxSettings, *, clock: Clock = system_clock, sleep: Sleep = asyncio.sleep) -> None:
        self.settings = settings
        self.clock = clock
        self.sleep = sleep
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.notifier = Notifier(
            settings.server_keys[0], self.faults, sleep=sleep, timeout_s=settings.notification_timeout_s
        )
        self._payments = {payment.order_id: payment for payment in _restored(settings.state_file)}
        self._written = {payment.order_id: _as_json(payment) for payment in self._payments.values()}

    def __iter__(self) -> Iterator[Payment]:
        """All payments, oldest first."""
        return iter(list(self._payments.values()))

    def add(self, payment: Payment) -> None:
        """Keep a payment whose page was just opened."""
        self._payments[payment.order_id] = payment
        self._save(payment)

    def find(self, reference: str) -> Payment | None:
        """The payment with this order id or transaction id, expired if its time has come."""
        found = self._payments.get(reference) or next(
            (payment for payment in self._payments.values() if payment.transaction_id == reference), None
        )
        return None if found is None else self._expired_if_due(found)

    def with_token(self, token: str) -> Payment | None:
        """The payment of this page, expired if its time has come."""
        found = next((payment for payment in self._payments.values() if payment.token == token), None)
        return None if found is None else self._expired_if_due(found)

    def choose(self, payment: Payment, channel: str | None = None) -> None:
        """The payer picks a channel of the page: the first, unless one is named."""
        self._change(payment, lambda now: payment.choose(channel or payment.channels[0], now))

    def act(self, payment: Payment, act: Act) -> None:
        """Let something happen to a payment; a channel is chosen first where none was."""
        if payment.state is State.NEW:
            self.choose(payment)
        self._change(payment, lambda now: payment.turn(act, now))

    def wish(self, payment: Payment, act: Act) -> None:
        """Do as the merchant asks through the API, where it may ask for that."""
        if payment.state not in MERCHANT_MAY[act]:
            raise ActRefusedError(f"{act} is not for the merchant while {payment.state}")
        self._change(payment, lambda now: payment.turn(act, now))

    def pay(
        self, payment: Payment, *, channel: str | None = None, amount: int | None = None, currency: str | None = None
    ) -> None:
        """The payer pays, `amount` and `currency` if not what was asked; a card is captured first, then settled."""
        if payment.state is State.NEW:
            self.choose(payment, channel)
        payment.currency = currency or payment.currency
        if amount is not None:
            payment.paid = amount
        if payment.channel == _CARD and payment.state is State.PENDING:
            self.act(payment, Act.CAPTURE)
        self.act(payment, Act.SETTLE)

    def refund(self, payment: Payment, amount: int | None, key: str, reason: str) -> Back:
        """Give `amount` rupiah back (all that remains when None); not final before it is confirmed."""
        back = self._back(payment, amount, key, reason)
        self._change(payment, lambda _: payment.take_back(Act.REFUND_PART, Act.REFUND_REST, back))
        return back

    def confirm_refunds(self, payment: Payment) -> None:
        """The bank confirms every refund that it has not yet."""
        waiting = [back for back in payment.backs if back.confirmed_at is None]
        if not waiting:
            raise ActRefusedError("no refund waits for the bank")

        def confirm(now: datetime) -> None:
            for back in waiting:
                back.confirmed_at = now

        self._change(payment, confirm)

    def charge_back(self, payment: Payment, amount: int | None) -> None:
        """The payer's bank takes `amount` rupiah back, or all that remains."""
        back = self._back(payment, amount, key="", reason="chargeback")
        self._change(payment, lambda _: payment.take_back(Act.CHARGE_BACK_PART, Act.CHARGE_BACK_REST, back))

    def _back(self, payment: Payment, amount: int | None, key: str, reason: str) -> Back:
        number = 1 + sum(len(each.backs) for each in self._payments.values())
        rest = payment.paid - payment.gone_back
        return Back(number, str(uuid4()), rest if amount is None else amount, key, reason, self.clock())

    def _expired_if_due(self, payment: Payment) -> Payment:
        due = payment.expires_at is not None and self.clock() >= payment.expires_at
        if due and payment.state is State.PENDING:
            self._change(payment, lambda now: payment.turn(Act.EXPIRE, now))
        return payment

    def _change(self, payment: Payment, change: Callable[[datetime], None]) -> None:
        before = status_body(payment)
        change(self.clock())
        payment.past.append(before)
        self._save(payment)
        self.notifier.notify(payment)

    def _save(self, changed: Payment) -> None:
        """Keep all payments; only the one that changed is written out anew, or a storm of them would take for ever."""
        path = self.settings.state_file
        if path is None:
            return
        self._written[changed.order_id] = _as_json(changed)
        draft = path.with_name(f"{path.name}.draft")
        draft.write_text(f"[{','.join(self._written.values())}]", encoding="utf-8")
        draft.replace(path)


def page_open(payment: Payment, now: datetime) -> bool:
    """Whether the payment's page still lets its payer choose."""
    deadline = min(payment.page_closes_at, payment.expires_at or payment.page_closes_at)
    return now < deadline


def page_lifetime(minutes: int | None) -> timedelta:
    """How long a page stays open: a day unless the request says otherwise."""
    return timedelta(minutes=minutes) if minutes is not None else timedelta(days=1)


def _restored(path: Path | None) -> list[Payment]:
    return [] if path is None or not path.exists() else _PAYMENTS.validate_json(path.read_bytes())


def _as_json(payment: Payment) -> str:
    return json.dumps(asdict(payment), default=_plain)


def _plain(found: object) -> str:
    if isinstance(found, datetime):
        return found.isoformat()
    raise TypeError(f"{type(found).__name__} cannot be kept")
