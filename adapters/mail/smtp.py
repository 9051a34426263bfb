"""Sends letters by SMTP: a connection for each, and nothing of a letter but its id in any log or exception."""

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE_POLICY
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

import structlog
from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from domain.clock import Clock, system_clock
from domain.errors import UnavailableError
from domain.identity.mail import Letter, MailUndeliverableError

_log = structlog.get_logger(__name__)

_PERMANENT = range(500, 600)
_NOT_SUPPORTED = 553
"""What we say for a server that cannot take letters in all alphabets in an address."""
_OURS_TO_MEND = frozenset({530, 534, 535, 538})
"""They want us to sign in, or to do it otherwise: the address is not to blame."""
_ADDRESS = re.compile(r"[^\s\"(),:;<>@\[\\\]]+@[^\s\"(),:;<>@\[\\\]]+")
_LONGEST_ADDRESS = 254
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")
_GOODBYE_S = 2.0


class TlsMode(StrEnum):
    """How the way to the mail server is secured."""

    NONE = "none"
    """Not at all: on loopback only."""
    STARTTLS = "starttls"
    """Begun in the clear and turned to TLS, or given up; usually port 587."""
    IMPLICIT = "implicit"
    """TLS from the first byte; usually port 465."""


@dataclass(frozen=True, slots=True)
class SmtpAccess:
    """A mail server that takes our letters. `sender` is an address, or a name and an address: `Name <a@b.id>`.

    `ca_file` holds certificates to be trusted instead of the machine's. `timeout_s` is for a whole letter.
    """

    host: str
    port: int
    sender: str
    tls: TlsMode = TlsMode.STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 20.0
    ca_file: Path | None = None


class SmtpMailer:
    """A `Mailer`. Raises `ValueError` for a sender that is no address."""

    def __init__(self, access: SmtpAccess, clock: Clock = system_clock) -> None:
        named = _NAMED.fullmatch(access.sender.strip())
        self._access, self._clock = access, clock
        try:
            self._sender = _address(named[2], named[1]) if named else _address(access.sender)
        except MailUndeliverableError:
            raise ValueError("the sender of mail is not an address") from None
        self._trust = ssl.create_default_context(cafile=access.ca_file) if access.tls is not TlsMode.NONE else None

    async def send(self, letter: Letter) -> None:
        """Hand a letter over. Raises `MailUndeliverableError` and `UnavailableError`, which name no address."""
        message = self._message(letter)
        try:
            await self._hand_over(message, message["To"].addresses[0].addr_spec)
        except SMTPRecipientsRefused as error:
            raise self._refusal(letter, error.recipients[0].code) from None
        except SMTPDataError as error:
            raise self._refusal(letter, error.code) from None
        except SMTPNotSupported:
            raise self._refusal(letter, _NOT_SUPPORTED) from None
        except (SMTPException, OSError, TimeoutError) as error:
            code = error.code if isinstance(error, SMTPResponseException) else None
            _log.warning("mail.unavailable", letter=str(letter.id), error=type(error).__name__, code=code)
            raise UnavailableError("The mail server did not take the letter; it may later.") from None
        _log.info("mail.sent", letter=str(letter.id))

    async def _hand_over(self, message: EmailMessage, recipient: str) -> None:
        access = self._access
        client = SMTP(
            hostname=access.host,
            port=access.port,
            username=access.user,
            password=access.password,
            local_hostname="localhost",
            use_tls=access.tls is TlsMode.IMPLICIT,
            start_tls=access.tls is TlsMode.STARTTLS,
            tls_context=self._trust,
            timeout=access.timeout_s,
        )
        try:
            async with asyncio.timeout(access.timeout_s):
                await client.connect()
                await client.send_message(message, sender=self._sender.addr_spec, recipients=[recipient])
            # It is theirs now: a goodbye that fails must not have it sent again.
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=_GOODBYE_S)
        finally:
            client.close()

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(WIRE_POLICY)
        message["From"] = self._sender
        message["To"] = _address(letter.to)
        message["Subject"] = " ".join(_sayable(letter.subject).split())
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = f"<{letter.id}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_sayable(letter.text))
        if letter.html is not None:
            message.add_alternative(_sayable(letter.html), subtype="html")
        return message

    def _refusal(self, letter: Letter, code: int) -> UnavailableError | MailUndeliverableError:
        _log.warning("mail.refused", letter=str(letter.id), code=code)
        if code in _PERMANENT and code not in _OURS_TO_MEND:
            return MailUndeliverableError(f"The mail server refused the letter for good ({code}).")
        return UnavailableError(f"The mail server did not take the letter now ({code}); it may later.")


def _address(text: str, name: str = "") -> Address:
    """One plain address; whatever could be two, or a header, or a command, is none."""
    if len(text) > _LONGEST_ADDRESS or not text.isprintable() or _ADDRESS.fullmatch(text) is None:
        raise MailUndeliverableError("That is no mail address.")
    local, _, domain = text.partition("@")
    try:
        return Address(" ".join(_sayable(name).split()), _sayable(local), domain.encode("idna").decode())
    except (ValueError, MessageError, LookupError):
        raise MailUndeliverableError("That is no mail address.") from None


def _sayable(text: str) -> str:
    """Without halves of surrogate pairs, which no mail can carry."""
    return text.encode("utf-8", "replace").decode()
