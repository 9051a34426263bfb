"""The application over people on a real database, spoken to over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.tokens import Tokens
from adapters.postgres.brand.reads import PostgresBrandReads
from adapters.postgres.deeds import PostgresDeeds
from adapters.postgres.identity.desk import PostgresDesk
from domain.quotas import Quotas
from domain.vault import Vault
from tests.accounts_stage import PASSWORD, AccountsStage, staged_accounts
from tests.asset_stage import assets_on
from tests.brand_stage import BrandStage
from tests.campaign_stage import campaigns_on
from tests.earning_stage import earnings_on
from tests.fakes import FakePorts, connected
from tests.gql.house import House, Reply, served, settings_for
from tests.invoice_stage import invoices_on
from tests.message_stage import messages_on
from tests.overlay_stage import overlays_on
from tests.streamer_stage import streamers_on

ANI = "ani@mail.example"
NEW = "another horse, other batteries"
PLAYERS = "https://players.example"
ASKED = {"GraphQL-Require-Preflight": "1", "Origin": PLAYERS}
"""What a page of the players' portal sends that asked first."""
TOKENS = "accessToken refreshToken expiresAt sessionId person { viewerId }"
ANSWER = f"__typename ... on SignedIn {{ {TOKENS} }} ... on Refusal {{ code message }}"
SIGN_UP = """mutation ($mail: String!, $password: String!) {
  signUp(input: {mail: $mail, password: $password, name: "Ani", locale: ENGLISH}) {
    __typename ... on MailOnItsWay { mail } ... on Refusal { code }
  }
}"""
CONFIRM = f"""mutation ($token: String!, $password: String! = "{PASSWORD}", $transport: TokenTransport! = BEARER) {{
  confirmSignUp(input: {{token: $token, password: $password, portal: PLAYER, transport: $transport}}) {{ {ANSWER} }}
}}"""
_HOW = "$transport: TokenTransport! = BEARER, $portal: Portal! = PLAYER"
SIGN_IN = f"""mutation ($mail: String!, $password: String!, {_HOW}) {{
  signIn(input: {{mail: $mail, password: $password, portal: $portal, transport: $transport}}) {{
    {ANSWER} ... on TooManyTries {{ retryAfterS }}
  }}
}}"""
REFRESH = f"""mutation ($token: String, $transport: TokenTransport! = BEARER) {{
  refreshSession(input: {{refreshToken: $token, transport: $transport}}) {{ {ANSWER} }}
}}"""
SIGN_OUT = "mutation ($token: String) { signOut(input: {refreshToken: $token}) { __typename ... on Refusal { code } } }"
RESET = f"""mutation ($token: String!, $password: String!) {{
  resetPassword(input: {{token: $token, newPassword: $password, portal: PLAYER}}) {{ {ANSWER} }}
}}"""
CODE_BY_MAIL = "mutation { requestStepUpCode(input: {confirm: true}) { __typename } }"
STEP_UP = "mutation ($code: String!) { stepUp(input: {code: $code}) { __typename } }"
ME = "{ viewer { id name mail mailVerified sessions { id device place current portal lastUsedAt impersonated } } }"


class AccountPorts(FakePorts):
    """Wallets in memory, and people on a real database."""

    def __init__(self, stage: AccountsStage, folder: Path) -> None:
        super().__init__()
        self.identity = stage
        self.streamer = streamers_on(stage)
        self.overlay = overlays_on(stage)
        self.desk = PostgresDesk(stage.database)
        given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
        self.brand = BrandStage(**given, reads=PostgresBrandReads(stage.database, stage.vault))
        self.asset = assets_on(stage, folder)
        self.campaign = campaigns_on(stage)
        self.earning = earnings_on(stage, self.submissions)
        self.invoice = invoices_on(stage)
        self.message = messages_on(stage)
        self.audit_log = PostgresDeeds(stage.database, stage.vault, bytes(32))
        for name in ("clock", "standings", "quotas"):
            setattr(self, name, getattr(stage, name))


class AccountsHouse(House):
    """The application, and what is behind it."""

    stage: AccountsStage

    async def run(self, query: str, headers: dict[str, str] | None = None, **variables: object) -> Reply:
        body = {"query": query, "variables": variables}
        return await self.request("POST", json=body, headers={"User-Agent": "a browser", **(headers or {})})

    async def one(self, query: str, headers: dict[str, str] | None = None, **variables: object) -> Any:
        """The one field that was asked for."""
        (found,) = (await self.run(query, headers, **variables)).data.values()
        return found

    async def signed_up(self, mail: str = ANI) -> Any:
        """A member's tokens."""
        assert (await self.one(SIGN_UP, mail=mail, password=PASSWORD))["__typename"] == "MailOnItsWay"
        await self.stage.post()
        return await self.one(CONFIRM, token=self.stage.token("ConfirmSignUp"))

    async def confirmed_by_mail(self, headers: dict[str, str]) -> None:
        """Step up by the code of a letter."""
        assert (await self.one(CODE_BY_MAIL, headers))["__typename"] == "StepUpCodeOnItsWay"
        await self.stage.post()
        letter = next(each for each in reversed(self.stage.mailer.letters) if each.subject == "StepUpCode")
        assert (await self.one(STEP_UP, headers, code=letter.text))["__typename"] == "SteppedUp"


@asynccontextmanager
async def running_accounts(
    folder: Path,
    database: DatabaseAddresses,
    *,
    quotas: Quotas | None = None,
    vault: Vault | None = None,
    costly: bool = False,
    **more: object,
) -> AsyncIterator[AccountsHouse]:
    """The application as in production, with more settings than all have; passwords are as `costly` as is wished."""
    settings = settings_for(folder, "production", **{"portal_origins": f"player={PLAYERS}", **more})
    async with staged_accounts(database, vault=vault, quotas=quotas, costly=costly) as stage, stage.standings.running():
        tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        stage.access_tokens = tokens
        ports = AccountPorts(stage, folder / "files")
        async with served(settings, partial(connected, ports)) as url, aiohttp.ClientSession() as client:
            house = AccountsHouse(ports, tokens, url, client)
            house.stage = stage
            yield house


def bearer(tokens: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['accessToken']}"}
