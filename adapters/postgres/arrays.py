"""Many rows by one statement: as the arrays that `unnest` takes."""

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Rows as arrays, one for each column, also where there are none."""
    return [[row[place] for row in rows] for place in range(width)]
