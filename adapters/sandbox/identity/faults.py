"""Faults that an operator orders: each befalls the next so many calls that fit it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from adapters.sandbox.identity.people import Site


class FaultKind(StrEnum):
    """What can go wrong: with any call, with the return, with the code, with the token."""

    SERVER_ERROR = "server_error"
    TIME_OUT = "time_out"
    """No answer comes until the caller gives up or `seconds` have passed."""
    GARBAGE = "garbage"
    HUGE_ANSWER = "huge_answer"

    MIXED_UP_ISSUER = "mixed_up_issuer"
    """The return says that it comes from another issuer."""
    NO_ISSUER = "no_issuer"
    WRONG_STATE = "wrong_state"
    REPLAYED_CODE = "replayed_code"
    """The return bears a code that was used before."""

    NO_ID_TOKEN = "no_id_token"  # noqa: S105 - the name of a fault
    WRONG_NONCE = "wrong_nonce"
    NO_NONCE = "no_nonce"
    WRONG_AUDIENCE = "wrong_audience"
    MORE_AUDIENCES = "more_audiences"
    WRONG_PARTY = "wrong_party"
    WRONG_ISSUER = "wrong_issuer"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    NO_SUBJECT = "no_subject"
    WRONG_ACCESS_TOKEN = "wrong_access_token"  # noqa: S105 - the name of a fault
    UNKNOWN_KEY = "unknown_key"
    """Signed with a key that is never published."""
    ROTATED_KEY = "rotated_key"
    """Signed with a new key, published from now on in place of the old one."""
    WITHDRAWN_KEY = "withdrawn_key"
    """Signed with the key before the present one."""
    WRONG_SIGNATURE = "wrong_signature"
    """Signed with a key that is not published, under the name of one that is."""
    ALG_NONE = "alg_none"
    HS256_WITH_PUBLIC_KEY = "hs256_with_public_key"


@dataclass(slots=True)
class Fault:
    """One order to go wrong. A narrowing `site` or `call` (discovery, keys, authorize, token) may be None."""

    kind: FaultKind
    times: int = 1
    site: Site | None = None
    call: str | None = None
    seconds: float = 30.0


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def order(self, wish: Mapping[str, object]) -> Fault:
        """Take an operator's order; raises `ValueError` for one that makes no sense."""
        known = {"kind", "times", "site", "call", "seconds"}
        if not set(wish) <= known or "kind" not in wish:
            raise ValueError(f"a fault has a kind, and may have {', '.join(sorted(known - {'kind'}))}")
        fault = Fault(
            kind=FaultKind(str(wish["kind"])),
            times=int(str(wish.get("times", 1))),
            site=None if wish.get("site") is None else Site(str(wish["site"])),
            call=None if wish.get("call") is None else str(wish["call"]),
            seconds=float(str(wish.get("seconds", 30))),
        )
        self._coming.append(fault)
        return fault

    def take(self, kind: FaultKind, site: Site, call: str) -> Fault | None:
        """The fault of this kind that befalls this call, used up by one; usually None."""
        for fault in self._coming:
            fits = fault.kind is kind and fault.site in {None, site} and fault.call in {None, call}
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
