"""Faults that an operator orders: each befalls the next so many letters that fit it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong with a letter."""

    REFUSE_RECIPIENT = "refuse_recipient"
    """550: there is nobody of that name."""
    GREYLIST = "greylist"
    """451: try again later."""
    REFUSE_CONTENT = "refuse_content"
    """554: what the letter says is not wanted."""
    DROP_AFTER_DATA = "drop_after_data"
    """The letter is kept, but the line goes dead before the answer."""
    SILENCE = "silence"
    """The letter is not kept, and no answer ever comes."""


@dataclass(slots=True)
class Fault:
    """One order to go wrong. `to` narrows it to letters to one address; None means to anybody."""

    kind: FaultKind
    times: int = 1
    to: str | None = None


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def order(self, wish: Mapping[str, object]) -> Fault:
        """Take an operator's order; raises `ValueError` for one that makes no sense."""
        known = {"kind", "times", "to"}
        if not set(wish) <= known or "kind" not in wish:
            raise ValueError(f"a fault has a kind, and may have {', '.join(sorted(known - {'kind'}))}")
        fault = Fault(
            kind=FaultKind(str(wish["kind"])),
            times=int(str(wish.get("times", 1))),
            to=None if wish.get("to") is None else str(wish["to"]),
        )
        self._coming.append(fault)
        return fault

    def take(self, kind: FaultKind, to: str) -> bool:
        """Whether such a fault befalls a letter to this address; it is used up by one."""
        for fault in self._coming:
            if fault.kind is kind and fault.to in {None, to} and fault.times > 0:
                fault.times -= 1
                return True
        return False

    def listed(self) -> list[dict[str, object]]:
        """Those not used up."""
        return [asdict(fault) for fault in self._coming if fault.times > 0]

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._coming.clear()
