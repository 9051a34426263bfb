"""Letters: each occasion in each language, every value harmless, links as given."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mail.letters import WrittenLetters
from adapters.mail.wording import LANGUAGES
from domain.identity.mail import (
    AccountsMerged,
    AddressChanged,
    AlreadyRegistered,
    BrandInvitation,
    BrandRejected,
    BrandVerified,
    ConfirmSignUp,
    ErasureDone,
    ErasureDoneInPart,
    ErasureScheduled,
    ExportReady,
    FactorChange,
    IdentityChange,
    IdentityChanged,
    InvoiceIssued,
    Letter,
    Letters,
    NewSignIn,
    Occasion,
    PasswordChanged,
    ResetPassword,
    SecondFactorChanged,
    StepUpCode,
    VerifyAddress,
)
from domain.identity.model import Locale
from domain.identity.provider import Provider

LETTERS: Letters = WrittenLetters()
LINK = "https://portal.example.id/go?ticket=a-b_c&next=%2Fhome"
AT = datetime(2026, 8, 17, 20, 5, tzinfo=UTC)
ID = UUID(int=7)
OCCASIONS: list[Occasion] = [
    ConfirmSignUp(LINK),
    AlreadyRegistered(LINK),
    VerifyAddress(LINK),
    ResetPassword(LINK),
    PasswordChanged(AT, LINK),
    AddressChanged(AT, LINK),
    StepUpCode("012345"),
    NewSignIn("Firefox on Linux", "Bandung, ID", AT, LINK),
    *(SecondFactorChanged(change, AT, LINK) for change in FactorChange),
    *(IdentityChanged(change, provider, AT, LINK) for change in IdentityChange for provider in Provider),
    ExportReady(LINK, AT),
    ErasureScheduled(AT, LINK),
    ErasureDone(),
    ErasureDoneInPart(AT),
    AccountsMerged(AT, LINK),
    BrandInvitation("Baterai Jaya", LINK, AT),
    BrandVerified("Baterai Jaya", LINK),
    BrandRejected("Baterai Jaya", LINK),
    InvoiceIssued("Baterai Jaya", "2026-11", LINK),
]
each_language = pytest.mark.parametrize("locale", Locale)


class Read(HTMLParser):
    """What a mail program sees in HTML."""

    def __init__(self, html: str | None) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(html or "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def worded(occasion: Occasion, locale: Locale = Locale.ENGLISH) -> Letter:
    return LETTERS.word(occasion, "rina@example.id", locale, ID)


def test_there_are_words_for_every_occasion() -> None:
    assert {type(occasion) for occasion in OCCASIONS} == set(get_args(Occasion))
    for language in LANGUAGES.values():
        assert set(language.letters) == set(get_args(Occasion))
        assert set(language.changes) == {*FactorChange, *IdentityChange}
        assert set(language.providers) == set(Provider)
        assert len(language.months) == 12
    assert set(LANGUAGES) == set(Locale)


@each_language
@pytest.mark.parametrize("occasion", OCCASIONS, ids=lambda occasion: type(occasion).__name__)
def test_a_letter_says_all_there_is_to_say_both_ways(occasion: Occasion, locale: Locale) -> None:
    letter = worded(occasion, locale)
    shown = Read(letter.html)
    assert (letter.to, letter.id) == ("rina@example.id", ID)
    assert "{" not in letter.text + (letter.html or "")
    given_link = getattr(occasion, "link", None)
    assert shown.links == ([] if given_link is None else [given_link])
    assert re.findall(r"^https://.*$", letter.text, re.MULTILINE) == shown.links
    for field in fields(occasion):
        value = getattr(occasion, field.name)
        if field.name in {"device", "place", "code", "brand"}:
            assert value in letter.text
            assert value in shown.text


@each_language
def test_who_confirms_a_sign_up_is_told_to_type_the_password_of_it_and_what_if_it_was_not_them(locale: Locale) -> None:
    text = re.sub(r"\s+", " ", worded(ConfirmSignUp(LINK), locale).text)
    for said in {
        Locale.ENGLISH: ["type the password that you chose when you signed up", "sign up yourself"],
        Locale.INDONESIAN: ["ketikkan kata sandi yang Anda pilih saat mendaftar", "daftarlah sendiri"],
    }[locale]:
        assert said in text


def test_the_languages_differ() -> None:
    for occasion in OCCASIONS:
        assert worded(occasion).subject != worded(occasion, Locale.INDONESIAN).subject


@pytest.mark.parametrize(
    ("locale", "said"),
    [(Locale.ENGLISH, "18 August 2026 03:05 WIB"), (Locale.INDONESIAN, "18 Agustus 2026 03:05 WIB")],
)
def test_times_are_those_of_the_reader(locale: Locale, said: str) -> None:
    assert said in worded(ErasureScheduled(AT, LINK), locale).text


@given(device=st.text(), place=st.text())
def test_what_a_stranger_chose_stays_one_line_of_text(device: str, place: str) -> None:
    usual, letter = worded(NewSignIn("x", "y", AT, LINK)), worded(NewSignIn(device, place, AT, LINK))
    assert len(letter.text.splitlines()) == len(usual.text.splitlines())
    assert Read(letter.html).tags == Read(usual.html).tags
    assert Read(letter.html).links == [LINK]
    assert letter.subject == usual.subject


def test_markup_and_foreign_links_are_taken_for_what_they_are() -> None:
    letter = worded(NewSignIn('<img src=x onerror="a()">{link}', "http://evil.example\r\nBcc: a@b.id", AT, LINK))
    shown = Read(letter.html)
    assert "img" not in shown.tags
    assert '<img src=x onerror="a()">{link}' in shown.text
    assert "http://evil" not in letter.text
    assert "Place: http evil.example Bcc: a@b.id\n" in letter.text


def test_a_link_cannot_leave_its_attribute() -> None:
    link = 'https://a.id/"><script>alert(1)</script>'
    shown = Read(worded(VerifyAddress(link)).html)
    assert shown.links == [link]
    assert "script" not in shown.tags


def test_nothing_of_a_letter_shows_when_it_is_printed() -> None:
    printed = repr(worded(ResetPassword(LINK))) + "".join(map(repr, OCCASIONS))
    assert "rina" not in printed
    assert "ticket" not in printed
    assert "012345" not in printed
    assert str(ID) in printed
