"""The envelope's layout on paper: what is bound to what, and what master keys are refused."""

import hashlib
import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.vault.envelope import MasterKeys, PersonKey, UnknownMasterKeyError, UnreadableError, new_key
from adapters.vault.index import keyed_digest, subkey
from domain.ids import PersonId, uuid7

OLD, NEW = ("2025", os.urandom(32)), ("2026-b", os.urandom(32))
ANI, BUDI = PersonId(uuid7()), PersonId(uuid7())


def test_a_wrapped_key_opens_with_the_key_that_wrapped_it() -> None:
    key = new_key()
    wrapped = MasterKeys([OLD]).wrap(ANI, key)
    assert MasterKeys([NEW, OLD]).unwrap(ANI, wrapped) == key
    assert wrapped[:6] == b"\x01\x042025"
    assert MasterKeys([NEW, OLD]).wrap(ANI, key)[:8] == b"\x01\x062026-b"
    with pytest.raises(UnknownMasterKeyError, match="needs master key '2025'"):
        MasterKeys([NEW]).unwrap(ANI, wrapped)


def test_a_wrapped_key_is_its_persons_alone() -> None:
    master = MasterKeys([OLD])
    with pytest.raises(UnreadableError, match=str(BUDI)):
        master.unwrap(BUDI, master.wrap(ANI, new_key()))


def test_a_master_key_under_anothers_id_opens_nothing() -> None:
    wrapped = MasterKeys([OLD]).wrap(ANI, new_key())
    with pytest.raises(UnreadableError):
        MasterKeys([(OLD[0], NEW[1])]).unwrap(ANI, wrapped)
    renamed = b"\x01\x06" + NEW[0].encode() + wrapped[6:]
    with pytest.raises(UnreadableError):
        MasterKeys([(NEW[0], OLD[1])]).unwrap(ANI, renamed)


def test_a_value_is_its_persons_even_under_one_key() -> None:
    key = new_key()
    with pytest.raises(UnreadableError, match=str(BUDI)):
        PersonKey(BUDI, key).open("mail", PersonKey(ANI, key).seal("mail", "ani@example.org"))


@given(st.integers(0, 10**6))
def test_no_bit_of_a_wrapped_key_may_change(bit: int) -> None:
    master = MasterKeys([OLD, NEW])
    wrapped = bytearray(master.wrap(ANI, new_key()))
    wrapped[bit // 8 % len(wrapped)] ^= 1 << bit % 8
    with pytest.raises((UnreadableError, UnknownMasterKeyError)):
        master.unwrap(ANI, bytes(wrapped))


@given(st.binary(max_size=80))
def test_noise_is_no_wrapped_key(noise: bytes) -> None:
    with pytest.raises((UnreadableError, UnknownMasterKeyError)):
        MasterKeys([OLD]).unwrap(ANI, noise)


@given(st.text(), st.text(max_size=20), st.text(max_size=20))
def test_a_field_is_bound_by_its_whole_name(text: str, field: str, other: str) -> None:
    key = PersonKey(ANI, new_key())
    content = key.seal(field, text)
    assert len(content) == 1 + 12 + len(text.encode()) + 16
    if other == field:
        assert key.open(other, content) == text
    else:
        with pytest.raises(UnreadableError):
            key.open(other, content)


def test_master_keys_are_read_from_a_setting() -> None:
    master = MasterKeys.parse(f"{NEW[0]}:{NEW[1].hex()}, {OLD[0]}:{OLD[1].hex()}")
    assert master.newest == NEW[0]
    key = new_key()
    assert master.unwrap(ANI, MasterKeys([OLD]).wrap(ANI, key)) == key


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("", "id:hex"),
        ("ab" * 32, "id:hex"),
        (f"a:{'ab' * 32},", "id:hex"),
        (f":{'ab' * 32}", "id takes"),
        (f"ä:{'ab' * 32}", "id takes"),
        (f"{'a' * 41}:{'ab' * 32}", "id takes"),
        ("a:" + "ab" * 31, "32 bytes"),
        ("a:" + "xy" * 32, "not hexadecimal"),
        (f"a:{'ab' * 32},a:{'cd' * 32}", "of its own"),
        (f"a:{'ab' * 32},b:{'ab' * 32}", "of its own"),
    ],
)
def test_wrong_master_keys_are_refused_without_being_repeated(setting: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        MasterKeys.parse(setting)
    assert "abab" not in str(refused.value)
    assert "xy" not in str(refused.value)


def test_there_is_one_master_key_at_least() -> None:
    with pytest.raises(ValueError, match="one master key"):
        MasterKeys([])


def test_keys_show_nothing_of_themselves() -> None:
    master, key = MasterKeys([OLD]), b"k" * 32
    assert all(secret not in repr(it) for it in (master, PersonKey(ANI, key)) for secret in ("kkk", OLD[1].hex()))


def test_subkeys_follow_rfc_5869_and_differ_by_label() -> None:
    identity = os.urandom(32)
    extracted = hmac.digest(bytes(32), identity, "sha256")
    assert subkey(identity, "index") == hmac.digest(extracted, b"gametriggers/index\x01", "sha256")
    assert len({subkey(identity, label) for label in ("index", "refresh", "link", "")}) == 4
    assert subkey(os.urandom(32), "index") != subkey(identity, "index")
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        subkey(identity[:31], "index")


def test_a_digest_is_hmac_over_the_scope_with_its_length_and_the_text() -> None:
    expected = hmac.new(b"k" * 32, b"\x00\x00\x00\x04mail" + b"ani@example.org", hashlib.sha256).digest()
    assert keyed_digest(b"k" * 32, "mail", "ani@example.org") == expected
    assert keyed_digest(b"l" * 32, "mail", "ani@example.org") != expected
