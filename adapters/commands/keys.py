"""`gametriggers keys`: the keys that sign access tokens, changed while everybody stays signed in."""

from datetime import datetime
from pathlib import Path

from adapters.identity.keys import KeyFileError, KeyRing, new_ring, read_ring, write_ring


def rotate(file: Path, now: datetime) -> str:
    """Add a key that signs after a while, or make the first; answers what to tell. Raises `KeyFileError`."""
    if not file.exists():
        _write(file, new_ring())
        return f"{file} is there now, with a first key: it signs at once."
    ring = read_ring(file).rotated(now)
    _write(file, ring)
    newest, former = ring.keys[-1], ring.keys[-2]
    return (
        f"Key {newest.id} signs from {_when(newest.signs_from)}. Until then it is published only.\n"
        f"Key {former.id} is believed until {_when(ring.retires_at(former))}; `prune` takes it away after that.\n"
        "Give the file to every machine before the new key signs; nothing is to be restarted, nobody is signed out."
    )


def listing(file: Path, now: datetime) -> str:
    """Every key, oldest first, with what it is good for now. Raises `KeyFileError`."""
    ring = read_ring(file)
    return "\n".join(f"{key.id}  {_state(ring, place, now)}" for place, key in enumerate(ring.keys))


def prune(file: Path, now: datetime) -> str:
    """Take away keys whose last token has expired; answers what to tell. Raises `KeyFileError`."""
    ring = read_ring(file)
    kept = ring.believed(now)
    gone = [key for key in ring.keys if key not in kept]
    if gone:
        _write(file, KeyRing(kept))
    return "\n".join(f"Key {key.id} is gone." for key in gone) or "Every key is still needed."


def _state(ring: KeyRing, place: int, now: datetime) -> str:
    key = ring.keys[place]
    retires_at = ring.retires_at(key)
    if key is ring.signing(now):
        return "signs" if retires_at is None else f"signs until {_when(ring.keys[place + 1].signs_from)}"
    if key.signs_from > now:
        return f"signs from {_when(key.signs_from)}"
    if retires_at is not None and now < retires_at:
        return f"is believed until {_when(retires_at)}"
    return "is not needed any more"


def _write(file: Path, ring: KeyRing) -> None:
    try:
        write_ring(file, ring)
    except OSError as error:
        raise KeyFileError(f"{file} cannot be written: {error.strerror}") from None


def _when(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ") if moment else "further notice"
