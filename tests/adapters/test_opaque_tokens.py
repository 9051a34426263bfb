"""Opaque tokens: nobody can guess one, follow one, or find one by its digest without the key."""

import hmac
import re
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from adapters.identity.opaque import KeyedTokens
from domain.identity.ports import OpaqueTokens

KEY, OTHER = b"k" * 32, b"o" * 32
TOKENS: OpaqueTokens = KeyedTokens(KEY)


def test_a_token_has_256_bits_and_is_new() -> None:
    made = {TOKENS.new() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in made)


def test_the_next_of_a_token_is_always_the_same_and_like_any_other() -> None:
    token = TOKENS.new()
    follower = TOKENS.successor(token)
    assert follower == KeyedTokens(KEY).successor(token)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", follower)
    assert len({token, follower, TOKENS.successor(follower), KeyedTokens(OTHER).successor(token)}) == 4


@given(text=st.text())
def test_a_digest_is_of_the_key_and_tells_nothing_without_it(text: str) -> None:
    digest = TOKENS.digest(text)
    assert digest == KeyedTokens(KEY).digest(text)
    known = (sha256(text.encode()).digest(), hmac.digest(KEY, text.encode(), "sha256"))
    assert digest not in (KeyedTokens(OTHER).digest(text), *known)
    assert len(digest) == 32


@given(one=st.text(), other=st.text())
def test_two_tokens_never_meet(one: str, other: str) -> None:
    assert (TOKENS.digest(one) == TOKENS.digest(other)) is (one == other)
