"""What every vault keeps, the one on PostgreSQL and the one in memory alike."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.embedded.database import DatabaseAddresses
from adapters.vault.envelope import UnreadableError
from domain.errors import KeyDestroyedError
from domain.ids import PersonId, uuid7
from domain.vault import Sealed, Vault
from tests.fake_vault import FakeVault
from tests.vaults import open_vault

FIELDS = ("mail", "name", "phone")


@pytest.fixture(params=["in memory", "on PostgreSQL"])
def place(request: pytest.FixtureRequest) -> DatabaseAddresses | None:
    return request.getfixturevalue("database") if request.param == "on PostgreSQL" else None


@pytest.fixture
async def vault(place: DatabaseAddresses | None) -> AsyncIterator[Vault]:
    if place is None:
        yield FakeVault()
        return
    async with open_vault(place) as opened:
        yield opened


async def new_person(vault: Vault) -> PersonId:
    person = PersonId(uuid7())
    await vault.create_key(person)
    return person


async def sealed(vault: Vault, person: PersonId, field: str = "mail", text: str = "ani@example.org") -> Sealed:
    return Sealed(person, field, await vault.seal(person, field, text))


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8 % len(content)] ^= 1 << bit % 8
    return bytes(changed)


async def refuses(vault: Vault, wrong: Sealed) -> None:
    with pytest.raises(UnreadableError, match=f"the {wrong.field} of person {wrong.person}"):
        await vault.open([wrong])


values = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(FIELDS), st.text()), max_size=20)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=values)
async def test_what_was_sealed_opens_in_the_order_asked(vault: Vault, values: list[tuple[int, str, str]]) -> None:
    persons = [await new_person(vault) for _ in range(4)]
    content = [await sealed(vault, persons[number], field, text) for number, field, text in values]
    assert list(await vault.open(content)) == [text for _, _, text in values]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=30), bit=st.integers(0, 2**12), cut=st.integers(1, 100))
async def test_a_flipped_bit_and_a_cut_end_are_refused(vault: Vault, text: str, bit: int, cut: int) -> None:
    person = await new_person(vault)
    right = await sealed(vault, person, text=text)
    await refuses(vault, Sealed(person, "mail", flipped(right.content, bit)))
    await refuses(vault, Sealed(person, "mail", right.content[:-cut]))
    await refuses(vault, Sealed(person, "mail", right.content + b"\x00"))
    assert list(await vault.open([right])) == [text]


async def test_nothing_opens_as_another_persons_or_another_fields(vault: Vault) -> None:
    ani, budi = await new_person(vault), await new_person(vault)
    right = await sealed(vault, ani)
    await refuses(vault, Sealed(budi, "mail", right.content))
    await refuses(vault, Sealed(ani, "name", right.content))
    await refuses(vault, Sealed(ani, "", b""))


async def test_one_that_does_not_open_refuses_the_list(vault: Vault) -> None:
    person = await new_person(vault)
    with pytest.raises(UnreadableError, match="the name of"):
        await vault.open([await sealed(vault, person), Sealed(person, "name", b"noise"), await sealed(vault, person)])


async def test_the_same_text_never_looks_the_same(vault: Vault) -> None:
    person = await new_person(vault)
    contents = {(await sealed(vault, person)).content for _ in range(20)}
    assert len(contents) == 20
    assert all(b"example" not in content for content in contents)


async def test_destroyed_keys_leave_holes_among_the_living(vault: Vault) -> None:
    persons = [await new_person(vault) for _ in range(5)]
    content = [await sealed(vault, person, text=str(number)) for number, person in enumerate(persons)]
    await vault.destroy_key(persons[1])
    await vault.destroy_key(persons[4])
    await vault.destroy_key(persons[4])
    expected = ["0", None, "2", "3", None]
    assert list(await vault.open(content)) == expected
    assert list(await vault.open([*content, *reversed(content)])) == [*expected, *reversed(expected)]


async def test_a_destroyed_key_is_never_made_again(vault: Vault) -> None:
    person = await new_person(vault)
    content = await sealed(vault, person)
    await vault.destroy_key(person)
    await vault.create_key(person)
    assert list(await vault.open([content])) == [None]
    with pytest.raises(KeyDestroyedError):
        await vault.seal(person, "mail", "again")


async def test_whoever_comes_too_late_makes_no_key_either(vault: Vault) -> None:
    person = PersonId(uuid7())
    await vault.destroy_key(person)
    await vault.create_key(person)
    with pytest.raises(KeyDestroyedError):
        await vault.seal(person, "mail", "late")


async def test_a_key_that_is_forgotten_is_as_if_none_had_been_made(vault: Vault) -> None:
    person = await new_person(vault)
    content = await sealed(vault, person)
    await vault.forget_key(person)
    await vault.forget_key(person)
    assert list(await vault.open([content])) == [None]
    await vault.create_key(person)
    assert list(await vault.open([await sealed(vault, person, text="anew")])) == ["anew"]


async def test_a_destroyed_key_is_not_forgotten(vault: Vault) -> None:
    person = await new_person(vault)
    await vault.destroy_key(person)
    await vault.forget_key(person)
    await vault.create_key(person)
    with pytest.raises(KeyDestroyedError):
        await vault.seal(person, "mail", "late")


async def test_without_a_key_nothing_is_sealed_and_nothing_opens(vault: Vault) -> None:
    stranger = PersonId(uuid7())
    with pytest.raises(KeyDestroyedError, match=str(stranger)):
        await vault.seal(stranger, "mail", "who")
    assert list(await vault.open([Sealed(stranger, "mail", b"anything")])) == [None]
    await vault.create_key(stranger)
    assert list(await vault.open([await sealed(vault, stranger, text="me")])) == ["me"]


async def test_making_a_key_again_keeps_the_one_that_is_there(vault: Vault) -> None:
    person = await new_person(vault)
    content = await sealed(vault, person)
    await asyncio.gather(*(vault.create_key(person) for _ in range(5)))
    assert list(await vault.open([content])) == ["ani@example.org"]


async def test_an_empty_list_opens_to_an_empty_list(vault: Vault) -> None:
    assert list(await vault.open([])) == []


async def test_what_is_no_text_is_refused(vault: Vault) -> None:
    person = await new_person(vault)
    with pytest.raises(UnicodeEncodeError):
        await vault.seal(person, "mail", "half a pair \ud800")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(one=st.tuples(st.text(), st.text()), other=st.tuples(st.text(), st.text()))
async def test_an_index_is_stable_exact_and_scoped(vault: Vault, one: Any, other: Any) -> None:
    assert vault.index(*one) == vault.index(*one)
    assert (vault.index(*one) == vault.index(*other)) == (one == other)
    scope, text = one
    assert vault.index(scope + "x", text) != vault.index(scope, "x" + text)
    assert len(vault.index(scope, text)) == 32


async def test_an_index_knows_capitals_and_forms_apart(vault: Vault) -> None:
    spellings = ("Ani@example.org", "ani@example.org", "é", "e\u0301")
    assert len({vault.index("mail", spelling) for spelling in spellings}) == 4
