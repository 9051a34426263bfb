"""What the mutations of files answer."""

import strawberry

from domain.asset import refusals
from domain.identity import refusals as identity
from gql.access import Right, field
from gql.asset.types import Asset
from gql.refusals import result
from gql.weights import at_most


@strawberry.type(description="A field of the form that a file is sent in.")
class UploadField:
    """A field of a form."""

    name: str = field(Right.PARENT, "Its name.")
    value: str = field(Right.PARENT, "Its value.")


@strawberry.type(description="Where to send the file: a POST of `multipart/form-data`, without cookies or tokens.")
class UploadStarted:
    """Where to send a file."""

    asset: Asset = field(Right.PARENT, "The file that is awaited.")
    url: str = field(Right.PARENT, "Where it is sent, once.")
    fields: list[UploadField] = field(
        Right.PARENT, "Fields of the form, to stand before the file, which is called `file`.", list_size=at_most(10)
    )


_OF_ALL = (identity.NotWhileImpersonating, identity.TooManyTries)

StartUploadResult = result(
    "StartUploadResult",
    UploadStarted,
    *_OF_ALL,
    identity.UnknownPerson,
    refusals.UnknownAssetOwner,
    refusals.UploadNotPossible,
    description="Where to send the file, or why it is not wanted.",
)
FinishUploadResult = result(
    "FinishUploadResult",
    Asset,
    *_OF_ALL,
    refusals.UnknownAsset,
    refusals.UploadMissing,
    refusals.UploadExpired,
    refusals.UploadRefused,
    description="The file, which is ready now, or why it is not.",
)
