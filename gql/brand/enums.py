"""The words of brands in the schema."""

from domain.brand.model import Size, Verification
from gql.enums import describe

__all__ = ["Size", "Verification"]

describe(
    Size,
    "BrandSize",
    "How large a company is.",
    {
        Size.STARTUP: "It has just begun.",
        Size.SMALL: "Up to 50 people.",
        Size.MEDIUM: "Up to 250 people.",
        Size.ENTERPRISE: "More than 250 people.",
    },
)
describe(
    Verification,
    "BrandVerification",
    "What staff found of a brand.",
    {
        Verification.PENDING: "Nobody has looked yet, or something has changed since.",
        Verification.VERIFIED: "It is who it says.",
        Verification.REJECTED: "It is not as it says; the reason tells what to mend.",
    },
)
