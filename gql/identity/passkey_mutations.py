"""Passkeys: set up, taken away, and used to sign in and to confirm. Each takes an offer, and the browser's answer."""

from typing import Annotated

import strawberry

from domain.identity import passkeys
from domain.refusal import Refusal
from gql.access import Right, field
from gql.context import Info
from gql.identity import factor_answers as answers
from gql.identity import factor_inputs as inputs
from gql.identity.factors import PasskeyOffered, SteppedUp, credential_of, second_factors_after
from gql.identity.inputs import confirmed, short, token_entered
from gql.identity.mutations import opened, signed_in
from gql.refusals import show

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class PasskeyMutation:
    """Passkeys."""

    @field(
        Right.SIGNED_IN,
        "Begin to set up a passkey. It takes a step-up; where there is neither a second factor nor a confirmed address,"
        " a sign-in of the last quarter of an hour.",
        graphql_type=answers.OfferPasskeyResult,
    )
    async def offer_passkey(self, info: Info, wanted: Annotated[inputs.OfferPasskeyInput, Wanted]) -> object:
        """Begin to set up a passkey."""
        confirmed(wanted.confirm)
        made = await passkeys.offer_passkey(info.context.identity, info.context.caller)
        return show(made) if isinstance(made, Refusal) else PasskeyOffered.of(made)

    @field(
        Right.SIGNED_IN,
        "Keep the passkey that the browser made.",
        graphql_type=answers.AddPasskeyResult,
    )
    async def add_passkey(self, info: Info, wanted: Annotated[inputs.AddPasskeyInput, Wanted]) -> object:
        """Keep the passkey that the browser made."""
        context, token = info.context, token_entered(wanted.token)
        answer, name = inputs.answer_entered(wanted.answer), short("name", wanted.name)
        refused = await passkeys.add_passkey(context.identity, context.caller, token, answer, name)
        return show(refused) if refused else await second_factors_after(context)

    @field(Right.OWNER, "Take a passkey of yours away.", graphql_type=answers.RemovePasskeyResult)
    async def remove_passkey(self, info: Info, wanted: Annotated[inputs.RemovePasskeyInput, Wanted]) -> object:
        """Take a passkey of the caller's away."""
        context = info.context
        credential = await credential_of(context, wanted.passkey_id)
        refused = await passkeys.remove_passkey(context.identity, context.caller, credential)
        return show(refused) if refused else await second_factors_after(context)

    @field(
        Right.PUBLIC,
        "Begin to sign in by a passkey, whichever the person picks.",
        graphql_type=answers.OfferPasskeySignInResult,
    )
    async def offer_passkey_sign_in(
        self, info: Info, wanted: Annotated[inputs.OfferPasskeySignInInput, Wanted]
    ) -> object:
        """Begin to sign in by a passkey."""
        confirmed(wanted.confirm)
        return PasskeyOffered.of(await passkeys.offer_passkey_sign_in(info.context.identity))

    @field(
        Right.PUBLIC,
        "Sign in by the passkey that the browser used.",
        graphql_type=answers.SignInWithPasskeyResult,
    )
    async def sign_in_with_passkey(
        self, info: Info, wanted: Annotated[inputs.SignInWithPasskeyInput, Wanted]
    ) -> object:
        """Sign in by a passkey."""
        context, token = opened(info, wanted.transport, wanted.portal), token_entered(wanted.token)
        answer = inputs.answer_entered(wanted.answer)
        made = await passkeys.sign_in_with_passkey(context.identity, token, answer, wanted.portal, context.origin)
        return signed_in(made, wanted.transport, context)

    @field(
        Right.SIGNED_IN,
        "Begin to confirm something by one of your passkeys.",
        graphql_type=answers.OfferPasskeyStepUpResult,
    )
    async def offer_passkey_step_up(
        self, info: Info, wanted: Annotated[inputs.OfferPasskeyStepUpInput, Wanted]
    ) -> object:
        """Begin to confirm by a passkey."""
        confirmed(wanted.confirm)
        made = await passkeys.offer_passkey_step_up(info.context.identity, info.context.caller)
        return show(made) if isinstance(made, Refusal) else PasskeyOffered.of(made)

    @field(
        Right.SIGNED_IN,
        "Confirm by the passkey that the browser used: for five minutes this session may do weighty things.",
        graphql_type=answers.StepUpWithPasskeyResult,
    )
    async def step_up_with_passkey(
        self, info: Info, wanted: Annotated[inputs.StepUpWithPasskeyInput, Wanted]
    ) -> object:
        """Confirm by a passkey."""
        context, answer = info.context, inputs.answer_entered(wanted.answer)
        made = await passkeys.step_up_with_passkey(
            context.identity, context.caller, token_entered(wanted.token), answer
        )
        return show(made) if isinstance(made, Refusal) else SteppedUp.of(made)
