"""The sandbox's SMTP side, by aiosmtpd: takes letters, and goes wrong as ordered."""

import asyncio
import contextlib
import logging
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

from adapters.sandbox.mail.faults import FaultKind, Faults
from adapters.sandbox.mail.mailbox import LARGEST_LETTER, Mailbox

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"


class MailSandboxError(Exception):
    """The sandbox cannot run here; its text says what to do."""


@dataclass(frozen=True, slots=True)
class MailSandboxSettings:
    """How the mail server is to be: by default, open to everybody who can reach loopback, and in the clear."""

    smtp_port: int = 0
    """On loopback; 0 takes a free one."""
    user: str | None = None
    """Who may send, with `password`; anybody when left out."""
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    """What the server shows of itself: STARTTLS is then demanded."""
    implicit_tls: bool = False
    """TLS from the first byte instead."""


class Receiver:
    """What aiosmtpd asks for each recipient and each letter."""

    def __init__(self, settings: MailSandboxSettings, mailbox: Mailbox, faults: Faults) -> None:
        self._settings, self._mailbox, self._faults = settings, mailbox, faults

    async def take_recipient(
        self, _server: "SMTP", _session: "Session", envelope: "Envelope", address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if self._faults.take(FaultKind.REFUSE_RECIPIENT, address):
            return "550 5.1.1 There is nobody of that name"
        if self._faults.take(FaultKind.GREYLIST, address):
            return "451 4.7.1 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def take_letter(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:
        """Take a letter, or not."""
        to = str(envelope.rcpt_tos[0])
        if self._faults.take(FaultKind.REFUSE_CONTENT, to):
            return "554 5.7.1 We do not want that"
        if self._faults.take(FaultKind.SILENCE, to):
            await asyncio.Event().wait()
        self._mailbox.take(
            bytes(envelope.original_content or b""),
            str(envelope.mail_from),
            [str(address) for address in envelope.rcpt_tos],
            secured=session.ssl is not None or self._settings.implicit_tls,
        )
        if self._faults.take(FaultKind.DROP_AFTER_DATA, to):
            cast("asyncio.WriteTransport", server.transport).abort()
        return "250 2.0.0 Kept"

    handle_RCPT = take_recipient  # noqa: N815 - the name that aiosmtpd looks for
    handle_DATA = take_letter  # noqa: N815 - the name that aiosmtpd looks for


@contextlib.asynccontextmanager
async def receiving(settings: MailSandboxSettings, mailbox: Mailbox, faults: Faults) -> AsyncIterator[int]:
    """Listen for letters on loopback, in this event loop, until the block ends. Gives the port.

    Raises `MailSandboxError` where aiosmtpd is not installed or the port is taken.
    """
    open_lines: WeakSet[SMTP] = WeakSet()
    answer = _answering(settings, Receiver(settings, mailbox, faults), open_lines)
    tls = settings.tls if settings.implicit_tls else None
    try:
        server = await asyncio.get_running_loop().create_server(answer, LOOPBACK, settings.smtp_port, ssl=tls)
    except OSError as error:
        raise MailSandboxError(f"Port {settings.smtp_port} of the mail sandbox is taken ({error.strerror}).") from None
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for line in tuple(open_lines):
            if line.transport is not None:
                line.transport.close()


def _answering(settings: MailSandboxSettings, receiver: Receiver, lines: "WeakSet[SMTP]") -> "Callable[[], SMTP]":
    """Answers a call, and notes it in `lines`."""
    try:
        from aiosmtpd.smtp import SMTP, AuthResult
    except ImportError:
        raise MailSandboxError(
            "The mail sandbox needs aiosmtpd, a part of development: pip install -r requirements-dev.txt"
        ) from None
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    starttls = settings.tls is not None and not settings.implicit_tls
    right = (settings.user or "").encode(), (settings.password or "").encode()

    def known(_server: object, _session: object, _envelope: object, _way: str, given: object) -> AuthResult:
        said = getattr(given, "login", b""), getattr(given, "password", b"")
        return AuthResult(success=said == right, handled=False)

    def answer() -> SMTP:
        with warnings.catch_warnings():
            # It warns of passwords in the clear, which on loopback are nobody's.
            warnings.simplefilter("ignore", UserWarning)
            line = SMTP(
                receiver,
                data_size_limit=LARGEST_LETTER,
                enable_SMTPUTF8=True,
                hostname="sandbox.localhost",
                ident="mail sandbox",
                tls_context=settings.tls if starttls else None,
                require_starttls=starttls,
                auth_required=settings.user is not None,
                auth_require_tls=starttls,
                authenticator=known if settings.user is not None else None,
                loop=asyncio.get_running_loop(),
            )
        lines.add(line)
        return line

    return answer
