"""What the fields of streamers take."""

import re

import strawberry

from domain.streamer.model import Profile, Slot
from gql.errors import BadInputError
from gql.identity.providers import ParameterInput
from gql.streamer.enums import Category, Platform, Rating, Weekday

_CLOCK = re.compile(r"([0-9]{2}):([0-5][0-9])", re.ASCII)
_HOUR = 60
_LINK = "The global id of the link."


@strawberry.input(description="When somebody streams every week, within one day; a night is two of these.")
class StreamingTimeInput:
    """When somebody streams every week."""

    day: Weekday = strawberry.field(description="The day, in your time zone.")
    starts_at: str = strawberry.field(description="From when: `20:00`.")
    ends_at: str = strawberry.field(description="Until when: `24:00` is the end of the day.")

    def parsed(self) -> Slot:
        """The time as the domain knows it. Raises `BadInputError`."""
        return Slot(self.day, _minutes("startsAt", self.starts_at), _minutes("endsAt", self.ends_at))


def _minutes(name: str, text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise BadInputError(f"`{name}` is a time of the day, such as 20:00.")
    return int(found[1]) * _HOUR + int(found[2])


@strawberry.input(description="What a streamer says of themselves.")
class _OfStreamer:
    """What a streamer says of themselves."""

    display_name: str = strawberry.field(description="What to be called, at most 50 characters.")
    categories: list[Category] = strawberry.field(description="What the stream is about: one to five.")
    language: str = strawberry.field(description="The language that is spoken, by ISO 639-1: `id`.")
    rating: Rating = strawberry.field(description="For whom the stream is fit.")
    country: str = strawberry.field(description="Where you live, by ISO 3166-1: `ID`.")
    time_zone: str = strawberry.field(description="By its name in the tz database: `Asia/Jakarta`.")
    schedule: list[StreamingTimeInput] = strawberry.field(
        default_factory=list, description="When you stream every week; brands do not see it."
    )

    def parsed(self) -> Profile:
        """The profile as the domain knows it. Raises `BadInputError`."""
        return Profile(
            self.display_name.strip(),
            tuple(self.categories),
            self.language,
            self.rating,
            self.country,
            self.time_zone,
            tuple(each.parsed() for each in self.schedule),
        )


@strawberry.input(description="Who wants to be a streamer.")
class BecomeStreamerInput(_OfStreamer):
    """Who wants to be a streamer."""


@strawberry.input(description="What a streamer says of themselves from now on: all of it anew.")
class ChangeStreamerProfileInput(_OfStreamer):
    """What a streamer says of themselves from now on."""


@strawberry.input(description="Which picture of a streamer to show.")
class SetStreamerAvatarInput:
    """Which picture of a streamer to show."""

    asset_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of a file, sent as `STREAMER_AVATAR` and ready; left out to show none."
    )


@strawberry.input(description="Which account to link.")
class RequestPlatformCodeInput:
    """Which account to link."""

    platform: Platform = strawberry.field(description="Where the account is.")
    account: str = strawberry.field(description="Its name, as it stands in the address of its profile.")


@strawberry.input(description="Where to link an account.")
class LinkPlatformInput:
    """Where to link an account."""

    platform: Platform = strawberry.field(description="Where: a platform that says itself whose an account is.")


@strawberry.input(description="What came back from a platform.")
class FinishPlatformLinkInput:
    """What came back from a platform."""

    token: str = strawberry.field(description="The journey's token.")
    parameters: list[ParameterInput] = strawberry.field(
        description="Every parameter of the address that the browser came back to, 40 at most. A name may stand there"
        " once."
    )


@strawberry.input(description="Which code stands in its profile by now.")
class ReportPlatformCodePlacedInput:
    """Which code stands in its profile by now."""

    link_id: strawberry.ID = strawberry.field(description=_LINK)


@strawberry.input(description="Which account to let go of.")
class UnlinkPlatformInput:
    """Which account to let go of."""

    link_id: strawberry.ID = strawberry.field(description=_LINK)


@strawberry.input(description="What staff read in a public profile.")
class ConfirmPlatformLinkInput:
    """What staff read in a public profile."""

    link_id: strawberry.ID = strawberry.field(description=_LINK)
    code: str = strawberry.field(description="The code as it stands in the profile.")


@strawberry.input(description="Which link staff did not find to be right, and why.")
class RejectPlatformLinkInput:
    """Which link staff did not find to be right, and why."""

    link_id: strawberry.ID = strawberry.field(description=_LINK)
    reason: str = strawberry.field(description="Why, in at most 500 characters; the streamer reads it.")
