"""A brand's nouns and rules: what it says of itself, who belongs to it, and where its verification stands."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from domain.ids import AssetId, BrandId, PersonId
from domain.money import Currency, Money
from domain.rights import BrandRole

MemberId = NewType("MemberId", UUID)
InvitationId = NewType("InvitationId", UUID)

LONGEST_KEY: Final = 80
"""Characters of the key under which a brand is made once."""
LONGEST_NAME: Final = 100
LONGEST_LINE: Final = 200
"""Characters of a website, an industry, an audience."""
LONGEST_ADDRESS: Final = 500
LONGEST_WORD: Final = 60
"""Characters of a category, a region, a tax id."""
MOST_WORDS: Final = 20
"""Categories, and regions."""
MOST_DOCUMENTS: Final = 10
INVITATION_LIFETIME: Final = timedelta(days=7)
INVITATION_KEPT: Final = timedelta(days=30)
"""After it has expired, an invitation that nobody took up can be sent again; then it goes."""


class Size(StrEnum):
    """How large a company is."""

    STARTUP = "startup"
    SMALL = "small"
    MEDIUM = "medium"
    ENTERPRISE = "enterprise"


class Verification(StrEnum):
    """What staff found of a brand."""

    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"


class Step(StrEnum):
    """What moves a verification."""

    CHANGE = "change"
    """Something of what staff looks at is another now."""
    VERIFY = "verify"
    REJECT = "reject"


NEXT: Mapping[tuple[Verification, Step], Verification] = {
    (Verification.PENDING, Step.CHANGE): Verification.PENDING,
    (Verification.VERIFIED, Step.CHANGE): Verification.PENDING,
    (Verification.REJECTED, Step.CHANGE): Verification.PENDING,
    (Verification.PENDING, Step.VERIFY): Verification.VERIFIED,
    (Verification.REJECTED, Step.VERIFY): Verification.VERIFIED,
    (Verification.PENDING, Step.REJECT): Verification.REJECTED,
    (Verification.VERIFIED, Step.REJECT): Verification.REJECTED,
}
"""Every step there is; an absent one is refused."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who advertises."""

    name: str
    industry: str
    size: Size
    website: str = ""


@dataclass(frozen=True, slots=True)
class Billing:
    """To whom invoices go, and in which currency."""

    address: str = ""
    tax_id: str = ""
    currency: Currency = Currency.IDR


@dataclass(frozen=True, slots=True)
class Preferences:
    """Whom the brand wants to reach, where, and for how much."""

    audience: str = ""
    categories: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    budget_least: Money | None = None
    budget_most: Money | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a brand says of itself."""

    company: Company
    billing: Billing = Billing()
    preferences: Preferences = Preferences()

    @property
    def looked_at(self) -> tuple[object, ...]:
        """What staff looks at: where one of these changes, it looks again."""
        company, billing = self.company, self.billing
        return company.name, company.industry, company.website, billing.address, billing.tax_id

    @property
    def fault(self) -> str | None:
        """The first field that cannot be so, by its name; None where all is well."""
        company, billing, wanted = self.company, self.billing, self.preferences
        texts = {
            "name": (company.name, 1, LONGEST_NAME), "industry": (company.industry, 1, LONGEST_LINE),
            "website": (company.website, 0, LONGEST_LINE), "taxId": (billing.tax_id, 0, LONGEST_WORD),
            "audience": (wanted.audience, 0, LONGEST_LINE),
        }  # fmt: skip
        for name, (text, least, most) in texts.items():
            if not _fits(text, least, most):
                return name
        if company.website and not company.website.startswith(("https://", "http://")):
            return "website"
        if not _fits(billing.address.replace("\n", " "), 0, LONGEST_ADDRESS):
            return "address"
        for name, words in {"categories": wanted.categories, "regions": wanted.regions}.items():
            if len(words) > MOST_WORDS or not all(_fits(word, 1, LONGEST_WORD) for word in words):
                return name
        return None if _is_range(wanted.budget_least, wanted.budget_most) else "budget"


def _fits(text: str, least: int, most: int) -> bool:
    return least <= len(text.strip()) and len(text) <= most and text.isprintable()


def _is_range(least: Money | None, most: Money | None) -> bool:
    """Whether both or neither are given, in one currency, the first not above the second, and none below zero."""
    if least is None or most is None:
        return least is most
    return least.currency is most.currency and 0 <= least.minor <= most.minor


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand as it is kept."""

    id: BrandId
    profile: Profile
    contact: PersonId | None
    """The member to write to; nobody once they have left."""
    created_at: datetime
    verification: Verification = Verification.PENDING
    reason: str = ""
    """Why staff decided so; empty while nothing is decided."""
    decided_at: datetime | None = None
    revision: int = 1
    """Counts what staff looks at: a decision names the one that it is about."""
    logo: AssetId | None = None
    documents: tuple[AssetId, ...] = ()
    """What shows staff that the brand is who it says."""

    @property
    def owner(self) -> str:
        """The name by which rights and the ledger know it."""
        return f"brand:{self.id}"

    def changed(
        self,
        profile: Profile,
        contact: PersonId | None,
        logo: AssetId | None = None,
        documents: tuple[AssetId, ...] | None = None,
    ) -> "Brand":
        """The brand with another profile, logo or documents, if given; staff looks again where that matters to it."""
        shown = self.documents if documents is None else documents
        changed = replace(self, profile=profile, contact=contact, logo=logo or self.logo, documents=shown)
        if (profile.looked_at, shown) == (self.profile.looked_at, self.documents):
            return changed
        state = NEXT[self.verification, Step.CHANGE]
        return replace(changed, verification=state, reason="", decided_at=None, revision=self.revision + 1)

    def decided(self, step: Step, reason: str, now: datetime) -> "Brand | None":
        """The brand as staff found it; None where it stands so already."""
        state = NEXT.get((self.verification, step))
        return None if state is None else replace(self, verification=state, reason=reason, decided_at=now)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who acts for a brand."""

    id: MemberId
    brand: BrandId
    person: PersonId
    role: BrandRole
    since: datetime


class InvitationState(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody is asked by mail to act for a brand. The address is kept while it is open, and sealed."""

    id: InvitationId
    brand: BrandId
    role: BrandRole
    invited_by: PersonId
    created_at: datetime
    expires_at: datetime
    state: InvitationState = InvitationState.OPEN
    mail_index: bytes | None = None
    accepted_by: PersonId | None = None

    def good(self, now: datetime) -> bool:
        """Whether it may be taken up."""
        return self.state is InvitationState.OPEN and now < self.expires_at


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An open invitation as people see it."""

    invitation: Invitation
    mail: str | None
    """To whom it went; None where whoever invited them is gone."""
    brand_name: str
