"""Mail addresses: which texts are one, in which form they are written to, and by which they are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.addresses import LONGEST_MAIL, mail_index, readable_mail
from tests.fake_vault import FakeVault

READABLE = {
    "as it is": ("ani@mail.example", "ani@mail.example"),
    "the domain in small letters": ("Ani@Mail.Example", "Ani@mail.example"),
    "without what stands around it": (" ani@mail.example\n", "ani@mail.example"),
    "wide letters as usual ones": ("\uff21ni@mail.example", "Ani@mail.example"),
    "the sign of Kelvin as a k": ("mi\u212ae@mail.example", "miKe@mail.example"),
    "a domain in other letters": ("ani@B\u00fccher.example", "ani@b\u00fccher.example"),
    "the same by its name in the DNS": ("ani@xn--bcher-kva.example", "ani@b\u00fccher.example"),
    "signs that are allowed": ("o'ni+a_b-c!#$%&*/=?^`{|}~@mail.example", "o'ni+a_b-c!#$%&*/=?^`{|}~@mail.example"),
}
NONE = {
    "nothing": "",
    "no domain": "ani@",
    "nobody": "@mail.example",
    "two signs": "ani@budi@mail.example",
    "a host alone": "ani@localhost",
    "an empty label": "ani@mail..example",
    "a dot at the end": "ani@mail.example.",
    "a header more": "ani@mail.example\r\nBcc: budi@mail.example",
    "two addresses": "ani@mail.example,budi@mail.example",
    "a name before it": "Ani <ani@mail.example>",
    "a domain that the DNS spells otherwise": "ani@stra\u00dfe.example",
    "a dot that only the DNS takes for one": "ani@mail\u3002example.com",
    "a label that is too long": "ani@" + "a" * 64 + ".example",
    "a space": "a ni@mail.example",
    "a sign that nobody sees": "a\u200bni@mail.example",
    "half a character": "a\ud800ni@mail.example",
    "a local part that is too long": "a" * 65 + "@mail.example",
    "too long": "a@" + "mail." * 60 + "example",
}


@pytest.mark.parametrize(("text", "expected"), READABLE.values(), ids=READABLE.keys())
def test_an_address_is_read(text: str, expected: str) -> None:
    assert readable_mail(text) == expected


@pytest.mark.parametrize("text", NONE.values(), ids=NONE.keys())
def test_what_is_none_is_refused(text: str) -> None:
    assert readable_mail(text) is None


@given(st.text(max_size=300) | st.from_regex(r"[^@\s]{1,20}@[^@\s]{1,20}\.[^@\s]{1,10}"))
def test_reading_twice_changes_nothing_and_every_text_can_be_looked_for(text: str) -> None:
    vault, read = FakeVault(), readable_mail(text)
    index = mail_index(vault, text)
    if read is None:
        return
    assert readable_mail(read) == read
    assert len(read) <= LONGEST_MAIL
    assert "\n" not in read
    assert mail_index(vault, read) == index


@given(st.emails(), st.emails())
def test_two_addresses_are_one_only_where_they_differ_in_case_alone(first: str, second: str) -> None:
    vault = FakeVault()
    assert (mail_index(vault, first) == mail_index(vault, second)) == (first.lower() == second.lower())
    assert mail_index(vault, first.upper()) == mail_index(vault, first)
