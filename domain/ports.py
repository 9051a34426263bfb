"""All sockets together: what wiring plugs adapters into, and what every door hands on."""

from typing import Protocol

from domain.asset.ports import AssetPorts
from domain.audit_log import Deeds
from domain.brand.ports import BrandPorts
from domain.campaign.ports import CampaignPorts
from domain.earning.ports import EarningPorts
from domain.identity.desk import Desk
from domain.identity.ports import IdentityPorts, Standings
from domain.identity.privacy_stores import PrivacyPorts
from domain.invoice.ports import InvoicePorts
from domain.ledger.ports import Feed, Submissions
from domain.message.ports import MessagePorts
from domain.overlay.ports import OverlayPorts
from domain.quotas import Quotas
from domain.streamer.ports import StreamerPorts
from domain.wallet.ports import WalletPorts


class Ports(WalletPorts, Protocol):
    """Every context's ports, and those that belong to none."""

    @property
    def submissions(self) -> Submissions:
        """The ledger's second door, for hot flows."""
        ...

    @property
    def feed(self) -> Feed:
        """Tells that a topic has something new."""
        ...

    @property
    def standings(self) -> Standings:
        """What sessions may do."""
        ...

    @property
    def identity(self) -> IdentityPorts:
        """What knowing people takes."""
        ...

    @property
    def desk(self) -> Desk:
        """What staff looks up."""
        ...

    @property
    def audit_log(self) -> Deeds:
        """The audit log."""
        ...

    @property
    def privacy(self) -> PrivacyPorts:
        """What is a person's, and their say in it."""
        ...

    @property
    def streamer(self) -> StreamerPorts:
        """What streamers take."""
        ...

    @property
    def overlay(self) -> OverlayPorts:
        """What overlays take."""
        ...

    @property
    def brand(self) -> BrandPorts:
        """What brands take."""
        ...

    @property
    def asset(self) -> AssetPorts:
        """What files that people give us take."""
        ...

    @property
    def campaign(self) -> CampaignPorts:
        """What campaigns take."""
        ...

    @property
    def earning(self) -> EarningPorts:
        """What earnings take."""
        ...

    @property
    def invoice(self) -> InvoicePorts:
        """What invoices take."""
        ...

    @property
    def message(self) -> MessagePorts:
        """What messages take."""
        ...

    @property
    def quotas(self) -> Quotas:
        """Counts how often one may."""
        ...
