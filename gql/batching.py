"""Fields that are looked up for many objects together: a page of a hundred costs one call of a port, not a hundred.

A batched field is a method that does not look anything up. It says by which key its value is found and how what was
found is shown, and beside it stands the one function that finds things by many keys. A plan asks all objects of a level
first and looks up once; where the engine goes its own way, object by object, a data loader gathers the keys.
"""

import inspect
from asyncio import shield
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any, Generic, TypeVar, get_args

from strawberry.types.field import StrawberryField

from domain.ports import Ports
from gql.access import Right, field
from gql.context import Info
from gql.observed import observed_load

_BATCH = "batch"

Found = TypeVar("Found")
Shown = TypeVar("Shown")
Load = Callable[[Ports, Sequence[Any]], Awaitable[Mapping[Any, Any]]]
"""Finds things by keys that are all different. What it does not find it leaves out."""


class Asked(Generic[Shown]):
    """What a field of one object asks for: by a key, and how what is found is shown (None where nothing is).

    A key that cannot be one is this object's fault, not that of all who ask with it.
    """

    __slots__ = ("key", "show")

    def __init__(self, key: Hashable, show: Callable[[Any], Shown]) -> None:
        self.key, self.show = key, show


@dataclass(frozen=True, slots=True)
class Batch:
    """A batched field: what each object asks for, and who finds it."""

    ask: Callable[..., Asked[Any]]
    load: Load

    async def values(self, ports: Ports, asked: Sequence[Asked[Any] | Exception]) -> list[Any]:
        """What each object asked for; an exception for one that could not ask, or whose value cannot be shown."""
        try:
            keys = _keys(asked)
        except TypeError:
            asked = [_with_a_key(each) for each in asked]
            keys = _keys(asked)
        load = observed_load(self.load.__name__, partial(self.load, ports))
        found: Mapping[Any, Any] = await load(keys) if keys else {}
        find = found.get
        values = []
        for each in asked:
            try:
                values.append(each.show(find(each.key)) if isinstance(each, Asked) else each)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told at this object's field
                values.append(error)
        return values


def _keys(asked: Sequence[Asked[Any] | Exception]) -> list[Hashable]:
    return list({each.key: None for each in asked if isinstance(each, Asked)})


def _with_a_key(asked: Asked[Any] | Exception) -> Asked[Any] | Exception:
    """What is asked, or what is wrong with its key."""
    try:
        hash(asked.key if isinstance(asked, Asked) else None)
    except TypeError as error:
        return error
    return asked


def batched(right: Right, description: str, *, load: Load, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a batched field, as `gql.access.field` declares others. The method answers an `Asked[T]` for a `T`."""

    def declare(ask: Callable[..., Asked[Any]]) -> Any:
        return field(right, description, metadata={_BATCH: Batch(ask, load)}, **options)(_one_by_one(ask, load))

    return declare


def batch_of(declared: StrawberryField) -> Batch | None:
    """How a field is batched; None for any other field."""
    found = declared.metadata.get(_BATCH)
    return found if isinstance(found, Batch) else None


def _one_by_one(ask: Callable[..., Asked[Any]], load: Load) -> Callable[..., Any]:
    """The same field for one object at a time, with the method's arguments."""
    signature = inspect.signature(ask)
    first, *others = signature.parameters.values()
    information = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
    (shown,) = get_args(signature.return_annotation)

    async def resolve(source: Any, info: Info, **given: Any) -> Any:
        asked = ask(source, **given)
        return asked.show(await shield(info.context.loaders.of(load).load(asked.key)))

    update_wrapper(resolve, ask)
    del vars(resolve)["__wrapped__"]
    resolve.__annotations__ = {**ask.__annotations__, "info": Info, "return": shown}
    vars(resolve)["__signature__"] = signature.replace(
        parameters=[first, information, *others], return_annotation=shown
    )
    return resolve
