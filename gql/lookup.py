"""How loaders are declared: a method that finds many becomes what is asked for one, and made when first asked for."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

from gql.observed import observed_load

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Lookup(Generic[Key, Found]):
    """The attribute that a method decorated with `lookup` becomes: a data loader, one for each object that has it."""

    def __init__(self, find: Callable[[Any, list[Key]], Awaitable[Sequence[Found]]]) -> None:
        self._find, self.__doc__ = find, find.__doc__
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember where the loader is to be kept."""
        self._name = name

    def __get__(self, owner: Any, _: type | None = None) -> DataLoader[Key, Found]:
        """The loader; the next who asks finds it in the object itself."""
        loader: DataLoader[Key, Found] = DataLoader(observed_load(self._name, partial(self._find, owner)))
        vars(owner)[self._name] = loader
        return loader


def lookup(find: Callable[[Any, list[Key]], Awaitable[Sequence[Found]]]) -> Lookup[Key, Found]:
    """Declare a loader by the method that finds many: what it answers stands in the order of the keys."""
    return Lookup(find)


def by_key(
    find: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]],
) -> Callable[[list[Key]], Awaitable[Sequence[Found | None]]]:
    """A method that finds many in order, from one that leaves out what it does not find."""

    async def load(keys: list[Key]) -> Sequence[Found | None]:
        found = await find(keys)
        return [found.get(key) for key in keys]

    return load
