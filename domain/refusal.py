"""A refusal: the domain says no. A value that an action returns, with a stable code that clients match on."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Refusal:
    """Root of every refusal. Subclasses set `code` and may carry what the caller needs to mend the input."""

    code: ClassVar[str] = "REFUSED"
    message: str
