"""What the mutations of brands take."""

import strawberry

from domain.brand import model
from domain.brand.model import LONGEST_KEY, MOST_DOCUMENTS, MOST_WORDS, InvitationId
from domain.ids import AssetId
from domain.money import Currency
from domain.rights import BrandRole
from gql.asset.types import asset_id
from gql.brand.enums import Size
from gql.brand.types import invitation_id
from gql.errors import BadInputError
from gql.identity.inputs import short, token_entered
from gql.money import MoneyInput

_BRAND = "The global id of the brand."
_MEMBER = "The global id of the member."
_INVITATION = "The global id of the invitation."


class Keyed:
    """An input that makes something once, by a key of the client's."""

    idempotency_key: str

    @property
    def key(self) -> str:
        """The key. Raises `BadInputError`."""
        if not 1 <= len(self.idempotency_key) <= LONGEST_KEY:
            raise BadInputError(f"`idempotencyKey` must have 1 to {LONGEST_KEY} characters.")
        return self.idempotency_key


@strawberry.input(description="Who advertises.")
class CompanyInput:
    """Who advertises."""

    name: str = strawberry.field(description="What it is called: 1 to 100 characters.")
    industry: str = strawberry.field(description="What it makes or does: 1 to 200 characters.")
    size: Size = strawberry.field(description="How large it is.")
    website: str = strawberry.field(default="", description="Its website, beginning with https:// or http://.")

    def parsed(self) -> model.Company:
        """The company as the domain knows it."""
        texts = [short(name, getattr(self, name)).strip() for name in ("name", "industry", "website")]
        return model.Company(texts[0], texts[1], self.size, texts[2])


@strawberry.input(description="To whom invoices go.")
class BillingInput:
    """To whom invoices go."""

    address: str = strawberry.field(default="", description="The postal address, at most 500 characters.")
    tax_id: str = strawberry.field(default="", description="The company's tax id, at most 60 characters.")
    currency: Currency = strawberry.field(default=Currency.IDR, description="In which currency.")

    def parsed(self) -> model.Billing:
        """The same as the domain knows it."""
        return model.Billing(short("address", self.address).strip(), short("taxId", self.tax_id).strip(), self.currency)


@strawberry.input(description="Between what amounts a campaign may cost, both in one currency.")
class BudgetInput:
    """Between what amounts a campaign may cost."""

    least: MoneyInput = strawberry.field(description="At least.")
    most: MoneyInput = strawberry.field(description="At most.")


@strawberry.input(description="Whom the brand wants to reach.")
class PreferencesInput:
    """Whom the brand wants to reach."""

    audience: str = strawberry.field(default="", description="Who they are, in at most 200 characters.")
    categories: list[str] = strawberry.field(
        default_factory=list, description=f"What the streams are about, at most {MOST_WORDS}."
    )
    regions: list[str] = strawberry.field(default_factory=list, description=f"Where they are, at most {MOST_WORDS}.")
    budget: BudgetInput | None = strawberry.field(default=None, description="What a campaign may cost.")

    def parsed(self) -> model.Preferences:
        """The same as the domain knows it. Raises `BadInputError`."""
        least, most = (self.budget.least.parsed(), self.budget.most.parsed()) if self.budget else (None, None)
        categories, regions = (
            tuple(short(name, word).strip() for word in words)
            for name, words in {"categories": self.categories, "regions": self.regions}.items()
        )
        return model.Preferences(short("audience", self.audience).strip(), categories, regions, least, most)


@strawberry.input(description="A brand that is new here.")
class CreateBrandInput(Keyed):
    """A brand that is new here."""

    company: CompanyInput = strawberry.field(description="Who advertises.")
    billing: BillingInput | None = strawberry.field(default=None, description="To whom invoices go.")
    preferences: PreferencesInput | None = strawberry.field(default=None, description="Whom it wants to reach.")
    idempotency_key: str = strawberry.field(
        description="A text of your making, new for every brand: sending the same one again makes no second brand but"
        f" answers the first. 1 to {LONGEST_KEY} characters."
    )


@strawberry.input(description="What a brand is to say of itself. What is left out stays.")
class ChangeBrandInput:
    """What a brand is to say of itself."""

    brand_id: strawberry.ID = strawberry.field(description=_BRAND)
    company: CompanyInput | None = strawberry.field(default=None, description="Who advertises; given as a whole.")
    billing: BillingInput | None = strawberry.field(default=None, description="To whom invoices go; as a whole.")
    preferences: PreferencesInput | None = strawberry.field(
        default=None, description="Whom it wants to reach; given as a whole."
    )
    contact_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of the member who is to be written to."
    )
    logo_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of a file, sent as `BRAND_LOGO` and ready."
    )
    document_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=f"Global ids of files, sent as `BRAND_DOCUMENT` and ready, at most {MOST_DOCUMENTS}; all anew.",
    )

    @property
    def documents(self) -> tuple[AssetId, ...] | None:
        """The documents, each once, if they are given. Raises `BadInputError`."""
        if self.document_ids is None:
            return None
        if len(self.document_ids) > MOST_DOCUMENTS:
            raise BadInputError(f"`documentIds` may have {MOST_DOCUMENTS} ids.")
        return tuple(dict.fromkeys(asset_id(id_) for id_ in self.document_ids))


@strawberry.input(description="Whom to ask, and as what.")
class InviteMemberInput:
    """Whom to ask, and as what."""

    brand_id: strawberry.ID = strawberry.field(description=_BRAND)
    mail: str = strawberry.field(description="The e-mail address that the letter goes to.")
    role: BrandRole = strawberry.field(description="What they are to be.")


@strawberry.input(description="Which invitation to send once more.")
class ResendInvitationInput:
    """Which invitation to send once more."""

    invitation_id: strawberry.ID = strawberry.field(description=_INVITATION)


@strawberry.input(description="Which invitation to take back.")
class RevokeInvitationInput:
    """Which invitation to take back."""

    invitation_id: strawberry.ID = strawberry.field(description=_INVITATION)


@strawberry.input(description="Which invitation it is about: exactly one of these.")
class _Answered:
    """Which invitation it is about."""

    invitation_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of one that went to your verified address."
    )
    token: str | None = strawberry.field(default=None, description="What stands behind `#` in the letter's link.")

    @property
    def which(self) -> InvitationId | str:
        """The invitation, or the token of its link. Raises `BadInputError`."""
        if (self.invitation_id is None) is (self.token is None):
            raise BadInputError("Give exactly one of `invitationId` and `token`.")
        if self.invitation_id is not None:
            return invitation_id(self.invitation_id)
        return token_entered(self.token or "")


@strawberry.input(description="Which invitation to take up: exactly one of these.")
class AcceptInvitationInput(_Answered):
    """Which invitation to take up."""


@strawberry.input(description="Which invitation to turn down: exactly one of these.")
class DeclineInvitationInput(_Answered):
    """Which invitation to turn down."""


@strawberry.input(description="Which role a member is to have.")
class ChangeMemberRoleInput:
    """Which role a member is to have."""

    member_id: strawberry.ID = strawberry.field(description=_MEMBER)
    role: BrandRole = strawberry.field(description="The role.")


@strawberry.input(description="Whom to send away.")
class RemoveMemberInput:
    """Whom to send away."""

    member_id: strawberry.ID = strawberry.field(description=_MEMBER)


@strawberry.input(description="Which brand to act for no more.")
class LeaveBrandInput:
    """Which brand to act for no more."""

    brand_id: strawberry.ID = strawberry.field(description=_BRAND)


@strawberry.input(description="What is found of a brand.")
class DecideBrandInput:
    """What is found of a brand."""

    brand_id: strawberry.ID = strawberry.field(description=_BRAND)
    revision: int = strawberry.field(description="The revision that you looked at: of another nothing is decided.")
    approve: bool = strawberry.field(description="Whether it is who it says.")
    reason: str = strawberry.field(
        description="Why, in at most 500 characters. The brand's members read it, and it stands in the audit log."
    )


@strawberry.input(description="Which wallet to open.")
class OpenBrandWalletInput:
    """Which wallet to open."""

    brand_id: strawberry.ID = strawberry.field(description=_BRAND)
    currency: Currency = strawberry.field(description="The currency of all that will be in it.")
