"""Faults that an operator orders: each befalls the next so many calls or notifications that fit it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong, first with answers, then with notifications."""

    SERVER_ERROR = "server_error"
    """HTTP 500, and nothing was done."""
    ERROR_AFTER_WORK = "error_after_work"
    """HTTP 500, though it was done."""
    RATE_LIMIT = "rate_limit"
    REFUSAL = "refusal"
    """What was asked is declined, and nothing was done."""
    DELAY = "delay"
    """Work begins after so many `seconds`."""
    TIME_OUT = "time_out"
    """It is done, but no answer comes until the caller gives up or `seconds` have passed."""
    GARBAGE = "garbage"
    """It is done, but a proxy's HTML comes back."""
    HUGE_ANSWER = "huge_answer"
    STALE_STATUS = "stale_status"
    """The status API tells the state before the present one."""
    BAD_SIGNATURE = "bad_signature"
    DUPLICATE = "duplicate"
    """A notification goes out in `copies`, all at once."""
    OUT_OF_ORDER = "out_of_order"
    """A notification waits until the one after it has gone."""
    LOST = "lost"
    """A notification never goes out."""


@dataclass(slots=True)
class Fault:
    """One order to go wrong. A narrowing `call` (as counted: snap.create, core.status, …) or `order_id` may be None."""

    kind: FaultKind
    times: int = 1
    call: str | None = None
    order_id: str | None = None
    seconds: float = 30.0
    copies: int = 3


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def order(self, wish: Mapping[str, object]) -> Fault:
        """Take an operator's order; raises `ValueError` for one that makes no sense."""
        known = {"kind", "times", "call", "order_id", "seconds", "copies"}
        if not set(wish) <= known or "kind" not in wish:
            raise ValueError(f"a fault has a kind, and may have {', '.join(sorted(known - {'kind'}))}")
        fault = Fault(
            kind=FaultKind(str(wish["kind"])),
            times=int(str(wish.get("times", 1))),
            call=None if wish.get("call") is None else str(wish["call"]),
            order_id=None if wish.get("order_id") is None else str(wish["order_id"]),
            seconds=float(str(wish.get("seconds", 30))),
            copies=int(str(wish.get("copies", 3))),
        )
        self._coming.append(fault)
        return fault

    def take(self, kind: FaultKind, *, order_id: str | None, call: str | None = None) -> Fault | None:
        """The fault of this kind that befalls this call or notification, used up by one; usually None."""
        for fault in self._coming:
            fits = fault.kind is kind and fault.call in {None, call} and fault.order_id in {None, order_id}
            if fits and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def listed(self) -> list[dict[str, object]]:
        """Those not used up."""
        return [asdict(fault) for fault in self._coming if fault.times > 0]

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._coming.clear()
