"""Letters as they arrived, the newest of them, in bounded memory."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy

from domain.clock import Clock, system_clock

MOST_LETTERS = 200
MOST_BYTES = 16 * 1024 * 1024
LARGEST_LETTER = 1024 * 1024

LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


@dataclass(frozen=True, slots=True)
class ReceivedLetter:
    """One letter as a mail server passed it on."""

    number: int
    """Counted from 1 since the sandbox began; never given twice."""
    received_at: datetime
    message_id: str
    sender: str
    to: tuple[str, ...]
    """As the envelope said."""
    subject: str
    text: str
    html: str | None
    repeated: bool
    """Whether a letter with this Message-ID had arrived before."""
    secured: bool
    """Whether it came over TLS."""
    raw: bytes = field(repr=False)

    @property
    def links(self) -> list[str]:
        """The addresses in its text, in their order, each once."""
        return list(dict.fromkeys(LINK.findall(self.text)))


class Mailbox:
    """All letters to everybody. The oldest go when there are too many."""

    def __init__(self, clock: Clock = system_clock, *, letters: int = MOST_LETTERS, size: int = MOST_BYTES) -> None:
        self._clock, self._most, self._largest = clock, letters, size
        self._letters: deque[ReceivedLetter] = deque()
        self._size = 0
        self._count = 0

    def __iter__(self) -> Iterator[ReceivedLetter]:
        """Newest first."""
        return reversed(tuple(self._letters))

    def __len__(self) -> int:
        return len(self._letters)

    def take(self, raw: bytes, sender: str, to: list[str], *, secured: bool) -> ReceivedLetter:
        """Keep a letter that arrived."""
        message = message_from_bytes(raw, policy=policy)
        message_id = str(message["Message-ID"] or "").strip()
        self._count += 1
        letter = ReceivedLetter(
            number=self._count,
            received_at=self._clock(),
            message_id=message_id,
            sender=sender,
            to=tuple(to),
            subject=str(message["Subject"] or ""),
            text=_body(message, "plain") or "",
            html=_body(message, "html"),
            repeated=any(message_id == earlier.message_id for earlier in self._letters),
            secured=secured,
            raw=raw,
        )
        self._letters.append(letter)
        self._size += len(raw)
        while len(self._letters) > self._most or (self._size > self._largest and len(self._letters) > 1):
            self._size -= len(self._letters.popleft().raw)
        return letter

    def find(self, number: int) -> ReceivedLetter | None:
        """The letter with this number, if it is still there."""
        return next((letter for letter in self._letters if letter.number == number), None)

    def sent_to(self, address: str, after: int = 0) -> list[ReceivedLetter]:
        """Letters to an address (to anybody when empty) that came after the one with that number, newest first."""
        wanted = address.casefold()
        return [
            letter
            for letter in self
            if letter.number > after and (not wanted or wanted in {each.casefold() for each in letter.to})
        ]

    def clear(self) -> None:
        """Forget all letters."""
        self._letters.clear()
        self._size = 0


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError):
        return "(in an encoding that nobody knows)"
