"""What a newcomer finds: demo data, loaded before the first process starts, and the words printed at the end."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from adapters import demo
from adapters.identity.tokens import Tokens
from domain.clock import system_clock

_WORDS = """\
GraphiQL       {public_url}/graphql
Sandbox        http://127.0.0.1:{sandbox_port}/control/payments   (what the payment gateway knows)
Health         {public_url}/readyz   Metrics {public_url}/metrics

Demo accounts  (each token holds for 30 days; `.venv/bin/gametriggers token NAME` makes another)
{accounts}

Try this
  1. Open GraphiQL in a browser. Its tabs are ready and signed in as `demo`: run "Wallets" to see what demo owns.
  2. Run "Watch" and leave it open in one browser tab. In a second one run "TopUp" and open the `redirectUrl` it
     answers: that is the gateway's page. Press "Pay", and the balance moves under "Watch". With another top-up
     press "Pay, and be reported twice": the money still comes once.
  3. Ask for the wallet of `other` by its id with demo's token: it answers as if it did not exist. Then let the ledger
     prove itself: .venv/bin/gametriggers audit
Ctrl-C ends everything that was started; `make reset` deletes what it stored."""


def load_demo(environment: Mapping[str, str]) -> None:
    """Load what the demo accounts need, or nothing if it is there. The environment holds every setting."""
    asyncio.run(demo.load(environment["DATABASE_URL"]))


def welcome(environment: Mapping[str, str]) -> str:
    """Addresses, accounts with tokens, and three things to try."""
    tokens = Tokens.of_file(Path(environment["TOKEN_KEY_FILE"]), environment["PUBLIC_URL"])
    accounts = "\n".join(
        f"  {name:<12} {tokens.issue(demo.demo_session(name), system_clock(), demo.TOKEN_LIFETIME).text}"
        for name in demo.ACCOUNTS
    )
    return _WORDS.format(
        public_url=environment["PUBLIC_URL"], sandbox_port=environment["SANDBOX_PORT"], accounts=accounts,
    )  # fmt: skip
