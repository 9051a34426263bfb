import time
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.ids import derived, uuid7


def test_uuid7_says_its_version_and_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_uuid7_does_not_repeat_and_all_its_random_bits_are_used() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert len(set(made)) == len(made)
    fixed = (0xF << 76) | (0x3 << 62)
    random_bits = ((1 << 80) - 1) & ~fixed
    ones, zeros = 0, 0
    for one in made:
        ones |= one.int & random_bits
        zeros |= ~one.int & random_bits
    assert ones == zeros == random_bits


def test_uuid7_is_ordered_by_its_millisecond() -> None:
    made = [uuid7() for _ in range(1_000)]
    times = [one.int >> 80 for one in made]
    assert times == sorted(times)


def test_a_derived_id_never_changes() -> None:
    assert derived("midtrans", "order-1") == UUID("f37ea3a6-d28c-5086-919d-5d1dc042bae8")


@given(st.text(), st.text())
def test_a_foreign_id_always_meets_the_same_key(scope: str, external: str) -> None:
    assert derived(scope, external) == derived(scope, external)
    assert derived(scope, external).version == 5
    assert derived(scope, external) != derived(scope, external + "x")
