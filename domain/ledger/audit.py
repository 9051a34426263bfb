"""What an audit finds: the first row that is wrong or missing, and how many more."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that is wrong or missing. `expected` and `found` are what should stand there and what does."""

    table: str
    key: str
    position: int | None
    what: str
    expected: str | None = None
    found: str | None = None

    def __str__(self) -> str:
        place = f" at position {self.position}" if self.position is not None else ""
        figures = f" (expected {self.expected}, found {self.found})" if self.expected or self.found else ""
        return f"{self.table} {self.key}{place}: {self.what}{figures}"


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found, first things first. Findings beyond `MOST_LISTED` are only counted."""

    rows: int = 0
    changes: int = 0
    deeds: int = 0
    seals: int = 0
    unsealed: int = 0
    findings: list[Finding] = field(default_factory=list)
    found: int = 0

    @property
    def clean(self) -> bool:
        """Nothing is wrong and nothing is missing."""
        return self.found == 0

    @property
    def first(self) -> Finding | None:
        """The first row that is wrong or missing."""
        return self.findings[0] if self.findings else None

    def add(self, findings: Iterable[Finding]) -> None:
        """Note findings in the order of their discovery."""
        for finding in findings:
            self.found += 1
            if len(self.findings) < MOST_LISTED:
                self.findings.append(finding)
