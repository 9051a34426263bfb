"""What journeys say to the API."""

from datetime import datetime, timedelta
from typing import Any

OPEN_WALLET = """
mutation ($input: OpenWalletInput!) { openWallet(input: $input) { __typename
  ... on Wallet { id } ... on Refusal { code } } }
"""
OPEN_BRAND_WALLET = """
mutation ($input: OpenBrandWalletInput!) { openBrandWallet(input: $input) { __typename
  ... on Wallet { id } ... on Refusal { code } } }
"""
BRAND_WALLETS = (
    "query ($id: ID!) { node(id: $id) { ... on Brand { wallets { id purpose balance { total { amount } } } } } }"
)
START = """
mutation ($input: StartTopUpInput!) { startTopUp(input: $input) { __typename
  ... on TopUp { id state redirectUrl } ... on Refusal { code message } } }
"""
CANCEL = """
mutation ($input: CancelTopUpInput!) { cancelTopUp(input: $input) { __typename
  ... on TopUp { id state redirectUrl } ... on Refusal { code message } } }
"""
TOP_UP = "query ($id: ID!) { topUp(id: $id) { id state redirectUrl credited { amount } } }"
TOP_UPS = "{ topUps(first: 50) { edges { node { id state amount { amount } credited { amount } } } } }"
WALLET = """
query ($id: ID!) { wallet(id: $id) { id balance { total { amount } available { amount } } owes { amount } } }
"""
FOLLOW = """
subscription ($id: ID!, $after: Cursor) { walletChanged(walletId: $id, after: $after) { __typename
  ... on WalletSnapshot { cursor wallet { balance { total { amount } } } }
  ... on WalletEntry { cursor entry { sequence kind change { amount } balanceAfter { amount } } } } }
"""


def wanted(wallet: str, key: str, units: int = 50_000, method: str = "BANK_TRANSFER") -> dict[str, Any]:
    """The input of a top-up."""
    amount = {"amount": f"{units}.00", "currency": "IDR"}
    return {"walletId": wallet, "amount": amount, "method": method, "idempotencyKey": key}


_CAMPAIGN = "id state version reason escrow { amount }"
_MORE = {
    "create": "... on PlanRefused { field }",
    "edit": "... on PlanRefused { field }",
    "launch": "... on BudgetNotCovered { missing { amount } }",
}
CAMPAIGN_STEPS = {
    step: f"mutation ($input: {step.title()}CampaignInput!) {{ {step}Campaign(input: $input) {{ __typename"
    f" ... on {kind} {{ {fields} }} ... on Refusal {{ code }} {_MORE.get(step, '')}"
    f" {'' if step == 'create' else '... on CampaignNotReady { state }'} }} }}"
    for step, kind, fields in (
        *((step, "Campaign", _CAMPAIGN) for step in ("create", "edit", "submit", "launch")),
        *((step, "Campaign", _CAMPAIGN) for step in ("pause", "resume", "complete", "cancel")),
        *((step, "CampaignCase", "id state version") for step in ("decide", "suspend", "reinstate")),
    )
}
"""What may be done with a campaign, by the first word of the mutation."""
CAMPAIGNS = "query ($id: ID!) { campaigns(brandId: $id) { edges { node { id state } } } }"
CAMPAIGN_CASES = "{ campaignCases { edges { node { id brandName version } } } }"
FOLLOW_CAMPAIGN = f"""
subscription ($id: ID!, $after: Cursor) {{
  campaignChanged(campaignId: $id, after: $after) {{ cursor campaign {{ {_CAMPAIGN} }} }} }}
"""


def plan(now: datetime, units: int = 1_000_000) -> dict[str, Any]:
    """The plan of a campaign that runs today and tomorrow: half of the budget, at least, may be spent by tonight."""
    budget = {"amount": f"{units}.00", "currency": "IDR"}
    return {
        "title": "Play longer", "description": "Batteries that last.", "link": "https://baterai.example/play",
        "budget": budget, "terms": {"pricing": "CPM", "rate": {"amount": "20000", "currency": "IDR"}, "minutes": 600},
        "schedule": {
            "startsOn": now.date().isoformat(), "endsOn": (now.date() + timedelta(days=1)).isoformat(),
            "timeZone": "Asia/Jakarta",
        },
    }  # fmt: skip


STREAMER_ROW = r"""
insert into streamer (id, person, display_name, schedule, categories, language, rating, country, time_zone, created_at,
    changed_at)
values ($1, $2, '\x00', '\x00', '{games}', 'id', 'teen', 'ID', 'Asia/Jakarta', now(), now())
"""
_PARTICIPATION = "id state yourSide offers { number side } agreement { terms { minutes } }"
OPEN_CAMPAIGNS = "{ openCampaigns { edges { node { id eligibility { verdict } } } } }"
MY_PARTICIPATIONS = "{ myParticipations { edges { node { id state } } } }"
PARTICIPATIONS = "query ($id: ID!) { participations(campaignId: $id) { edges { node { id state } } } }"
PARTICIPATION = f"query ($id: ID!) {{ node(id: $id) {{ ... on Participation {{ {_PARTICIPATION} }} }} }}"
FOLLOW_PARTICIPATION = f"""
subscription ($id: ID!) {{ participationChanged(participationId: $id) {{ participation {{ {_PARTICIPATION} }} }} }}
"""
OPEN_DISPUTE = """
mutation ($input: OpenDisputeInput!) {
  openDispute(input: $input) { ... on Dispute { id side minutes } ... on Refusal { code } } }
"""
DECIDE_DISPUTE = """
mutation ($input: DecideDisputeInput!) {
  decideDispute(input: $input) { ... on DecidedDispute { ruling } ... on Refusal { code } } }
"""


def taking_part(mutation: str) -> str:
    """A mutation about a creative or a participation."""
    participation = f"... on Participation {{ {_PARTICIPATION} }}"
    shown = "... on Creative { id html state }" if "Creative" in mutation else participation
    return f"""mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
  {mutation}(input: $input) {{ __typename ... on Refusal {{ code }} {shown} }} }}"""
