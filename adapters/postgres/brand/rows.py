"""Brands, members and invitations: what a row of each is to the domain, and back."""

from typing import Any

from asyncpg import Record

from domain.brand.model import (
    Billing,
    Brand,
    Company,
    Invitation,
    InvitationId,
    InvitationState,
    Member,
    MemberId,
    Preferences,
    Profile,
    Size,
    Verification,
)
from domain.ids import AssetId, BrandId, PersonId
from domain.money import Currency, Money
from domain.rights import BrandRole

BRAND = """brand.id, brand.name, industry, size, website, contact, billing_address, tax_id, currency, audience,
    categories, regions, budget_least, budget_most, budget_currency, verification, reason, decided_at, revision,
    logo, documents, brand.created_at"""
MEMBER = "membership.id, membership.brand, membership.person, membership.role, membership.created_at"
INVITATION = """invitation.id, invitation.brand, invitation.role, invited_by, invitation.created_at, expires_at, state,
    mail_index, accepted_by"""


def brand_of(row: Record) -> Brand:
    """A brand from a row that has `BRAND`."""
    company = Company(row["name"], row["industry"], Size(row["size"]), row["website"])
    billing = Billing(row["billing_address"], row["tax_id"], Currency(row["currency"]))
    least, most = (_money(row[column], row["budget_currency"]) for column in ("budget_least", "budget_most"))
    wanted = Preferences(row["audience"], tuple(row["categories"]), tuple(row["regions"]), least, most)
    return Brand(
        BrandId(row["id"]), Profile(company, billing, wanted), PersonId(row["contact"]) if row["contact"] else None,
        row["created_at"], Verification(row["verification"]), row["reason"], row["decided_at"], row["revision"],
        AssetId(row["logo"]) if row["logo"] else None, tuple(map(AssetId, row["documents"])),
    )  # fmt: skip


def profile_values(brand: Brand) -> list[Any]:
    """The columns of a profile and the contact, in the order in which `BRAND` has them."""
    company, billing, wanted = brand.profile.company, brand.profile.billing, brand.profile.preferences
    least, most = wanted.budget_least, wanted.budget_most
    return [
        company.name, company.industry, company.size, company.website, brand.contact, billing.address, billing.tax_id,
        billing.currency, wanted.audience, list(wanted.categories), list(wanted.regions),
        None if least is None else least.minor, None if most is None else most.minor,
        None if least is None else least.currency,
    ]  # fmt: skip


def member_of(row: Record) -> Member:
    """A member from a row that has `MEMBER`."""
    return Member(
        MemberId(row["id"]), BrandId(row["brand"]), PersonId(row["person"]), BrandRole(row["role"]), row["created_at"]
    )


def invitation_of(row: Record) -> Invitation:
    """An invitation from a row that has `INVITATION`."""
    accepted_by = row["accepted_by"]
    return Invitation(
        InvitationId(row["id"]), BrandId(row["brand"]), BrandRole(row["role"]), PersonId(row["invited_by"]),
        row["created_at"], row["expires_at"], InvitationState(row["state"]), row["mail_index"],
        PersonId(accepted_by) if accepted_by else None,
    )  # fmt: skip


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor, Currency(currency))
