"""What the fields of files take."""

import re

import strawberry

from domain.asset.model import Declared, clean_file_name
from domain.ids import BrandId
from gql.asset.enums import MediaType, Purpose
from gql.errors import BadInputError
from gql.identity.inputs import short
from gql.staff.types import uuid_of

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@strawberry.input(description="A file that is going to be sent.")
class StartUploadInput:
    """A file that is going to be sent."""

    purpose: Purpose = strawberry.field(description="What it is for.")
    brand_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of the brand that it is for; left out for what is your own."
    )
    file_name: str = strawberry.field(description="What it is called. A path before the name is left out.")
    media_type: MediaType = strawberry.field(description="What it is. We look for ourselves when it has come.")
    length: int = strawberry.field(description="How many bytes it has, exactly.")
    sha256: str = strawberry.field(name="sha256", description="Its SHA-256, in 64 small hexadecimal digits.")

    @property
    def brand(self) -> BrandId | None:
        """The brand, if any. Raises `BadInputError`."""
        return BrandId(uuid_of("Brand", self.brand_id)) if self.brand_id is not None else None

    def parsed(self) -> Declared:
        """What is said of the file. Raises `BadInputError`."""
        if not _SHA256.fullmatch(self.sha256):
            raise BadInputError("`sha256` has 64 small hexadecimal digits.")
        name = clean_file_name(short("fileName", self.file_name))
        return Declared(name, self.media_type, self.length, bytes.fromhex(self.sha256))


@strawberry.input(description="Which upload to finish.")
class FinishUploadInput:
    """Which upload to finish."""

    asset_id: strawberry.ID = strawberry.field(description="The global id of the file.")
