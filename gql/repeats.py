"""How often fields of one name meet in a document: validation holds each of them against each other.

They must all mean the same (GraphQL specification, "Field Selection Merging"), and whoever writes one field four
hundred times has eighty thousand pairs compared. Counting them takes no longer than to read the document a few times.
"""

from collections.abc import Iterable

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

_MOST_STEPS = 20_000
"""Selections that are looked at: fragments within fragments can be met more often than anybody could count."""


def repeats(document: DocumentNode, most: int) -> int:
    """How many pairs of fields have one name in one place, fragments spread out; counted to a little beyond `most`."""
    counting = _Counting(document, most)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode | FragmentDefinitionNode):
            counting.count([each.selection_set])
    return counting.pairs


class _Counting:
    def __init__(self, document: DocumentNode, most: int) -> None:
        self._fragments = {
            each.name.value: each.selection_set
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._most, self._steps, self.pairs = most, 0, 0

    def count(self, place: list[SelectionSetNode]) -> None:
        """Count what meets in one place, and in all places below it."""
        places = [place]
        while places and self.pairs <= self._most:
            for fields in self._met(places.pop()):
                self.pairs += len(fields) * (len(fields) - 1) // 2
                below = [field.selection_set for field in fields if field.selection_set is not None]
                if below:
                    places.append(below)
            if self._steps > _MOST_STEPS:
                self.pairs = self._most + 1

    def _met(self, place: list[SelectionSetNode]) -> Iterable[list[FieldNode]]:
        """The fields of one place, those of one name together."""
        met: dict[str, list[FieldNode]] = {}
        spread, still = set[str](), list(place)
        while still:
            selections = still.pop().selections
            self._steps += len(selections)
            for selection in selections:
                match selection:
                    case FieldNode():
                        met.setdefault((selection.alias or selection.name).value, []).append(selection)
                    case InlineFragmentNode():
                        still.append(selection.selection_set)
                    case FragmentSpreadNode() if selection.name.value not in spread:
                        spread.add(selection.name.value)
                        still += self._fragment(selection.name.value)
        return met.values()

    def _fragment(self, name: str) -> Iterable[SelectionSetNode]:
        found = self._fragments.get(name)
        return () if found is None else (found,)
