"""A person with an authenticator app of their own, and what they do with it, for tests of second factors."""

from dataclasses import replace

import pyotp

from adapters.identity import totp
from domain.actor import Actor
from domain.identity.model import STEP_UP_LIFETIME
from domain.identity.second_factors import RecoveryCodes, TotpOffer, confirm_totp, offer_totp
from domain.identity.sign_in import SecondFactorNeeded
from tests.accounts_stage import AccountsStage

WRONG = "000000"


class App:
    """An authenticator app, as far as it goes: a secret and the stage's clock."""

    def __init__(self, stage: AccountsStage, secret: str) -> None:
        self.stage, self.secret = stage, secret

    def code(self, steps: int = 0) -> str:
        """The code of so many half minutes from now."""
        present = int(self.stage.clock().timestamp()) // totp.STEP_S
        return str(pyotp.TOTP(self.secret).generate_otp(present + steps))

    def next(self) -> str:
        """A code that was never used, half a minute later."""
        self.stage.turn(seconds=totp.STEP_S)
        return self.code()


async def enrolled(stage: AccountsStage, me: Actor) -> tuple[App, tuple[str, ...]]:
    """Set up an authenticator app, after a step-up; it comes with the recovery codes."""
    sure = stepped_up(stage, me)
    offer = await offer_totp(stage, sure)
    assert isinstance(offer, TotpOffer), offer
    app = App(stage, offer.secret)
    codes = await confirm_totp(stage, sure, app.code())
    assert isinstance(codes, RecoveryCodes), codes
    return app, codes.codes


async def asked(stage: AccountsStage) -> str:
    """Sign in as far as the question for the second factor; its challenge."""
    found = await stage.sign_in()
    assert isinstance(found, SecondFactorNeeded), found
    return found.challenge


def stepped_up(stage: AccountsStage, me: Actor) -> Actor:
    """The actor as the next request knows them after a step-up."""
    return replace(me, stepped_up_until=stage.clock() + STEP_UP_LIFETIME)
