"""GraphiQL for developers, from assets on this machine, with tabs that work at first try. Never in production."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

_PACKAGE = "graphene_django_graphiql_static"
"""A wheel that carries GraphiQL's built files; nothing of it is imported."""

_ASSETS = {
    "graphiql.min.css": "text/css",
    "graphiql.min.js": "text/javascript",
    "graphql-ws.min.js": "text/javascript",
    "react.production.min.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
}
_PAGE = Template((Path(__file__).parent / "graphiql.html").read_text(encoding="utf-8"))

_LOOK = """# You, your wallets and what happened in them.
# Press the button, or Ctrl-Enter.
query Wallets {
  viewer {
    wallets {
      id
      purpose
      balance {
        total { amount currency }
        held { amount }
        available { amount }
      }
      statement(first: 10) {
        edges {
          node {
            kind
            change { amount }
            balanceAfter { amount }
            recordedAt
          }
        }
      }
    }
    topUps(first: 5) {
      edges {
        node {
          id
          state
          amount { amount }
          redirectUrl
        }
      }
    }
  }
}
"""
_TOP_UP = """# Put Rp50,000 into the wallet: run it, open
# redirectUrl in your browser, and pay there.
# The same idempotencyKey answers the same top-up:
# change it below to start another.
mutation TopUp($input: StartTopUpInput!) {
  startTopUp(input: $input) {
    __typename
    ... on TopUp {
      id
      state
      redirectUrl
      expiresAt
    }
    ... on Refusal { code message }
  }
}
"""
_FOLLOW = """# Watch the wallet: run it, pay a top-up,
# and the balance moves here.
# To resume, give the last cursor as "after" below.
subscription Watch($walletId: ID!, $after: Cursor) {
  walletChanged(walletId: $walletId, after: $after) {
    __typename
    ... on WalletSnapshot {
      cursor
      wallet { balance { total { amount currency } } }
    }
    ... on WalletEntry {
      cursor
      entry {
        kind
        change { amount currency }
        balanceAfter { amount currency }
        recordedAt
      }
    }
  }
}
"""
_OPEN = """# You have no wallet yet: open one,
# then reload the page.
mutation Open {
  openWallet(
    input: { purpose: HOSTING_CREDIT, currency: IDR }
  ) {
    __typename
    ... on Wallet { id }
    ... on Refusal { code message }
  }
}
"""


_SIGN_IN = """# Sign in as a portal does: the browser keeps the
# session in cookies, which no script can read. Then run
# "Me" in the next tab, which has no token of its own:
# the header Gametriggers-Portal says whose cookies.
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    __typename
    ... on SignedIn { sessionId expiresAt }
    ... on SecondFactorNeeded { challenge methods }
    ... on Refusal { code message }
  }
}
"""
_ME = """# Who the cookies say you are, and where else you are
# signed in. Run "SignIn" in the tab before first.
query Me {
  viewer {
    name
    mail
    sessions { id device current portal lastUsedAt }
    identities { id provider subject }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Known:
    """An account to sign in with."""

    mail: str
    password: str = field(repr=False)


def page(token: str, wallet_id: str | None, key: str, known: Known) -> Response:
    """The page, its tabs filled for the person of the token and for one of their wallets, if they have any.

    The last two sign in as somebody known, and look around, by cookies.
    """
    if find_spec(_PACKAGE) is None:
        return PlainTextResponse("GraphiQL's files are not installed: they come with requirements-dev.txt.\n", 503)
    nonce = secrets.token_urlsafe(16)
    tabs = json.dumps(_tabs(token, wallet_id, key, known)).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; connect-src 'self';"
        " font-src 'self' data:; img-src 'self' data:; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Vary": "Accept"}
    return HTMLResponse(_PAGE.substitute(tabs=tabs, nonce=nonce), headers=headers)


async def asset(request: Request) -> Response:
    """One of the page's files."""
    name, spec = request.path_params["name"], find_spec(_PACKAGE)
    if name not in _ASSETS or spec is None or not spec.submodule_search_locations:
        return PlainTextResponse("Not Found", 404)
    file = Path(spec.submodule_search_locations[0]) / "static" / _PACKAGE / name
    return FileResponse(file, media_type=_ASSETS[name], headers={"Cache-Control": "public, max-age=86400"})


def _tabs(token: str, wallet_id: str | None, key: str, known: Known) -> list[dict[str, Any]]:
    headers = json.dumps({"Authorization": f"Bearer {token}"}, indent=2)
    top_up = {
        "input": {
            "walletId": wallet_id or "the id of a wallet",
            "amount": {"amount": "50000.00", "currency": "IDR"},
            "method": "QRIS",
            "idempotencyKey": key,
        }
    }
    follow = {"walletId": wallet_id or "the id of a wallet", "after": None}
    tabs = [(_LOOK, None), (_TOP_UP, top_up), (_FOLLOW, follow)]
    if wallet_id is None:
        tabs.insert(0, (_OPEN, None))
    cookies = json.dumps({"GraphQL-Require-Preflight": "1", "Gametriggers-Portal": "PLAYER"}, indent=2)
    sign_in = {"input": {"mail": known.mail, "password": known.password, "portal": "PLAYER", "transport": "COOKIE"}}
    return [_tab(*tab, headers) for tab in tabs] + [_tab(_SIGN_IN, sign_in, cookies), _tab(_ME, None, cookies)]


def _tab(query: str, variables: Mapping[str, Any] | None, headers: str) -> dict[str, Any]:
    return {"query": query, "variables": json.dumps(variables, indent=2) if variables else None, "headers": headers}
