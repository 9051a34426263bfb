"""Sending by real SMTP on loopback: what arrives, what is refused for good or for now, and what nobody may read."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from adapters.embedded import ports
from adapters.mail.smtp import SmtpAccess, SmtpMailer, TlsMode
from adapters.sandbox.mail import MailSandboxSettings, RunningMailSandbox, running_mail_sandbox
from domain.errors import UnavailableError
from domain.identity.mail import Letter, Mailer, MailUndeliverableError
from tests.waiting import PATIENCE_S, eventually

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
SENDER = "Gametriggers <no-reply@example.id>"
LINK = "https://portal.example.id/reset?ticket=" + "s3cret" * 20


def letter(**changes: Any) -> Letter:
    usual: dict[str, Any] = {"to": "rina@example.id", "subject": "Reset", "text": f"Hi\n{LINK}\n", "id": UUID(int=7)}
    return Letter(**{**usual, **changes})


def mailer(sandbox: RunningMailSandbox, **changes: Any) -> Mailer:
    usual: dict[str, Any] = {
        "host": "127.0.0.1", "port": sandbox.smtp_port, "sender": SENDER, "tls": TlsMode.NONE, "timeout_s": 5.0,
    }  # fmt: skip
    return SmtpMailer(SmtpAccess(**{**usual, **changes}), clock=lambda: NOW)


@pytest.fixture
async def sandbox() -> AsyncIterator[RunningMailSandbox]:
    async with running_mail_sandbox() as made:
        yield made


async def test_a_letter_arrives_whole(sandbox: RunningMailSandbox) -> None:
    await mailer(sandbox).send(letter(subject="Atur ulang ✓", html=f'<p>Hi <a href="{LINK}">é</a></p>'))
    (found,) = sandbox.mailbox
    assert (found.sender, found.to, found.subject) == ("no-reply@example.id", ("rina@example.id",), "Atur ulang ✓")
    assert (found.text, found.links) == (f"Hi\n{LINK}\n", [LINK])
    assert found.html == f'<p>Hi <a href="{LINK}">é</a></p>\n'
    message = message_from_bytes(found.raw, policy=default)
    assert message.get_content_type() == "multipart/alternative"
    assert message["Message-ID"] == "<00000000-0000-0000-0000-000000000007@example.id>"
    assert message["From"] == SENDER
    assert message["To"] == "rina@example.id"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"


async def test_a_repeat_is_recognisable(sandbox: RunningMailSandbox) -> None:
    for _ in range(2):
        await mailer(sandbox).send(letter())
    await mailer(sandbox).send(letter(id=UUID(int=8)))
    assert [found.repeated for found in sandbox.mailbox] == [False, True, False]


@pytest.mark.parametrize(
    "to",
    ["", "rina", "rina@", "@example.id", "a@b@c", "rina@example.id\r\nBcc: x@y.id", "a@b.id, c@d.id", "a@b.id c@d.id",
     "Rina <rina@example.id>", "<rina@example.id>", '"a b"@example.id', "a@b.id\0", "a@[127.0.0.1]", "a\u2028@b.id",
     "x" * 250 + "@b.id", "a@" + "x" * 70 + ".id", "a@b..id", "a@b.id> SIZE=1", "\ud83d@b.id\n"],
)  # fmt: skip
async def test_what_is_no_address_reaches_nobody(sandbox: RunningMailSandbox, to: str) -> None:
    with pytest.raises(MailUndeliverableError):
        await mailer(sandbox).send(letter(to=to))
    assert len(sandbox.mailbox) == 0


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: x@y.id", "Hi\nBcc: x@y.id", "Hi\rBcc: x@y.id", "Hi\u2028Bcc: x@y.id"])
async def test_a_subject_cannot_become_a_header(sandbox: RunningMailSandbox, subject: str) -> None:
    await mailer(sandbox).send(letter(subject=subject))
    (found,) = sandbox.mailbox
    assert found.subject == "Hi Bcc: x@y.id"
    assert "bcc" not in {name.lower() for name in message_from_bytes(found.raw).keys()}  # noqa: SIM118 - no mapping


async def test_lines_that_end_mail_elsewhere_are_text(sandbox: RunningMailSandbox) -> None:
    text = "one\n.\nQUIT\n..two\nFrom x\n" + "y" * 2_000 + "\n\ud83d?\n"
    await mailer(sandbox).send(letter(text=text))
    (found,) = sandbox.mailbox
    assert found.text == text.replace("\ud83d", "?")


async def test_addresses_of_all_alphabets(sandbox: RunningMailSandbox) -> None:
    await mailer(sandbox).send(letter(to="rina@bücher.example"))
    await mailer(sandbox).send(letter(to="寿司@example.id"))
    assert [found.to for found in sandbox.mailbox] == [("寿司@example.id",), ("rina@xn--bcher-kva.example",)]


@pytest.mark.parametrize(
    ("kind", "raised", "kept"),
    [
        ("refuse_recipient", MailUndeliverableError, 0),
        ("refuse_content", MailUndeliverableError, 0),
        ("greylist", UnavailableError, 0),
        ("drop_after_data", UnavailableError, 1),
    ],
)
async def test_a_refusal_is_for_good_or_for_now(
    sandbox: RunningMailSandbox, kind: str, raised: type[Exception], kept: int
) -> None:
    sandbox.faults.order({"kind": kind})
    with pytest.raises(raised):
        await mailer(sandbox).send(letter())
    assert len(sandbox.mailbox) == kept
    await mailer(sandbox).send(letter())
    assert [found.repeated for found in sandbox.mailbox] == [bool(kept), *[False] * kept]


def test_the_event_loop_of_servers_drops_lines_as_well() -> None:
    async def story() -> None:
        async with running_mail_sandbox() as sandbox:
            sandbox.faults.order({"kind": "drop_after_data"})
            with pytest.raises(UnavailableError):
                await mailer(sandbox).send(letter())
            await mailer(sandbox).send(letter())
            assert [found.repeated for found in sandbox.mailbox] == [True, False]

    uvloop.run(story())


async def test_silence_ends_in_time(sandbox: RunningMailSandbox) -> None:
    sandbox.faults.order({"kind": "silence"})
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(UnavailableError):
            await mailer(sandbox, timeout_s=0.3).send(letter())
    assert len(sandbox.mailbox) == 0


async def test_a_server_that_is_not_there_may_be_there_later() -> None:
    access = SmtpAccess("127.0.0.1", ports.any_free(), SENDER, tls=TlsMode.NONE)
    with pytest.raises(UnavailableError):
        await SmtpMailer(access).send(letter())


async def test_whoever_gives_up_leaves_no_line_open(sandbox: RunningMailSandbox) -> None:
    sandbox.faults.order({"kind": "silence"})
    sending = asyncio.ensure_future(mailer(sandbox).send(letter()))
    await eventually(lambda: not sandbox.faults.listed())
    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()
    await mailer(sandbox).send(letter())


async def test_a_server_that_takes_a_letter_and_hangs_up_has_taken_it() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 curt\r\n")
        while (line := (await reader.readline()).strip()) != b"QUIT":
            heard.append(line)
            if line == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 OK\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await SmtpMailer(SmtpAccess("127.0.0.1", port, SENDER, tls=TlsMode.NONE)).send(letter())
    assert heard[-1] == b"DATA"


@pytest.mark.parametrize("kind", ["", "refuse_recipient", "greylist", "refuse_content", "drop_after_data"])
async def test_no_address_or_link_is_in_any_log_or_exception(
    sandbox: RunningMailSandbox, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = ""
    if kind:
        sandbox.faults.order({"kind": kind})
    with capture_logs() as logs, caplog.at_level("DEBUG"):
        try:
            await mailer(sandbox).send(letter())
        except (UnavailableError, MailUndeliverableError) as error:
            told = f"{error!r} {error.__cause__!r}"
    told += str(logs) + caplog.text
    assert str(UUID(int=7)) in told
    assert "rina" not in told
    assert "ticket" not in told


@pytest.mark.parametrize("sender", ["", "Gametriggers", "a@b@c", "x <a@b.id>, <c@d.id>"])
def test_a_sender_that_is_no_address_is_a_mistake(sender: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        SmtpMailer(SmtpAccess("127.0.0.1", 25, sender, tls=TlsMode.NONE))


class Certificate:
    """One that signs itself, for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "us")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.file, key_file = folder / "certificate.pem", folder / "key.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.shown.load_cert_chain(self.file, key_file)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
async def test_over_tls_with_a_password(certificate: Certificate, mode: TlsMode) -> None:
    settings = MailSandboxSettings(
        user="us", password="pass word", tls=certificate.shown, implicit_tls=mode is TlsMode.IMPLICIT
    )
    async with running_mail_sandbox(settings) as sandbox:
        way = {"tls": mode, "ca_file": certificate.file}
        await mailer(sandbox, **way, user="us", password="pass word").send(letter())
        (found,) = sandbox.mailbox
        assert found.secured
        for wrong in ({"user": "us", "password": "wrong"}, {}):
            with pytest.raises(UnavailableError):
                await mailer(sandbox, **way, **wrong).send(letter())
        with pytest.raises(UnavailableError):
            await mailer(sandbox, tls=mode, user="us", password="pass word").send(letter())
        assert len(sandbox.mailbox) == 1


async def test_without_tls_where_it_is_demanded_nothing_is_sent(sandbox: RunningMailSandbox) -> None:
    with pytest.raises(UnavailableError):
        await mailer(sandbox, tls=TlsMode.STARTTLS).send(letter())
    assert len(sandbox.mailbox) == 0


def test_a_password_does_not_show() -> None:
    assert "s3cret" not in repr(SmtpAccess("h", 25, SENDER, password="s3cret"))
    assert "s3cret" not in repr(MailSandboxSettings(user="u", password="s3cret"))
