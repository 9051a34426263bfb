"""The objects that every server answers from, and what is asked of it."""

from dataclasses import dataclass

OWNERS = 13
LEAVES = "id name title price stock active colour note"
QUERIES = {
    "list": f"{{ items {{ {LEAVES} }} }}",
    "nested": f"{{ items {{ {LEAVES} owner {{ id name city email score active rank note }} }} }}",
}


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """Somebody who keeps items."""

    id: int
    name: str
    city: str
    email: str
    score: float
    active: bool
    rank: int
    note: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One of fifty."""

    id: int
    name: str
    title: str
    price: float
    stock: int
    active: bool
    colour: str
    note: str
    owner_id: int


ALL_OWNERS = [
    OwnerRow(n, f"Owner {n}", "Jakarta", f"owner{n}@example.com", n + 0.5, True, n, "keeps things")  # noqa: FBT003 - a row
    for n in range(OWNERS)
]
ALL_ITEMS = [
    ItemRow(
        n, f"Item {n}", f"The title of item {n}", n + 0.25, n * 3, n % 2 == 0, "green", "as it was found", n % OWNERS
    )
    for n in range(50)
]
