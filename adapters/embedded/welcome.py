"""What a newcomer finds: demo data, loaded before the first process starts, and the words printed at the end."""

import asyncio
from collections.abc import Mapping

from adapters import demo
from adapters.config import Settings
from adapters.logs import configure_logging

_WORDS = """\
GraphiQL       {public_url}/graphql
Sign in        {public_url}/sign-in
Mail           http://127.0.0.1:{mail_port}/   (every letter that was sent)
Twitch         http://127.0.0.1:{twitch_port}/control/channels   (who has a channel; open {public_url}/link/twitch)
YouTube        http://127.0.0.1:{youtube_port}/control   (go live, hide, revoke; open {public_url}/link/youtube)
Sandbox        http://127.0.0.1:{sandbox_port}/control/payments   (what the payment gateway knows)
Health         {public_url}/readyz   Metrics {public_url}/metrics

Demo accounts  (password of all: {password})
{accounts}
  Staff signs in at the portal ADMIN, with a code: `.venv/bin/gametriggers code` prints the present one, or have
  an authenticator app make it: {otpauth}
  For clients without cookies `.venv/bin/gametriggers token NAME` prints a token of a player that holds for 30 days.

Try this
  1. Open GraphiQL in a browser. Its tabs are ready and signed in as `demo`: run "Wallets" to see what demo owns.
  2. Run "Watch" and leave it open in one browser tab. In a second one run "TopUp" and open the `redirectUrl` it
     answers: that is the gateway's page. Press "Pay", and the balance moves under "Watch". With another top-up
     press "Pay, and be reported twice": the money still comes once.
  3. Ask for the wallet of `other` by its id with demo's token: it answers as if it did not exist. Then let the ledger
     prove itself: .venv/bin/gametriggers audit
  4. Sign up under "Sign in" above, and click the link in the letter under "Mail": whatever a letter links to is there.
     Choose another portal and sign in once more: each portal has a session of its own. Or sign in by the Google that
     stands in for the real one: whoever you pick there, you are.
Ctrl-C ends everything that was started; `make reset` deletes what it stored."""


def load_demo(environment: Mapping[str, str]) -> None:
    """Make the demo accounts, or nothing if they are there. The environment holds every setting."""
    settings = _settings(environment)
    configure_logging(settings.model_copy(update={"log_level": "ERROR"}))
    asyncio.run(demo.load(settings))


def welcome(environment: Mapping[str, str]) -> str:
    """Addresses, accounts and how to sign in as them, and what to try."""
    key = _settings(environment).identity_key_bytes
    accounts = "\n".join(f"  {demo.mail_of(name):<28} {made.meaning}" for name, made in demo.ACCOUNTS.items())
    return _WORDS.format(
        public_url=environment["PUBLIC_URL"],
        sandbox_port=environment["SANDBOX_PORT"],
        mail_port=environment["MAIL_SANDBOX_PORT"],
        twitch_port=environment["TWITCH_SANDBOX_PORT"],
        youtube_port=environment["YOUTUBE_SANDBOX_PORT"],
        accounts=accounts,
        password=demo.demo_password(key),
        otpauth=demo.demo_totp(key).provisioning_uri(),
    )


def _settings(environment: Mapping[str, str]) -> Settings:
    return Settings.model_validate({name.lower(): value for name, value in environment.items()})
