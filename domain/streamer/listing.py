"""What streamers are found by: what may be wanted of them, in which order they come, by what they are counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.streamer.model import Category, Platform, Rating, StreamerId
from domain.streamer.places import COUNTRIES, LANGUAGES

MOST_VALUES: Final = 20
"""So many values of one kind may be asked for."""


class Order(StrEnum):
    """In which order streamers are found."""

    AVERAGE_VIEWERS = "average_viewers"
    NEWEST = "newest"


class Trait(StrEnum):
    """What streamers are counted by."""

    COUNTRY = "country"
    LANGUAGE = "language"
    RATING = "rating"
    CATEGORY = "category"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streamers to find. Of one kind any value will do; of kinds all. A kind without values does not matter."""

    countries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    ratings: frozenset[Rating] = frozenset()
    categories: frozenset[Category] = frozenset()
    platforms: frozenset[Platform] = frozenset()
    least_viewers: int | None = None
    """On average; of whom that is not known, they are not found by it."""
    most_viewers: int | None = None

    @property
    def values(self) -> Mapping[Trait, frozenset[str]]:
        """What may be, of each kind that matters."""
        kinds: Mapping[Trait, frozenset[str]] = {
            Trait.COUNTRY: self.countries, Trait.LANGUAGE: self.languages, Trait.RATING: self.ratings,
            Trait.CATEGORY: self.categories, Trait.PLATFORM: self.platforms,
        }  # fmt: skip
        return {trait: values for trait, values in kinds.items() if values}


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in the listing, by either order."""

    streamer: StreamerId
    average_viewers: int | None


Facets = Mapping[Trait, Mapping[str, int]]
"""How many streamers there are of each value, within what is wanted of all other kinds."""


def fault_of(wanted: Wanted) -> str | None:
    """What is wrong about a wish, if anything is, in a sentence for who wrote it."""
    if crowded := next((trait for trait, values in wanted.values.items() if len(values) > MOST_VALUES), None):
        return f"Ask for at most {MOST_VALUES} values of one kind, not for more of {crowded}."
    if unknown := sorted(wanted.countries - COUNTRIES):
        return f"{unknown[0][:10]!r} is no country: write two capital letters, as ISO 3166-1 has it: ID."
    if unknown := sorted(wanted.languages - LANGUAGES):
        return f"{unknown[0][:10]!r} is no language: write two small letters, as ISO 639-1 has it: id."
    least, most = wanted.least_viewers, wanted.most_viewers
    if any(bound is not None and bound < 0 for bound in (least, most)):
        return "Nobody streams before less than no viewers."
    if least is not None and most is not None and least > most:
        return "The least viewers must not be more than the most."
    return None
