"""Authenticator apps and recovery codes: set up, asked for in the middle of a sign-in, asked for again, taken away."""

from typing import Annotated

import strawberry

from domain.identity import second_factors, step_up
from domain.refusal import Refusal
from gql.access import Right, field
from gql.context import Info
from gql.identity import factor_answers as answers
from gql.identity import factor_inputs as inputs
from gql.identity.factors import RecoveryCodes, SteppedUp, StepUpCodeOnItsWay, TotpOffered, second_factors_after
from gql.identity.inputs import confirmed, short, token_entered
from gql.identity.mutations import opened, signed_in
from gql.refusals import show

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class SecondFactorMutation:
    """Authenticator apps and recovery codes."""

    @field(
        Right.SIGNED_IN,
        "Begin to set up an authenticator app, or another one. Nothing changes before `confirmTotp`. It takes a"
        " step-up; where there is neither a second factor nor a confirmed address, a sign-in of the last quarter of an"
        " hour.",
        graphql_type=answers.OfferTotpResult,
    )
    async def offer_totp(self, info: Info, wanted: Annotated[inputs.OfferTotpInput, Wanted]) -> object:
        """Begin to set up an authenticator app."""
        confirmed(wanted.confirm)
        made = await second_factors.offer_totp(info.context.identity, info.context.caller)
        return show(made) if isinstance(made, Refusal) else TotpOffered.of(made)

    @field(
        Right.SIGNED_IN,
        "Put the app that was offered to use, by a code of it. The recovery codes that come with it end older ones.",
        graphql_type=answers.ConfirmTotpResult,
    )
    async def confirm_totp(self, info: Info, wanted: Annotated[inputs.ConfirmTotpInput, Wanted]) -> object:
        """Put the app that was offered to use."""
        context, code = info.context, short("code", wanted.code)
        made = await second_factors.confirm_totp(context.identity, context.caller, code)
        return show(made) if isinstance(made, Refusal) else RecoveryCodes.of(made)

    @field(
        Right.SIGNED_IN,
        "Take your authenticator app away. Recovery codes go with the last second factor.",
        graphql_type=answers.RemoveTotpResult,
    )
    async def remove_totp(self, info: Info, wanted: Annotated[inputs.RemoveTotpInput, Wanted]) -> object:
        """Take the caller's authenticator app away."""
        confirmed(wanted.confirm)
        refused = await second_factors.remove_totp(info.context.identity, info.context.caller)
        return show(refused) if refused else await second_factors_after(info.context)

    @field(
        Right.SIGNED_IN,
        "Get new recovery codes; the old ones end.",
        graphql_type=answers.RenewRecoveryCodesResult,
    )
    async def renew_recovery_codes(
        self, info: Info, wanted: Annotated[inputs.RenewRecoveryCodesInput, Wanted]
    ) -> object:
        """Get new recovery codes."""
        confirmed(wanted.confirm)
        made = await second_factors.renew_recovery_codes(info.context.identity, info.context.caller)
        return show(made) if isinstance(made, Refusal) else RecoveryCodes.of(made)


@strawberry.type
class StepUpMutation:
    """Proving once more who one is."""

    @field(
        Right.PUBLIC,
        "Go on with a sign-in that asked for a second factor. Who has lost it gives a recovery code.",
        graphql_type=answers.AnswerSecondFactorResult,
    )
    async def answer_second_factor(
        self, info: Info, wanted: Annotated[inputs.AnswerSecondFactorInput, Wanted]
    ) -> object:
        """Go on with a sign-in."""
        context, code = opened(info, wanted.transport), short("code", wanted.code)
        challenge = token_entered(wanted.challenge)
        made = await second_factors.answer_second_factor(context.identity, challenge, code, context.origin)
        return signed_in(made, wanted.transport, context)

    @field(
        Right.SIGNED_IN,
        "Confirm by a fresh code that it is you: for five minutes this session may do weighty things.",
        graphql_type=answers.StepUpResult,
    )
    async def step_up(self, info: Info, wanted: Annotated[inputs.StepUpInput, Wanted]) -> object:
        """Confirm by a fresh code."""
        context = info.context
        made = await step_up.step_up(context.identity, context.caller, short("code", wanted.code))
        return show(made) if isinstance(made, Refusal) else SteppedUp.of(made)

    @field(
        Right.SIGNED_IN,
        "Have a code for `stepUp` sent to your address, if you have no second factor.",
        graphql_type=answers.RequestStepUpCodeResult,
    )
    async def request_step_up_code(
        self, info: Info, wanted: Annotated[inputs.RequestStepUpCodeInput, Wanted]
    ) -> object:
        """Have a code sent."""
        confirmed(wanted.confirm)
        made = await step_up.request_step_up_code(info.context.identity, info.context.caller)
        return show(made) if isinstance(made, Refusal) else StepUpCodeOnItsWay.of(made)
