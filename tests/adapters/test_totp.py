"""Codes that are good once: authenticator apps by the RFC's own vectors, recovery codes, codes by mail."""

import hashlib
import re
from base64 import b32decode, b32encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity import totp
from adapters.identity.totp import Scheme, matching_step, new_secret, provisioning_uri
from domain.identity.one_time_codes import (
    MAIL_CODE_LIFETIME,
    MAIL_CODE_TRIES,
    AuthenticatorApps,
    CodeAnswer,
    CodePurpose,
    MailCode,
    accept_step,
    code_digest,
    mail_code_entered,
    matching_digest,
    new_mail_code,
    new_recovery_codes,
    recovery_code_entered,
)
from domain.ids import PersonId

APPS: AuthenticatorApps = totp
"""mypy holds the module to the port."""

NOW = datetime(2026, 11, 21, 12, 0, 10, tzinfo=UTC)
KEY = bytes(range(32))
RINA = PersonId(UUID(int=1))
BUDI = PersonId(UUID(int=2))

VECTORS = {
    59: ("94287082", "46119246", "90693936"),
    1_111_111_109: ("07081804", "68084774", "25091201"),
    1_111_111_111: ("14050471", "67062674", "99943326"),
    1_234_567_890: ("89005924", "91819424", "93441116"),
    2_000_000_000: ("69279037", "90698825", "38618901"),
    20_000_000_000: ("65353130", "77737706", "47863826"),
}
"""RFC 6238, appendix B."""


@pytest.mark.parametrize(
    ("place", "digest", "size"), [(0, hashlib.sha1, 20), (1, hashlib.sha256, 32), (2, hashlib.sha512, 64)]
)
@pytest.mark.parametrize("second", VECTORS)
def test_codes_are_those_of_the_rfc(second: int, place: int, digest: Callable[..., Any], size: int) -> None:
    secret = b32encode((b"1234567890" * 7)[:size]).decode()
    at = datetime.fromtimestamp(second, UTC)
    assert matching_step(secret, VECTORS[second][place], at, Scheme(digest, 8)) == second // 30


SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("second", "found"),
    [(-31, False), (-30, True), (-1, True), (0, True), (29, True), (30, True), (59, True), (60, False)],
)
def test_the_neighbouring_half_minutes_count_and_no_others(second: int, found: bool) -> None:
    """`second` is counted from the beginning of the half minute that the code belongs to."""
    step = 1_111_111_109 // 30
    at = datetime.fromtimestamp(step * 30 + second, UTC)
    assert matching_step(SECRET, "081804", at) == (step if found else None)


@pytest.mark.parametrize("code", ["", "08180", "0818040", "o81804", "٠٨١٨٠٤", "081804\0", "-81804", "081 80"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(SECRET, code, datetime.fromtimestamp(1_111_111_109, UTC)) is None


def test_a_code_may_be_typed_in_groups() -> None:
    assert matching_step(SECRET, " 081 804 ", datetime.fromtimestamp(1_111_111_109, UTC)) == 37_037_036


def test_the_first_half_minute_of_all_has_none_before_it() -> None:
    assert matching_step(SECRET, "755224", datetime.fromtimestamp(0, UTC)) == 0


def test_a_secret_is_new_each_time_and_has_160_bits() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(b32decode(secret)) for secret in secrets} == {20}


def test_an_app_is_told_whose_secret_it_is() -> None:
    parts = urlsplit(provisioning_uri(SECRET, "rina & co@example.id", "Game Triggers"))
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == (
        "otpauth", "totp", "/Game Triggers:rina & co@example.id",
    )  # fmt: skip
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": ["Game Triggers"]}


@pytest.mark.parametrize(
    ("last", "found", "kept"),
    [(None, None, None), (5, None, None), (None, 5, 5), (4, 5, 5), (5, 5, None), (6, 5, None)],
)
def test_no_step_is_accepted_twice(last: int | None, found: int | None, kept: int | None) -> None:
    assert accept_step(last, found) == kept


def test_recovery_codes_are_ten_readable_groups_of_80_bits() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", code) for code in codes)
    assert len({symbol for _ in range(40) for code in new_recovery_codes() for symbol in code}) == 33


SPELLINGS = {"0": "0oO", "1": "1lLiI", "-": "- \u2013_\t"}


@given(st.data(), st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=16, max_size=16))
def test_a_recovery_code_is_known_however_it_is_written(data: st.DataObject, code: str) -> None:
    grouped = "-".join(code[start : start + 4] for start in range(0, 16, 4))
    spellings = [SPELLINGS.get(symbol, symbol + symbol.lower()) for symbol in grouped]
    assert recovery_code_entered("".join(data.draw(st.sampled_from(each)) for each in spellings)) == code


@pytest.mark.parametrize("text", ["", "X7QK-2M9D-PH4T", "X7QK-2M9D-PH4T-0VWZ-1", "U7QK-2M9D-PH4T-0VWZ", "ß" * 8])
def test_what_cannot_be_a_recovery_code_is_none(text: str) -> None:
    assert recovery_code_entered(text) is None


@given(st.text(max_size=40))
def test_any_text_may_be_entered(text: str) -> None:
    found = recovery_code_entered(text)
    assert found is None or re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{16}", found)
    found = mail_code_entered(text)
    assert found is None or re.fullmatch(r"[0-9]{6}", found)


def test_a_mail_code_is_six_digits_with_leading_zeros() -> None:
    codes = [new_mail_code() for _ in range(500)]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in codes)
    assert any(code.startswith("0") for code in codes)
    assert mail_code_entered(" 012 345\n") == "012345"


def test_a_digest_is_of_one_key_purpose_person_and_code() -> None:
    digests = {
        code_digest(key, purpose, person, code)
        for key in (KEY, KEY[::-1])
        for purpose in CodePurpose
        for person in (RINA, BUDI)
        for code in ("000000", "000001")
    }
    assert len(digests) == 16
    assert {len(digest) for digest in digests} == {32}


def test_a_short_key_makes_no_digest() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        code_digest(KEY[:31], CodePurpose.RECOVERY, RINA, "x")


def test_the_digest_found_is_the_one_to_delete() -> None:
    kept = [code_digest(KEY, CodePurpose.RECOVERY, RINA, code) for code in ("a", "b", "c")]
    assert [matching_digest(kept, digest) for digest in kept] == [0, 1, 2]
    assert matching_digest(kept, code_digest(KEY, CodePurpose.RECOVERY, BUDI, "a")) is None
    assert matching_digest([], kept[0]) is None


RIGHT, OTHER = b"r" * 32, b"o" * 32
SENT = MailCode(RIGHT, NOW + MAIL_CODE_LIFETIME)


def test_a_mail_code_is_accepted_once() -> None:
    answer, after = SENT.tried(RIGHT, NOW)
    assert answer is CodeAnswer.ACCEPTED
    assert after.tried(RIGHT, NOW)[0] is CodeAnswer.SPENT


def test_a_mail_code_ends_to_the_second() -> None:
    assert SENT.tried(RIGHT, SENT.expires_at - timedelta(seconds=1))[0] is CodeAnswer.ACCEPTED
    assert SENT.tried(RIGHT, SENT.expires_at) == (CodeAnswer.SPENT, SENT)


@pytest.mark.parametrize("wrong", range(MAIL_CODE_TRIES + 2))
def test_a_mail_code_stands_so_many_wrong_tries(wrong: int) -> None:
    code = SENT
    for number in range(wrong):
        answer, code = code.tried(OTHER, NOW)
        assert answer is (CodeAnswer.WRONG if number < MAIL_CODE_TRIES else CodeAnswer.SPENT)
    assert code.tries == min(wrong, MAIL_CODE_TRIES)
    assert code.tried(RIGHT, NOW)[0] is (CodeAnswer.ACCEPTED if wrong < MAIL_CODE_TRIES else CodeAnswer.SPENT)
