"""The one table of consequences is complete, and everything in it can be written down and read back."""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest

import domain
from domain.events import Event
from domain.reactions import REACTIONS, known_reactions, reaction_names

SAMPLES: dict[Any, Any] = {UUID: uuid4(), int: 7, str: "seven"}


def kinds_of_event(root: type[Event] = Event) -> Iterator[type[Event]]:
    """Every class of the domain that nobody subclasses further.

    A dataclass with slots is a second class under the name of the first, which lingers among the subclasses.
    """
    for kind in root.__subclasses__():
        if kind.__subclasses__():
            yield from kinds_of_event(kind)
        elif kind.__module__.startswith("domain.") and vars(sys.modules[kind.__module__])[kind.__name__] is kind:
            yield kind


def test_every_event_says_what_follows_it() -> None:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    assert set(kinds_of_event()) == {kind for kind in REACTIONS if kind.__module__.startswith("domain.")}


def test_names_are_unique_because_they_are_written_down() -> None:
    assert len({kind.__name__ for kind in REACTIONS}) == len(REACTIONS)
    for kind in REACTIONS:
        assert len(set(reaction_names(kind))) == len(REACTIONS[kind])


def test_every_reaction_takes_its_own_event() -> None:
    for kind, reaction in known_reactions().values():
        wanted = get_type_hints(reaction)
        assert wanted.get("event") in kind.__mro__, f"{reaction.__name__} does not take a {kind.__name__}"


@pytest.mark.parametrize("kind", list(REACTIONS), ids=lambda kind: kind.__name__)
def test_every_event_survives_being_written_down(kind: type[Event]) -> None:
    hints = get_type_hints(kind)
    types = {name: getattr(hint, "__supertype__", hint) for name, hint in hints.items()}
    values = {name: next(iter(hint)) if issubclass(hint, Enum) else SAMPLES[hint] for name, hint in types.items()}
    event = kind(**values)
    assert kind.read(event.id, json.loads(json.dumps(event.body))) == event


def test_an_event_that_carries_more_than_ids_cannot_be_written_down() -> None:
    class Wordy(Event):
        @property
        def body(self) -> dict[str, str | int]:
            return super().body

    assert Wordy(uuid4()).body == {}
    with pytest.raises(LookupError, match="say what follows it"):
        reaction_names(Wordy)
