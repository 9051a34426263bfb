"""The words of files in the schema."""

from domain.asset.model import Flaw, MediaType, Purpose, RenditionName, State
from gql.enums import describe

__all__ = ["Flaw", "MediaType", "Purpose", "RenditionName", "State"]

describe(
    MediaType,
    "MediaType",
    "What a file is.",
    {
        MediaType.PNG: "A PNG picture.",
        MediaType.JPEG: "A JPEG picture.",
        MediaType.WEBP: "A WebP picture.",
        MediaType.GIF: "A GIF picture, moving or not.",
        MediaType.PDF: "A PDF document.",
        MediaType.MP4: "An MP4 video.",
        MediaType.WEBM: "A WebM video.",
    },
)
describe(
    Purpose,
    "AssetPurpose",
    "What a file is for.",
    {
        Purpose.BRAND_DOCUMENT: "It shows staff that a brand is who it says. PDF, PNG or JPEG, at most 10 MiB.",
        Purpose.BRAND_LOGO: "A brand's logo. PNG, JPEG or WebP, at most 5 MiB.",
        Purpose.STREAMER_AVATAR: "A picture of a streamer. PNG, JPEG or WebP, at most 5 MiB.",
        Purpose.CREATIVE: "What a campaign shows. PNG, JPEG, WebP or GIF of at most 10 MiB, MP4 or WebM of 100 MiB.",
    },
)
describe(
    RenditionName,
    "AssetSize",
    "A size in which a file is kept.",
    {
        RenditionName.WHOLE: "As it was sent; of pictures the pixels alone.",
        RenditionName.OVERLAY: "A still WebP within 1280 by 720 pixels; of pictures that are no documents.",
        RenditionName.THUMBNAIL: "A still WebP within 256 by 256 pixels; of pictures that are no documents.",
    },
)
describe(
    State,
    "AssetState",
    "Where an upload stands.",
    {
        State.AWAITED: "The file is to be sent, and the upload to be finished.",
        State.READY: "The file is here and what it was said to be.",
        State.REFUSED: "The file came and is not taken.",
        State.EXPIRED: "The file did not come in time.",
        State.GONE: "The file was personal, and whoever sent it is erased.",
    },
)
describe(
    Flaw,
    "AssetFlaw",
    "Why a file that came is not taken.",
    {
        Flaw.SIZE: "It is not as long as was said.",
        Flaw.HASH: "Its SHA-256 is another than was said.",
        Flaw.TYPE: "It is not of the type that was said, whatever it is called.",
        Flaw.TOO_LARGE: "It has too many pixels: at most 40 million, 12,000 a side, 60 million of all frames together.",
        Flaw.UNREADABLE: "It is a picture that cannot be read.",
    },
)
