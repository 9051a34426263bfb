"""Passwords: argon2id, an older system's bcrypt, bounded work beside the event loop, and what nobody may choose."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Literal
from unicodedata import normalize

import bcrypt
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.identity.passwords import Argon2Passwords, common_passwords
from domain.errors import UnavailableError
from domain.identity.secrets import (
    PasswordIsAddress,
    Passwords,
    PasswordTooCommon,
    PasswordTooLong,
    PasswordTooShort,
    Verdict,
    normalised,
    refused_password,
)
from domain.refusal import Refusal
from tests.waiting import eventually

SECRET = "correct horse battery"
WRONG = Verdict(matches=False)


@pytest.fixture
def passwords() -> Iterator[Argon2Passwords]:
    with Argon2Passwords() as made:
        yield made


def of_older_system(password: bytes, prefix: str = "$2y$") -> str:
    return bcrypt.hashpw(password[:72], bcrypt.gensalt(4)).decode().replace("$2b$", prefix)


async def test_a_hash_is_argon2id_as_owasp_has_it(passwords: Argon2Passwords) -> None:
    kept = await passwords.hash(SECRET)
    found = extract_parameters(kept)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19_456, 2, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)
    assert kept != await passwords.hash(SECRET)


async def test_the_right_password_matches_and_others_do_not(passwords: Argon2Passwords) -> None:
    kept = await passwords.hash(SECRET)
    assert await passwords.verify(SECRET, kept) == Verdict(matches=True, outdated=False)
    assert await passwords.verify(f"{SECRET} ", kept) == WRONG
    assert await passwords.verify("", kept) == WRONG


async def test_nobody_matches_nothing(passwords: Argon2Passwords) -> None:
    for text in ("", SECRET, "nobody's password", passwords._dummy):
        assert await passwords.verify(text, None) == WRONG


@pytest.mark.parametrize("kept", ["", "$argon2id$", "$2y$", "$2y$10$short", "plain text", "$argon2id$v=19$m=x$a$b"])
async def test_an_unreadable_hash_matches_nothing(passwords: Argon2Passwords, kept: str) -> None:
    assert await passwords.verify(SECRET, kept) == WRONG
    assert await passwords.verify(kept, kept) == WRONG


@pytest.mark.parametrize("prefix", ["$2y$", "$2b$", "$2a$"])
async def test_a_hash_of_an_older_system_matches_and_is_outdated(passwords: Argon2Passwords, prefix: str) -> None:
    kept = of_older_system(SECRET.encode(), prefix)
    assert await passwords.verify(SECRET, kept) == Verdict(matches=True, outdated=True)
    assert await passwords.verify("something else", kept) == WRONG


async def test_a_hash_that_php_made_matches(passwords: Argon2Passwords) -> None:
    kept = "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq"
    assert await passwords.verify("rasmuslerdorf", kept) == Verdict(matches=True, outdated=True)


async def test_an_older_system_looked_at_72_bytes_only(passwords: Argon2Passwords) -> None:
    long = "é" * 50
    kept = of_older_system(long.encode())
    assert (await passwords.verify(long, kept)).matches
    assert (await passwords.verify("é" * 36 + "whatever", kept)).matches
    assert not (await passwords.verify("é" * 35, kept)).matches


async def test_an_older_system_kept_what_was_typed_and_did_not_normalise(passwords: Argon2Passwords) -> None:
    typed = normalize("NFD", "pâte brisée")
    assert (await passwords.verify(typed, of_older_system(typed.encode()))).matches


@pytest.mark.parametrize(
    "hasher",
    [
        PasswordHasher(time_cost=1, memory_cost=19_456, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=9_728, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=2),
        PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.I),
    ],
)
async def test_other_parameters_match_and_are_outdated(passwords: Argon2Passwords, hasher: PasswordHasher) -> None:
    assert await passwords.verify(SECRET, hasher.hash(SECRET)) == Verdict(matches=True, outdated=True)


async def test_either_way_of_typing_an_accent_is_the_same(passwords: Argon2Passwords) -> None:
    kept = await passwords.hash(normalize("NFD", "pâte brisée"))
    assert (await passwords.verify(normalize("NFC", "pâte brisée"), kept)).matches
    assert not (await passwords.verify("pate brisee", kept)).matches


async def test_half_of_a_surrogate_pair_is_a_password_like_others(passwords: Argon2Passwords) -> None:
    text = "\ud83d lonely half"
    assert (await passwords.verify(text, await passwords.hash(text))).matches
    assert await passwords.verify(text, of_older_system(b"x")) == WRONG


async def test_nobody_has_a_password_of_a_megabyte(passwords: Argon2Passwords) -> None:
    kept = await passwords.hash(SECRET)
    assert await passwords.verify(SECRET + "\0" * 1_000_000, kept) == WRONG
    assert await passwords.verify("x" * 1_000_000, of_older_system(b"x" * 72)) == WRONG


class Counted(PasswordHasher):
    """Notes what is worked on by either algorithm."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(time_cost=2, memory_cost=19_456, parallelism=1)
        self.done: list[str] = []
        old = bcrypt.checkpw

        def counted(text: bytes, kept: bytes) -> bool:
            self.done.append("bcrypt")
            return old(text, kept)

        monkeypatch.setattr(bcrypt, "checkpw", counted)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # as the library names it
        self.done.append("argon2")
        return super().verify(hash, password)

    def taken(self) -> list[str]:
        done, self.done = sorted(self.done), []
        return done


@pytest.mark.parametrize(("old_cost", "work"), [(None, ["argon2"]), (4, ["argon2", "bcrypt"])])
async def test_a_failed_try_costs_the_same_whoever_it_was_at(
    monkeypatch: pytest.MonkeyPatch, old_cost: int | None, work: list[str]
) -> None:
    with Argon2Passwords(old_cost=old_cost) as passwords:
        kept = [await passwords.hash(SECRET), None, *([of_older_system(b"x")] if old_cost else [])]
        passwords._argon2 = counted = Counted(monkeypatch)
        for each in kept:
            assert await passwords.verify("something else", each) == WRONG
            assert counted.taken() == work


async def test_somebody_unknown_costs_the_time_of_somebody_known(passwords: Argon2Passwords) -> None:
    await passwords.prepare()
    kept = await passwords.hash(SECRET)

    async def quickest(at: str | None) -> float:
        times = []
        for _ in range(8):
            began = time.process_time()
            await passwords.verify("something else", at)
            times.append(time.process_time() - began)
        return min(times)

    known, unknown = await quickest(kept), await quickest(None)
    assert 0.5 < unknown / known < 2


async def test_the_event_loop_stays_free_while_fifty_hashes_are_made() -> None:
    with Argon2Passwords(threads=2, waiting=50) as passwords:
        work = asyncio.gather(*(passwords.hash(f"{SECRET} {number}") for number in range(50)))
        lags, first = [], time.perf_counter()
        while not work.done():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - began)
        assert len({*await work}) == 50
        took = time.perf_counter() - first
    assert len(lags) > 50, "the loop turned many times while they were made"
    lags.sort()
    assert lags[len(lags) // 2] < took / 75, "each took a fiftieth at least where they are made on the loop"


async def test_too_many_are_told_at_once_and_later_ones_are_served_again() -> None:
    with Argon2Passwords(threads=1, waiting=3) as passwords:
        waiting = [asyncio.ensure_future(passwords.hash(SECRET)) for _ in range(4)]
        await asyncio.sleep(0)
        began = time.perf_counter()
        for _ in range(20):
            with pytest.raises(UnavailableError):
                await passwords.hash(SECRET)
        assert time.perf_counter() - began < 2, "nobody waits until they are told"
        await asyncio.gather(*waiting)
        assert (await passwords.verify(SECRET, await passwords.hash(SECRET))).matches


async def test_who_gives_up_waiting_leaves_their_place_to_others() -> None:
    with Argon2Passwords(threads=1, waiting=1) as passwords:
        for _ in range(5):
            tries = [asyncio.ensure_future(passwords.hash(SECRET)) for _ in range(2)]
            await asyncio.sleep(0)
            tries[1].cancel()
            await asyncio.wait(tries)
        await eventually(lambda: passwords._room._value == 2)


async def test_after_the_end_nobody_is_served() -> None:
    passwords = Argon2Passwords()
    passwords.close()
    with pytest.raises(UnavailableError):
        await passwords.hash(SECRET)


class OnlyCommon:
    """The list alone."""

    async def hash(self, text: str) -> str:
        raise NotImplementedError

    async def verify(self, text: str, kept: str | None) -> Verdict:
        raise NotImplementedError

    def is_common(self, text: str) -> bool:
        return text == "password1234"


LIST: Passwords = OnlyCommon()


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("ninechars", PasswordTooShort()),
        ("tenchars10", None),
        ("é" * 9, PasswordTooShort()),
        (normalize("NFD", "é" * 9), PasswordTooShort()),
        (normalize("NFD", "é" * 10), None),
        ("x" * 256, None),
        ("x" * 257, PasswordTooLong()),
        (normalize("NFD", "é" * 256), None),
        ("password1234", PasswordTooCommon()),
        ("rina.wijaya@example.id", PasswordIsAddress()),
        (" Rina.Wijaya@EXAMPLE.id", PasswordIsAddress()),
        ("rina.wijaya", PasswordIsAddress()),
        ("rina.wijaya@example.id!", None),
        ("          ", None),
    ],
)
def test_what_nobody_may_choose(text: str, refusal: Refusal | None) -> None:
    assert refused_password(text, "Rina.Wijaya@example.id", LIST) == refusal


def test_without_an_address_only_the_other_rules_hold() -> None:
    assert refused_password("rina.wijaya@example.id", None, LIST) is None


@settings(max_examples=300)
@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    refusal = refused_password(text, "a@b.id", LIST)
    assert (refusal is None) == (10 <= len(normalised(text)) <= 256 and text != "password1234")


@pytest.mark.parametrize("text", ["qwertyuiop", "1234567890", "Password123", "1Q2W3E4R5T", "basketball"])
def test_the_list_knows_what_many_people_use(passwords: Argon2Passwords, text: str) -> None:
    assert passwords.is_common(text)


def test_the_list_is_long_and_holds_only_what_would_otherwise_be_allowed(passwords: Argon2Passwords) -> None:
    assert len(common_passwords()) > 10_000
    assert min(map(len, common_passwords())) == 10
    assert all(word == word.lower() for word in itertools.islice(common_passwords(), 1_000))
    assert not passwords.is_common("correct horse battery staple")
