"""Refusals in the schema: each class of the domain becomes a type of the same fields, by itself.

A mutation answers a union of what it makes and of every refusal that its action may give. `code` is what clients match
on; `message` is for people.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import reduce
from operator import or_
from types import ModuleType
from typing import Annotated, Any, get_type_hints

import strawberry

from domain import money, refusal
from domain.asset import refusals as asset
from domain.brand import refusals as brand
from domain.campaign import refusals as campaign
from domain.earning import refusals as earning
from domain.identity import privacy_refusals as privacy
from domain.identity import refusals as identity
from domain.identity import secrets
from domain.message import refusals as message
from domain.overlay import refusals as overlay
from domain.streamer import refusals as streamer
from domain.wallet import model as wallet
from gql.access import Right, field
from gql.enums import describe
from gql.money import Money

_WORDS = {
    "minimum": "The least that is possible.",
    "maximum": "The most that is possible.",
    "left": "What is left of the limit.",
    "most": "How many there may be.",
    "state": "The state that stands in the way.",
    "retry_after_s": "After how many seconds it may be tried again.",
    "shortest": "The least characters that it may have.",
    "missing": "What is lacking.",
    "rule": "The rule that keeps one out.",
    "field": "The part of the input that is not right.",
    "reason": "What is wrong with it.",
    "longest": "The most characters that it may have.",
}
"""What the fields of refusals mean to clients."""

_SHOWN: Mapping[Any, Any] = {money.Money: Money}
"""Types of the domain that the schema shows by one of its own."""


def _refusals_of(*modules: ModuleType) -> Iterator[type[refusal.Refusal]]:
    for module in modules:
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, refusal.Refusal) and found.__module__ == module.__name__:
                yield found


REFUSALS = tuple(
    _refusals_of(wallet, identity, secrets, privacy, brand, streamer, asset, overlay, campaign, earning, message)
)
"""Every refusal that the schema knows."""

RefusalCode: Any = Enum("RefusalCode", {kind.code: kind.code for kind in REFUSALS})  # type: ignore[misc] # mypy wants literal members
describe(
    RefusalCode,
    "RefusalCode",
    "Why something was refused: stable, for clients to match on.",
    {RefusalCode[kind.code]: str(kind.__doc__) for kind in REFUSALS},
)


@strawberry.interface(name="Refusal", description="We understood what is wanted and say no. Nothing has changed.")
class Refusal:
    """What every refusal has."""

    code: RefusalCode = field(Right.PARENT, "Why: stable, for clients to match on.")
    message: str = field(Right.PARENT, "Why, in a sentence for people.")


def _type_of(kind: type[refusal.Refusal]) -> type[Refusal]:
    """The type of one refusal. Raises `KeyError` for a field that nobody has described."""
    hints = get_type_hints(kind)
    own = [found.name for found in dataclasses.fields(kind) if found.name != "message"]
    namespace: dict[str, Any] = {name: field(Right.PARENT, _WORDS[name]) for name in own}
    namespace["__annotations__"] = {name: _SHOWN.get(hints[name], hints[name]) for name in own}
    made: type[Refusal] = strawberry.type(
        type(kind.__name__, (Refusal,), {**namespace, "__module__": __name__}), description=kind.__doc__
    )
    return made


class _Types(dict[type[refusal.Refusal], type[Refusal]]):
    """Types made when they are first asked for: by then the enumerations of their context are described."""

    def __missing__(self, kind: type[refusal.Refusal]) -> type[Refusal]:
        """Make the type of a refusal that the schema knows. Raises `KeyError` for another."""
        if kind not in REFUSALS:
            raise KeyError(kind)
        made = self[kind] = _type_of(kind)
        return made


TYPES: Mapping[type[refusal.Refusal], type[Refusal]] = _Types()
"""A refusal of the domain → its type in the schema."""


def show(refused: refusal.Refusal) -> Refusal:
    """A refusal as clients see it."""
    fields = {found.name: getattr(refused, found.name) for found in dataclasses.fields(refused)}
    shown: dict[str, Any] = {
        name: Money.of(value) if isinstance(value, money.Money) else value for name, value in fields.items()
    }
    return TYPES[type(refused)](code=RefusalCode[refused.code], **shown)


def result(
    name: str, made: type, *refusals: type[refusal.Refusal], description: str, more: tuple[type, ...] = ()
) -> Any:
    """The union that a mutation answers: what it makes, what `more` it may come to, or one of its refusals."""
    members = (made, *more, *(TYPES[kind] for kind in refusals))
    return Annotated[reduce(or_, members), strawberry.union(name, description=description)]
