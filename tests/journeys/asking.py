"""What journeys say to the API."""

from typing import Any

OPEN_WALLET = """
mutation ($input: OpenWalletInput!) { openWallet(input: $input) { __typename
  ... on Wallet { id } ... on Refusal { code } } }
"""
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
