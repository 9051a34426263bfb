"""Keys of tokens: one file, read again when it changes, rotated so that nobody is signed out."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from adapters.commands import keys as command
from adapters.identity.keys import KeyFile, KeyFileError, KeyRing, SigningKey, new_ring, read_ring, write_ring
from domain.identity.model import ACCESS_LIFETIME

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = ECKey.generate_key("P-256")
PEM = KEY.as_pem(private=True)
CURVE = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "key.pem"
    made.write_bytes(PEM)
    return made


BAD = {
    "missing": None,
    "empty": b"",
    "nonsense": b"nonsense",
    "not text": b"\xff\xfe nonsense",
    "another curve": ECKey.generate_key("P-384").as_pem(private=True),
    "public": KEY.as_pem(private=False),
    "half": PEM[:100],
    "spoilt": PEM.replace(b"\n", b"\nnonsense", 1),
    "two that sign from the first": PEM + ECKey.generate_key("P-256").as_pem(private=True),
    "a moment that is none": b"Signs from: nonsense\n" + PEM,
    "a moment without a zone": b"Signs from: 2026-05-01T12:00:00\n" + PEM,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_named_and_never_shown(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KeyFileError) as refused:
        KeyFile(file)
    assert str(file) in str(refused.value)
    assert "nonsense" not in str(refused.value)
    assert "BEGIN" not in str(refused.value)


def test_a_key_by_any_tool_is_a_whole_file(file: Path) -> None:
    file.write_bytes(b"Some words of a tool\n" + CURVE + PEM)
    (key,) = KeyFile(file)().keys
    assert key.id == KEY.thumbprint()


def test_a_file_holds_what_was_written() -> None:
    ring = new_ring().rotated(NOW).rotated(NOW + timedelta(days=1))
    again = KeyRing.parse(ring.text)
    assert [(key.id, key.signs_from) for key in again.keys] == [(key.id, key.signs_from) for key in ring.keys]


def test_keys_take_turns() -> None:
    first = new_ring()
    both = first.rotated(NOW)
    old, new = both.keys
    start = NOW + 10 * MINUTE
    end = start + ACCESS_LIFETIME + MINUTE
    assert new.signs_from == start
    assert [both.signing(at) for at in (NOW, start - MINUTE, start, end)] == [old, old, new, new]
    assert [both.believed(at) for at in (NOW, end - MINUTE, end)] == [(old, new), (old, new), (new,)]
    assert (both.retires_at(old), both.retires_at(new)) == (end, None)


def test_a_ring_whose_first_key_has_yet_to_wait_signs_all_the_same() -> None:
    ring = KeyRing((SigningKey.of(KEY, NOW + MINUTE),))
    assert ring.signing(NOW) is ring.keys[0]


def test_one_new_key_at_a_time() -> None:
    ring = new_ring().rotated(NOW)
    with pytest.raises(KeyFileError, match="waits already"):
        ring.rotated(NOW + 9 * MINUTE)
    assert len(ring.rotated(NOW + 10 * MINUTE).keys) == 3


def looked(keys: KeyFile) -> KeyRing:
    """The keys after the while in which a file is not looked at."""
    keys._look_at = 0.0
    return keys()


def test_a_file_is_read_again_when_it_has_changed(file: Path) -> None:
    keys = KeyFile(file)
    before = keys()
    write_ring(file, before.rotated(NOW))
    assert keys() is before
    after = looked(keys)
    assert len(after.keys) == 2
    assert looked(keys) is after


@pytest.mark.parametrize("content", [None, b"nonsense"], ids=["gone", "spoilt"])
def test_a_file_that_cannot_be_read_any_more_changes_nothing(file: Path, content: bytes | None) -> None:
    keys = KeyFile(file)
    before = keys()
    file.unlink() if content is None else file.write_bytes(content)
    assert looked(keys) is before
    write_ring(file, before.rotated(NOW))
    assert len(looked(keys).keys) == 2


def test_whoever_could_read_a_file_before_can_read_it_after(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    link = tmp_path / "link.pem"
    link.symlink_to(file)
    write_ring(link, new_ring())
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert {found.name for found in tmp_path.iterdir()} == {"key.pem", "link.pem"}


def test_a_new_file_is_for_us_alone(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    assert "signs at once" in command.rotate(file, NOW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(read_ring(file).keys) == 1


def test_the_commands_go_through_a_rotation(file: Path) -> None:
    old = KEY.thumbprint()
    assert command.listing(file, NOW) == f"{old}  signs"
    assert command.prune(file, NOW) == "Every key is still needed."
    told = command.rotate(file, NOW)
    new = read_ring(file).keys[1].id
    assert f"Key {new} signs from 2026-05-01 12:10:00Z" in told
    assert f"Key {old} is believed until 2026-05-01 12:26:00Z" in told
    assert command.listing(file, NOW).splitlines() == [
        f"{old}  signs until 2026-05-01 12:10:00Z",
        f"{new}  signs from 2026-05-01 12:10:00Z",
    ]
    assert command.listing(file, NOW + 10 * MINUTE).splitlines() == [
        f"{old}  is believed until 2026-05-01 12:26:00Z",
        f"{new}  signs",
    ]
    assert command.prune(file, NOW + 25 * MINUTE) == "Every key is still needed."
    assert f"{old}  is not needed any more" in command.listing(file, NOW + 26 * MINUTE)
    assert command.prune(file, NOW + 26 * MINUTE) == f"Key {old} is gone."
    assert command.listing(file, NOW + 26 * MINUTE) == f"{new}  signs"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be written"):
        command.rotate(tmp_path / "nowhere" / "key.pem", NOW)
