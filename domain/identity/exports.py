"""Copies of everything that is a person's: asked for, made by a job, fetched once by the link of a letter.

The file lies in the database, in pieces that only the person's own key opens: any process makes it, any serves it, and
none ever holds more of it than a few pieces.
"""

from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError, UnavailableError
from domain.identity.archive import Archive, csv_lines, json_lines
from domain.identity.export_rows import Pages, tables
from domain.identity.letters import queued_letter
from domain.identity.mail import ExportReady
from domain.identity.model import PersonStatus, Ticket, TicketPurpose
from domain.identity.privacy import Export, ExportState
from domain.identity.privacy_refusals import ExportOpen, MailRequired
from domain.identity.privacy_stores import PrivacyPorts
from domain.identity.refusals import NotWhileImpersonating, TooManyTries, UnknownPerson
from domain.ids import PersonId, uuid7
from domain.quotas import EXPORT
from domain.refusal import Refusal
from domain.vault import Sealed
from domain.work import Swept

PIECE: Final = 192 * 1024
"""Bytes of the file in one piece; a third more when sealed."""

_CLAIM: Final = timedelta(minutes=10)
"""Within which the next piece must follow, or another process begins anew."""
_MOST_RUNS: Final = 5
_MOST_AT_ONCE: Final = 20
_STALLED: Final = timedelta(hours=1)
"""After so long whoever began to fetch has it, or never will."""


@dataclass(frozen=True, slots=True)
class Download:
    """An export that is being fetched."""

    export: Export

    @property
    def bytes(self) -> int:
        """How long the file is."""
        return self.export.bytes


class _OvertakenError(Exception):
    """Another process makes this export now."""


class _NobodyToTellError(Exception):
    """Whoever asked is nobody any more, or has no address: no later run will do better."""


async def export_me(ports: PrivacyPorts, actor: Actor) -> Export | Refusal:
    """Ask for a copy of everything that is one's own; a letter brings the link. Its door: the mutation."""
    if refusal := await _not_now(ports, actor):
        return refusal
    export = Export(uuid7(), actor.person, ExportState.REQUESTED, ports.clock())
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        if not await work.exports.add(export):
            return ExportOpen()
        await work.record(Deed("export.requested", f"export:{export.id}", actor, about=actor.person))
    return export


async def make_exports(ports: PrivacyPorts, now: datetime) -> Swept:
    """Make what was asked for. Its door: the schedule; many may run at once, each export is made by one."""
    swept = Swept()
    for _ in range(_MOST_AT_ONCE):
        async with ports.work() as work:
            export = await work.exports.claim(now, ports.clock() + _CLAIM)
        if export is None:
            break
        swept.looked_at += 1
        try:
            await _make(ports, export)
        except _OvertakenError:
            continue
        except (_NobodyToTellError, KeyDestroyedError):
            async with ports.work() as work:
                await work.exports.failed(export)
        except Exception as error:  # noqa: BLE001  # one export's trouble, even a bug of ours, must not keep the others
            swept.failed.append((str(export.id), error))
            if export.run >= _MOST_RUNS:
                async with ports.work() as work:
                    await work.exports.failed(export)
    return swept


async def expire_exports(ports: PrivacyPorts, now: datetime) -> int:
    """Let go of exports that nobody fetched in time, and delete what was fetched. Its door: the schedule."""
    async with ports.work() as work:
        return await work.exports.expire(now, now - _STALLED)


async def fetch_export(ports: PrivacyPorts, token: str, origin: Origin | None) -> Download | None:
    """Begin to fetch an export by the token of its letter; from now on nobody else can. Its door: the page."""
    digest = ports.opaque_tokens.digest(token)
    async with ports.work() as work:
        ticket, now = await work.tickets.lock(digest), ports.clock()
        if ticket is None or not ticket.good(now, TicketPurpose.EXPORT_DOWNLOAD) or ticket.body is None:
            return None
        export = await work.exports.lock_ready(UUID(bytes=ticket.body))
        if export is None:
            return None
        await work.tickets.use(digest, now)
        await work.exports.fetched(export.id, now)
        await work.record(Deed("export.fetched", f"export:{export.id}", about=export.person, origin=origin))
    return Download(export)


async def pieces_of(ports: PrivacyPorts, download: Download) -> AsyncIterator[bytes]:
    """The file, piece by piece; behind the last one nothing is kept of it. Raises `UnavailableError` if it is gone."""
    export = download.export
    for number in range(export.pieces):
        async with ports.work() as work:
            content = await work.exports.piece(export, number)
        if content is None:
            raise UnavailableError("the export is gone")
        (text,) = await ports.vault.open([Sealed(export.person, _field(export, number), content)])
        if text is None:
            raise UnavailableError("the export cannot be read any more")
        yield b64decode(text)
    async with ports.work() as work:
        await work.exports.forget_pieces(export.id)


async def _not_now(ports: PrivacyPorts, actor: Actor) -> Refusal | None:
    """Why there is no export now; else it counts."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    known = (await ports.people.people([actor.person])).get(actor.person)
    if known is None or known.mail is None or known.mail_verified_at is None:
        return MailRequired()
    present = await ports.reads.export_of(actor.person)
    if present is not None and present.state in {ExportState.REQUESTED, ExportState.READY}:
        return ExportOpen()
    taken = await ports.quotas.take(EXPORT, f"person:{actor.person}")
    if taken.allowed:
        return None
    return TooManyTries("You have asked for many exports lately: wait before the next.", taken.retry_after_s)


async def _make(ports: PrivacyPorts, export: Export) -> None:
    """Write the file, then make it known, with its letter, at once.

    Raises `_OvertakenError`, `_NobodyToTellError` and `KeyDestroyedError`.
    """
    people = await _people(ports, export.person)
    written = number = 0
    with Archive(export.asked_at) as archive:
        async with aclosing(_written(archive, tables(ports, people))) as pieces:
            async for piece in pieces:
                await _keep(ports, export, number, piece)
                written, number = written + len(piece), number + 1
    known = (await ports.people.people([export.person])).get(export.person)
    if known is None or known.mail is None:
        raise _NobodyToTellError
    now, token = ports.clock(), ports.opaque_tokens.new()
    until = now + ports.policy.export_lifetime
    occasion = ExportReady(ports.pages.download_export(token), until)
    letter = await queued_letter(ports, export.person, known.mail, known.locale, occasion)
    ticket = Ticket(
        ports.opaque_tokens.digest(token),
        TicketPurpose.EXPORT_DOWNLOAD,
        now,
        until,
        export.person,
        body=export.id.bytes,
    )
    async with ports.work() as work:
        if await work.people.lock(export.person) not in {PersonStatus.ACTIVE, PersonStatus.BANNED}:
            raise _NobodyToTellError
        made = replace(export, ready_at=now, expires_at=until, pieces=number, bytes=written)
        if not await work.exports.ready(made):
            raise _OvertakenError
        await work.tickets.add(ticket)
        await work.letters.add(letter)
        await work.record(Deed("export.made", f"export:{export.id}", about=export.person))


async def _written(archive: Archive, listed: list[tuple[str, Pages]]) -> AsyncGenerator[bytes, None]:
    """The zip of some tables, in pieces of `PIECE` bytes, the last one shorter."""
    for name, pages in listed:
        for ending, lines, opened, closed in (("json", json_lines, "[", "\n]\n"), ("csv", csv_lines, "", "")):
            archive.begin(f"{name}.{ending}")
            archive.write(opened)
            first = True
            async for rows in pages():
                archive.write(lines(rows, first=first))
                first = first and not rows
                for piece in archive.take(PIECE):
                    yield piece
            archive.write(closed)
    archive.close()
    for piece in archive.take(PIECE, rest=True):
        yield piece


async def _keep(ports: PrivacyPorts, export: Export, number: int, piece: bytes) -> None:
    sealed = await ports.vault.seal(export.person, _field(export, number), b64encode(piece).decode())
    async with ports.work() as work:
        if not await work.exports.add_piece(export, number, sealed, ports.clock() + _CLAIM):
            raise _OvertakenError


async def _people(ports: PrivacyPorts, person: PersonId) -> list[PersonId]:
    """The person under every id that they were ever known by."""
    async with ports.work() as work:
        return [person, *await work.erasures.merged_into([person])]


def _field(export: Export, number: int) -> str:
    """As what a piece is sealed: in no other export, run or place does it open."""
    return f"export.{export.id}.{export.run}.{number}"
