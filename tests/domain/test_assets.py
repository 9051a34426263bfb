"""Files on paper: what they are by their bytes, what they are called, and how uploads move."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.asset.model import (
    LONGEST_FILE_NAME,
    NEXT,
    RULES,
    Asset,
    Declared,
    Flaw,
    MediaType,
    Purpose,
    Rendition,
    RenditionName,
    State,
    Step,
    clean_file_name,
)
from domain.asset.signatures import HEAD, TAIL, sniff
from domain.ids import AssetId, PersonId, uuid7
from tests.asset_stage import MP4, PDF, WEBM, picture

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (picture("PNG"), MediaType.PNG),
        (picture("JPEG"), MediaType.JPEG),
        (picture("WEBP"), MediaType.WEBP),
        (picture("GIF"), MediaType.GIF),
        (PDF, MediaType.PDF),
        (MP4, MediaType.MP4),
        (WEBM, MediaType.WEBM),
        (b"", None),
        (b"<html><script>alert(1)</script>", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"PK\x03\x04" + bytes(100), None),
        (b"MZ" + bytes(100), None),
        (b"junk before\n" + PDF, None),
        (PDF.replace(b"%%EOF", b""), None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", None),
        (b"\x00\x00\x00\x18ftypheic", None),
        (b"\x00\x00\x00\x04ftypisom", None),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, expected: MediaType | None) -> None:
    assert sniff(content[:HEAD], content[-TAIL:]) is expected


@given(st.binary(max_size=200))
def test_any_bytes_can_be_sniffed(content: bytes) -> None:
    assert sniff(content[:HEAD], content[-TAIL:]) in {None, *MediaType}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ani\\Akta perusahaan.pdf", "Akta perusahaan.pdf"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b\r\nSet-Cookie: c=d.pdf", "abSet-Cookie c=d.pdf"),
        ("...hidden", "hidden"),
        ('a"; filename="b.html', "a; filename=b.html"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a" * 500 + ".pdf", "a" * (LONGEST_FILE_NAME - 4) + ".pdf"),
        ("kuitansi\u2013é.pdf", "kuitansi\u2013é.pdf"),
    ],
)
def test_the_name_of_a_file_is_harmless(given: str, expected: str) -> None:
    assert clean_file_name(given) == expected


@given(st.text(max_size=300))
def test_every_name_becomes_one_that_can_be_shown(text: str) -> None:
    name = clean_file_name(text)
    assert 1 <= len(name) <= LONGEST_FILE_NAME
    assert not set(name) & set('/\\"<>|?*:\x00\r\n')
    assert clean_file_name(name) == name


def test_what_is_decided_stays_so() -> None:
    kept = (Rendition(RenditionName.WHOLE, MediaType.PDF, 5),)
    asset = Asset(
        AssetId(uuid7()), "brand:x", Purpose.BRAND_DOCUMENT, PersonId(uuid7()),
        Declared("a", MediaType.PDF, 5, bytes(32)), NOW, NOW,
    )  # fmt: skip
    ready = asset.decided(Step.ACCEPT, NOW, None, kept)
    refused = asset.decided(Step.REFUSE, NOW, Flaw.HASH, ())
    assert ready is not None
    assert refused is not None
    assert (ready.state, refused.state, refused.flaw) == (State.READY, State.REFUSED, Flaw.HASH)
    assert ready.rendition(RenditionName.WHOLE) == kept[0]
    assert asset.rendition(RenditionName.WHOLE) is None
    for decided in (ready, refused):
        assert all(decided.decided(step, NOW, None, ()) is None for step in Step)
    assert {state for state, _ in NEXT} == {State.AWAITED}


def test_every_purpose_and_type_has_a_rule() -> None:
    for purpose in Purpose:
        rule = RULES[purpose]
        assert all(0 < rule.most(type_) <= 100 * 1024 * 1024 for type_ in rule.types)
