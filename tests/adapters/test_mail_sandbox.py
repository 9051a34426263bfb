"""The mail sandbox: what was sent is on its page and in its JSON, in bounded memory, and it goes wrong as told."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import aiohttp
import aiosmtplib
import pytest

from adapters.sandbox.mail import (
    Mailbox,
    MailSandboxError,
    MailSandboxSettings,
    RunningMailSandbox,
    create_mail_sandbox,
    running_mail_sandbox,
)
from adapters.sandbox.mail.receiver import receiving

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


@pytest.fixture
async def sandbox() -> AsyncIterator[RunningMailSandbox]:
    async with running_mail_sandbox(clock=lambda: NOW) as made:
        yield made


def a_letter(to: str = "rina@example.id", subject: str = "Hello", text: str = "Hi\n", **more: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "us@example.id", to, subject
    letter["Message-ID"] = more.get("message_id", f"<{subject}@example.id>")
    letter.set_content(text)
    if "html" in more:
        letter.add_alternative(more["html"], subtype="html")
    return letter


async def post(sandbox: RunningMailSandbox, letter: EmailMessage) -> None:
    await aiosmtplib.send(letter, hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=False, timeout=5)


async def asked(sandbox: RunningMailSandbox, path: str, verb: str = "GET", body: Any = None) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as reader, reader.request(verb, sandbox.url + path, json=body) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.text(), await answer.json() if is_json else answer.headers


async def test_letters_are_on_the_page_newest_first_with_links_to_click(sandbox: RunningMailSandbox) -> None:
    await post(sandbox, a_letter(subject="First", text="Go to https://a.id/x?b=1&c=2.\nBye\n"))
    await post(sandbox, a_letter(subject="Second <b>"))
    status, page, _ = await asked(sandbox, "/")
    assert status == 200
    assert 0 < page.index("Second &lt;b&gt;") < page.index("First")
    assert '<a href="https://a.id/x?b=1&amp;c=2">https://a.id/x?b=1&amp;c=2</a>.\nBye' in page
    assert "03:00:00 UTC" in page


async def test_an_empty_mailbox_says_so(sandbox: RunningMailSandbox) -> None:
    assert "No letter has arrived yet" in (await asked(sandbox, "/"))[1]


async def test_markup_in_a_letter_is_text_on_the_page(sandbox: RunningMailSandbox) -> None:
    await post(sandbox, a_letter(text='<script>alert(1)</script> https://a.id/"onclick="x"\n'))
    page = (await asked(sandbox, "/"))[1]
    assert "<script" not in page
    assert 'href="https://a.id/"' in page
    assert '"onclick="' not in page


async def test_a_letters_own_html_is_shown_inert(sandbox: RunningMailSandbox) -> None:
    await post(sandbox, a_letter(html="<p>Hi <script>1</script></p>"))
    status, page, headers = await asked(sandbox, "/letters/1/html")
    assert status == 200
    assert "<p>Hi" in page
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert '<a href="/letters/1/html">' in (await asked(sandbox, "/"))[1]
    assert (await asked(sandbox, "/letters/2/html"))[0] == 404


async def test_tests_find_letters_by_address_and_number(sandbox: RunningMailSandbox) -> None:
    for number, to in enumerate(["rina@example.id", "budi@example.id", "Rina@example.id"], 1):
        await post(sandbox, a_letter(to, f"S{number}", text=f"See https://a.id/{number} and https://a.id/{number}\n"))
    _, _, letters = await asked(sandbox, "/control/letters?to=RINA@example.id")
    assert [letter["subject"] for letter in letters] == ["S3", "S1"]
    assert letters[0] == {
        "number": 3,
        "receivedAt": NOW.isoformat(),
        "messageId": "<S3@example.id>",
        "from": "us@example.id",
        "to": ["Rina@example.id"],
        "subject": "S3",
        "text": "See https://a.id/3 and https://a.id/3\n",
        "html": None,
        "links": ["https://a.id/3"],
        "repeated": False,
    }
    assert [each["number"] for each in (await asked(sandbox, "/control/letters?after=1"))[2]] == [3, 2]
    assert (await asked(sandbox, "/control/letters?after=x"))[0] == 400
    assert (await asked(sandbox, "/control/letters", "DELETE"))[0] == 204
    assert (await asked(sandbox, "/control/letters"))[2] == []


async def test_a_repeat_is_recognised(sandbox: RunningMailSandbox) -> None:
    for _ in range(2):
        await post(sandbox, a_letter(message_id="<same@example.id>"))
    assert [letter.repeated for letter in sandbox.mailbox] == [True, False]
    assert "sent again" in (await asked(sandbox, "/"))[1]


async def test_all_can_be_forgotten_by_a_button(sandbox: RunningMailSandbox) -> None:
    await post(sandbox, a_letter())
    assert (await asked(sandbox, "/clear", "POST"))[0] == 200
    assert len(sandbox.mailbox) == 0


@pytest.mark.parametrize(
    ("kind", "code", "kept"),
    [("refuse_recipient", 550, 0), ("greylist", 451, 0), ("refuse_content", 554, 0), ("drop_after_data", None, 1)],
)
async def test_faults_befall_the_letters_they_are_for(
    sandbox: RunningMailSandbox, kind: str, code: int | None, kept: int
) -> None:
    wish = {"kind": kind, "to": "rina@example.id", "times": 1}
    assert (await asked(sandbox, "/control/faults", "POST", wish))[0] == 201
    assert (await asked(sandbox, "/control/faults"))[2] == [wish]
    await post(sandbox, a_letter("budi@example.id"))
    with pytest.raises(aiosmtplib.SMTPException) as caught:
        await post(sandbox, a_letter())
    error = caught.value
    found = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    assert getattr(found, "code", None) == code
    assert len(sandbox.mailbox) == 1 + kept
    assert (await asked(sandbox, "/control/faults"))[2] == []
    await post(sandbox, a_letter())
    assert len(sandbox.mailbox) == 2 + kept


@pytest.mark.parametrize("wish", [{}, {"kind": "unheard_of"}, {"kind": "greylist", "more": 1}, [], "x"])
async def test_an_order_that_makes_no_sense_is_refused(sandbox: RunningMailSandbox, wish: Any) -> None:
    assert (await asked(sandbox, "/control/faults", "POST", wish))[0] == 400


async def test_faults_can_be_taken_back(sandbox: RunningMailSandbox) -> None:
    await asked(sandbox, "/control/faults", "POST", {"kind": "greylist", "times": 9})
    assert (await asked(sandbox, "/control/faults", "DELETE"))[0] == 204
    await post(sandbox, a_letter())
    assert len(sandbox.mailbox) == 1


def test_a_mailbox_keeps_the_newest_of_too_many() -> None:
    clock = iter(NOW + timedelta(seconds=second) for second in range(100))
    mailbox = Mailbox(lambda: next(clock), letters=3)
    for number in range(5):
        mailbox.take(a_letter(subject=f"S{number}").as_bytes(), "us@example.id", ["a@b.id"], secured=False)
    assert [letter.subject for letter in mailbox] == ["S4", "S3", "S2"]
    assert [letter.number for letter in mailbox] == [5, 4, 3]
    assert mailbox.find(1) is None


def test_a_mailbox_keeps_no_more_than_it_has_room_for() -> None:
    mailbox = Mailbox(size=10_000)
    for number in range(5):
        letter = a_letter(subject=f"S{number}", text="x" * 4_000)
        mailbox.take(letter.as_bytes(), "us@example.id", ["a@b.id"], secured=False)
    assert [letter.subject for letter in mailbox] == ["S4", "S3"]


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"Content-Type: text/plain; charset=unheard\r\n\r\n\xff"])
def test_any_bytes_are_a_letter(raw: bytes) -> None:
    mailbox = Mailbox()
    mailbox.take(raw, "us@example.id", ["a@b.id"], secured=False)
    assert len(mailbox) == 1


async def test_too_large_a_letter_is_not_taken(sandbox: RunningMailSandbox) -> None:
    with pytest.raises(aiosmtplib.SMTPResponseException):
        await post(sandbox, a_letter(text="x" * 70 + "\n" + ("y" * 70 + "\n") * 16_000))
    assert len(sandbox.mailbox) == 0


async def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtpd.smtp", None)
    app = create_mail_sandbox()
    with pytest.raises(MailSandboxError, match=r"requirements-dev\.txt"):
        async with app.router.lifespan_context(app):
            pass


async def test_a_port_that_is_taken_is_named(sandbox: RunningMailSandbox) -> None:
    settings = MailSandboxSettings(smtp_port=sandbox.smtp_port)
    with pytest.raises(MailSandboxError, match=str(sandbox.smtp_port)):
        async with receiving(settings, sandbox.mailbox, sandbox.faults):
            pass
