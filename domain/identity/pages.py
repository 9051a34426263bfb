"""Where the links in letters lead: pages of the portals, which hand the token on to our API."""

from dataclasses import dataclass

from domain.identity.provider import Provider
from domain.ids import BrandId


@dataclass(frozen=True, slots=True)
class Pages:
    """The site whose pages the links name, without a slash at its end.

    A token stands behind `#`: a browser sends that part to nobody, so it is in no server's log and no `Referer`.
    """

    site: str

    def confirm_sign_up(self, token: str) -> str:
        """Where a sign-up is confirmed."""
        return f"{self.site}/confirm-sign-up#{token}"

    def confirm_mail(self, token: str) -> str:
        """Where an address is confirmed as a person's own."""
        return f"{self.site}/confirm-mail#{token}"

    def reset_password(self, token: str) -> str:
        """Where a new password is chosen."""
        return f"{self.site}/reset-password#{token}"

    def provider_return(self, provider: Provider) -> str:
        """Where a journey to another site returns to; each has its own, so that none is mistaken for another."""
        return f"{self.site}/sign-in/{provider}"

    def platform_return(self, platform: str) -> str:
        """Where a journey to link an account elsewhere returns to; each platform has its own."""
        return f"{self.site}/link/{platform}"

    def download_export(self, token: str) -> str:
        """Where an export is fetched: the page asks first, for whatever looks at links in letters would use it up."""
        return f"{self.site}/download-export#{token}"

    def accept_invitation(self, token: str) -> str:
        """Where somebody takes up an invitation to act for a brand, or turns it down."""
        return f"{self.site}/brand-invitation#{token}"

    def brand(self, brand: BrandId) -> str:
        """Where its members see a brand."""
        return f"{self.site}/brands/{brand}"

    @property
    def sign_in(self) -> str:
        """Where people sign in."""
        return f"{self.site}/sign-in"

    @property
    def keep_account(self) -> str:
        """Where a person calls their erasure off."""
        return f"{self.site}/settings/erasure"

    @property
    def sessions(self) -> str:
        """Where a person sees who is signed in as them."""
        return f"{self.site}/settings/sessions"

    @property
    def identities(self) -> str:
        """Where a person looks after how they sign in."""
        return f"{self.site}/settings/identities"

    @property
    def second_factors(self) -> str:
        """Where a person looks after their second factors."""
        return f"{self.site}/settings/second-factors"

    @property
    def forgotten_password(self) -> str:
        """Where a person asks for a link to a new password."""
        return f"{self.site}/forgotten-password"
