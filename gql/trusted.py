"""Trusted documents: those that the makers of our own clients wrote, and which of those clients wrote them.

A client names one by its id, `sha256:` and the digest of its text, or sends that very text. In production nothing else
is carried out: who has stolen a session, or has none, asks only what our own pages ask.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import structlog
from prometheus_client import Counter

from domain.identity.model import Portal
from gql.errors import BadInputError

PREFIX = "sha256:"
LOOK_AGAIN_S = 1.0
"""So long after a look for new documents an unknown id is refused without another look."""

MOST_UPLOADED = 20_000
"""Of which one process keeps the texts; what is uploaded beyond them is as if it were not there."""

UNTRUSTED = Counter("graphql_untrusted_total", "Operations refused for their document.", ["reason"])
_AT_ONCE = 500

_log = structlog.get_logger("gametriggers.trusted")


class Client(StrEnum):
    """Who writes documents."""

    BRAND = "brand"
    STREAMER = "streamer"
    PLAYER = "player"
    ADMIN = "admin"
    OVERLAY = "overlay"

    def speaks_for(self, portal: Portal | None) -> bool:
        """Whether it may use a session of this portal, or its page. An overlay shows what is its streamer's.

        Who has neither session nor page may send what any client sends: it is answered what is for everybody.
        """
        return portal is None or self.value == portal.value or (self is Client.OVERLAY and portal is Portal.STREAMER)


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document, and whose it is."""

    text: str
    clients: frozenset[Client]
    origin: str
    """Where it came from, for people."""
    name: str = ""
    """Of its operation."""


class Uploaded(Protocol):
    """A document as it was uploaded."""

    @property
    def position(self) -> int:
        """Its place among all that were."""
        ...

    @property
    def client(self) -> str:
        """Whose it is."""
        ...

    @property
    def text(self) -> str:
        """The document."""
        ...


class Uploads(Protocol):
    """Documents that came after the program, in the order in which they came."""

    async def after(self, position: int, most: int) -> Sequence[Uploaded]:
        """Those behind a position, the first so many. Raises `UnavailableError`."""
        ...


class UntrustedError(BadInputError):
    """A document that is not carried out, whatever it asks."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        UNTRUSTED.labels(reason).inc()


def not_trusted() -> UntrustedError:
    """The refusal of a document that nobody of ours wrote."""
    return UntrustedError("not_trusted", "Only trusted documents are carried out here: send a `documentId`.")


def document_id(text: str) -> str:
    """The id of a document."""
    return f"{PREFIX}{sha256(text.encode(errors='surrogatepass')).hexdigest()}"


class Trust:
    """All documents that are trusted, and whether others may come beside them.

    Uploaded ones are looked for when an id is unknown, but not twice within a second: however many ids are made up,
    that is one small query a second.
    """

    def __init__(
        self,
        shipped: Iterable[TrustedDocument] = (),
        *,
        others: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.others = others
        self._now = now
        self._uploads: Uploads | None = None
        self._looking: asyncio.Task[None] | None = None
        self._documents: dict[str, TrustedDocument] = {}
        self._by_text: dict[str, TrustedDocument] = {}
        self._position, self._uploaded, self._looked_at = 0, 0, -LOOK_AGAIN_S
        for document in shipped:
            self._add(document)
        self.shipped = tuple(self._documents.values())

    async def look_into(self, uploads: Uploads) -> None:
        """From now on look for uploaded documents there, and do so once. Raises `UnavailableError`."""
        self._uploads = uploads
        self._position = self._uploaded = 0
        await self._look()

    async def find(self, id_: str, portal: Portal | None) -> TrustedDocument:
        """A document by its id, for who has a session of this portal or its page.

        Raises `UntrustedError`, or `UnavailableError` where nobody can say.
        """
        found = self._documents.get(id_)
        if found is None:
            await self._look_again()
            found = self._documents.get(id_)
        if found is None:
            raise UntrustedError("unknown", "No document is known by this `documentId`.")
        return self._for(found, portal)

    def same(self, text: str, portal: Portal | None) -> TrustedDocument | None:
        """The document with exactly this text, if there is one. Raises `UntrustedError` for another client's."""
        found = self._by_text.get(text)
        if found is None:
            return None
        return found if self.others else self._for(found, portal)

    @staticmethod
    def _for(found: TrustedDocument, portal: Portal | None) -> TrustedDocument:
        if not any(client.speaks_for(portal) for client in found.clients):
            raise UntrustedError("other_client", "This document is another client's.")
        return found

    async def _look_again(self) -> None:
        """Look, if the last look is a while ago; whoever asks meanwhile waits for the same one."""
        if self._looking is None and self._now() - self._looked_at >= LOOK_AGAIN_S:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._looked)
        if self._looking is not None:
            await asyncio.shield(self._looking)

    def _looked(self, look: asyncio.Task[None]) -> None:
        self._looking = None
        if not look.cancelled():
            look.exception()  # who waited was told; if nobody waits any more, nobody needs to be

    async def _look(self) -> None:
        """Read what was uploaded since the last look."""
        self._looked_at = self._now()
        if self._uploads is None:
            return
        while self._uploaded < MOST_UPLOADED:
            found = await self._uploads.after(self._position, _AT_ONCE)
            for each in found:
                self._position, self._uploaded = each.position, self._uploaded + 1
                if each.client in set(Client):
                    self._add(TrustedDocument(each.text, frozenset({Client(each.client)}), f"upload {each.position}"))
            if len(found) < _AT_ONCE:
                return
        _log.warning("too_many_uploaded_documents", most=MOST_UPLOADED)

    def _add(self, document: TrustedDocument) -> None:
        id_ = document_id(document.text)
        known = self._documents.get(id_)
        found = replace(known, clients=known.clients | document.clients) if known else document
        self._documents[id_] = self._by_text[document.text] = found
