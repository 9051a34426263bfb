"""Table of contents: one line for each context."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from gql.asset.mutations import AssetMutation
from gql.asset.queries import AssetQuery
from gql.brand.mutations import BrandInvitationMutation, BrandMutation, BrandTeamMutation, BrandWalletMutation
from gql.brand.staff import BrandStaffQuery
from gql.campaign.creatives import CreativeStaffQuery
from gql.campaign.mutations import CampaignMutation, CampaignRunMutation, CreativeMutation
from gql.campaign.open import OpenCampaignQuery
from gql.campaign.participation_mutations import ParticipationCourseMutation, ParticipationMutation
from gql.campaign.participations import ParticipationQuery
from gql.campaign.queries import CampaignQuery
from gql.campaign.staff import CampaignStaffQuery
from gql.campaign.subscriptions import CampaignSubscription, ParticipationSubscription
from gql.earning.mutations import EarningMutation, EarningStaffMutation
from gql.earning.queries import EarningStaffQuery
from gql.earning.subscriptions import EarningSubscription
from gql.errors import Manner
from gql.execution import Schema
from gql.identity.factor_mutations import SecondFactorMutation, StepUpMutation
from gql.identity.mutations import AccountMutation, SessionMutation
from gql.identity.passkey_mutations import PasskeyMutation
from gql.identity.privacy_mutations import PrivacyMutation
from gql.identity.provider_mutations import ProviderMutation
from gql.invoice.queries import InvoiceStaffQuery
from gql.limits import Limits
from gql.message.mutations import MessageMutation, MessageStaffMutation
from gql.message.staff import MessageStaffQuery
from gql.message.subscriptions import MessageSubscription
from gql.nodes import NodeQuery
from gql.overlay.mutations import OverlayMutation, OverlayStaffMutation
from gql.overlay.subscriptions import OverlaySubscription
from gql.scalars import SCALARS
from gql.staff.audit_queries import AuditQuery
from gql.staff.mutations import MergeMutation, StaffMutation, SystemMutation
from gql.staff.queries import StaffQuery
from gql.streamer.discovery import DiscoveryQuery
from gql.streamer.mutations import StreamerMutation, StreamerStaffMutation
from gql.streamer.queries import StreamerQuery
from gql.streamer.subscriptions import StreamerSubscription
from gql.viewer import ViewerQuery
from gql.wallet.mutations import WalletMutation
from gql.wallet.queries import WalletQuery
from gql.wallet.subscriptions import WalletSubscription

QUERIES: tuple[type, ...] = (
    NodeQuery,
    ViewerQuery,
    StaffQuery,
    AuditQuery,
    WalletQuery,
    BrandStaffQuery,
    StreamerQuery,
    AssetQuery,
    CampaignQuery,
    CampaignStaffQuery,
    OpenCampaignQuery,
    CreativeStaffQuery,
    ParticipationQuery,
    EarningStaffQuery,
    DiscoveryQuery,
    InvoiceStaffQuery,
    MessageStaffQuery,
)
MUTATIONS: tuple[type, ...] = (
    AccountMutation,
    SessionMutation,
    SecondFactorMutation,
    PasskeyMutation,
    ProviderMutation,
    StepUpMutation,
    PrivacyMutation,
    StaffMutation,
    MergeMutation,
    SystemMutation,
    WalletMutation,
    StreamerMutation,
    StreamerStaffMutation,
    OverlayMutation,
    OverlayStaffMutation,
    BrandMutation,
    BrandTeamMutation,
    BrandInvitationMutation,
    BrandWalletMutation,
    AssetMutation,
    CampaignMutation,
    CampaignRunMutation,
    CreativeMutation,
    ParticipationMutation,
    ParticipationCourseMutation,
    EarningMutation,
    EarningStaffMutation,
    MessageMutation,
    MessageStaffMutation,
)
SUBSCRIPTIONS: tuple[type, ...] = (
    WalletSubscription,
    OverlaySubscription,
    CampaignSubscription,
    ParticipationSubscription,
    EarningSubscription,
    StreamerSubscription,
    MessageSubscription,
)


def _root(name: str, description: str, parts: tuple[type, ...]) -> type:
    return strawberry.type(merge_types(name, parts), name=name, description=description)


def build_schema(
    *, development: bool = False, unavailable: tuple[type[Exception], ...] = (), planned: bool = True
) -> Schema:
    """The schema. In development it shows itself to introspection, and hints at what a misspelt name may have meant.

    `unavailable` is what adapters raise when something that we need does not answer. Without being `planned` the
    schema leaves all execution to graphql-core.
    """
    return Schema(
        query=_root("Query", "What can be looked up.", QUERIES),
        mutation=_root("Mutation", "What can be done. Each answers what came of it, or a refusal.", MUTATIONS),
        subscription=_root("Subscription", "What can be followed as it happens.", SUBSCRIPTIONS),
        config=StrawberryConfig(scalar_map=SCALARS),
        limits=Limits(introspection=development),
        manner=Manner(hints=development, unavailable=unavailable),
        planned=planned,
    )
