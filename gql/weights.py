"""How a field declares what it costs and how long its lists are: the directives of the GraphQL cost specification."""

from collections.abc import Sequence

import strawberry
from strawberry import UNSET
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION],
    name="cost",
    description="What a field costs where it is used, and an argument where it is given something else than its"
    " default. A field costs 1 and an argument nothing where this says nothing.",
)
class Costs:
    """A cost as it stands in the SDL."""

    weight: str = strawberry.field(name="weight", description="How much: a whole number.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How long a list is taken to be: what is selected of its items costs as many times.",
)
class ListSize:
    """How long a list may be, as it stands in the SDL."""

    assumed_size: int | None = strawberry.field(
        name="assumedSize", default=UNSET, description="So long, where no argument says otherwise."
    )
    slicing_arguments: list[str] | None = strawberry.field(
        name="slicingArguments",
        default=UNSET,
        description="Arguments that say how long: by their number, or, of one that is a list, by its length.",
    )
    sized_fields: list[str] | None = strawberry.field(
        name="sizedFields",
        default=UNSET,
        description="The lists that are meant, where the field is an object with them.",
    )
    require_one_slicing_argument: bool | None = strawberry.field(
        name="requireOneSlicingArgument",
        default=True,
        description="Whether one of those arguments must be given; where not, its default counts.",
    )


WHOLE_HISTORY = 500
"""What it costs to go through all that ever happened, where there is no index to go by."""

ADDING_UP = 20
"""What it costs to add up the hours of a year."""

VENDOR = 100
"""What it costs to have somebody else asked, over the network, who may take their time."""


def at_most(size: int) -> ListSize:
    """A list that is no longer than this as a rule: longer ones are answered, and cost no more."""
    return ListSize(assumed_size=size, require_one_slicing_argument=UNSET)


def sliced_by(*arguments: str, sizes: Sequence[str] = ()) -> ListSize:
    """A list as long as these arguments say; or an object whose lists `sizes` are."""
    return ListSize(
        slicing_arguments=list(arguments), sized_fields=list(sizes) or UNSET, require_one_slicing_argument=False
    )
