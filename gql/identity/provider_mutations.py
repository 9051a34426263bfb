"""Signing in by other sites and by what Telegram signed, and linking them to a person who is there already."""

from typing import Annotated

import strawberry

from domain.identity import providers as journeys
from domain.identity.model import Portal
from domain.refusal import Refusal
from gql.access import Right, field
from gql.context import Context, Info
from gql.identity import providers
from gql.identity.inputs import token_entered
from gql.identity.mutations import opened, signed_in
from gql.refusals import show

Wanted = strawberry.argument(name="input", description="What is wanted.")

_FRESH = "It takes a sign-in of the last quarter of an hour, or a step-up."


@strawberry.type
class ProviderMutation:
    """Other sites, and Telegram."""

    @field(
        Right.PUBLIC,
        "Begin to sign in by another site: send the browser there, and bring what it comes back with to"
        " `finishProviderSignIn`. Who is unknown gets an account; nobody is known by an address.",
        graphql_type=providers.BeginProviderSignInResult,
    )
    async def begin_provider_sign_in(
        self, info: Info, wanted: Annotated[providers.BeginProviderSignInInput, Wanted]
    ) -> object:
        """Begin to sign in by another site."""
        made = await journeys.begin_journey(info.context.identity, wanted.provider, wanted.portal)
        return show(made) if isinstance(made, Refusal) else providers.ProviderJourney.of(made)

    @field(
        Right.PUBLIC,
        "Come back from another site: sign in or, where `linkProvider` began, link it. There is one try.",
        graphql_type=providers.FinishProviderSignInResult,
    )
    async def finish_provider_sign_in(
        self, info: Info, wanted: Annotated[providers.FinishProviderSignInInput, Wanted]
    ) -> object:
        """Come back from another site."""
        context, token = opened(info, wanted.transport), token_entered(wanted.token)
        told = providers.parameters_entered(wanted.parameters)
        made = await journeys.finish_journey(context.identity, token, told, context.actor, context.origin)
        if isinstance(made, journeys.Linked):
            return await _changed(context, None)
        return signed_in(made, wanted.transport, context)

    @field(
        Right.PUBLIC,
        "Sign in by what Telegram signed a moment ago; each statement is good once. Who is unknown gets an account.",
        graphql_type=providers.SignInWithTelegramResult,
    )
    async def sign_in_with_telegram(
        self, info: Info, wanted: Annotated[providers.SignInWithTelegramInput, Wanted]
    ) -> object:
        """Sign in by what Telegram signed."""
        context, signed = opened(info, wanted.transport, wanted.portal), providers.signed_by_telegram(wanted)
        made = await journeys.enter_with_proof(context.identity, signed, wanted.portal, context.origin)
        return signed_in(made, wanted.transport, context)

    @field(
        Right.SIGNED_IN,
        f"Begin to link another site, to sign in by it from now on. This very session finishes it. {_FRESH}",
        graphql_type=providers.LinkProviderResult,
    )
    async def link_provider(self, info: Info, wanted: Annotated[providers.LinkProviderInput, Wanted]) -> object:
        """Begin to link another site."""
        context = info.context
        made = await journeys.begin_journey(context.identity, wanted.provider, Portal.PLAYER, context.caller)
        return show(made) if isinstance(made, Refusal) else providers.ProviderJourney.of(made)

    @field(
        Right.SIGNED_IN,
        f"Link what Telegram signed a moment ago, to sign in by it from now on. {_FRESH}",
        graphql_type=providers.LinkTelegramResult,
    )
    async def link_telegram(self, info: Info, wanted: Annotated[providers.LinkTelegramInput, Wanted]) -> object:
        """Link what Telegram signed."""
        context, signed = info.context, providers.signed_by_telegram(wanted)
        made = await journeys.link_with_proof(context.identity, context.caller, signed)
        return await _changed(context, made if isinstance(made, Refusal) else None)

    @field(
        Right.OWNER,
        f"Take a way of signing in away; the last one stays. Your other sessions end. {_FRESH}",
        graphql_type=providers.UnlinkIdentityResult,
    )
    async def unlink_identity(self, info: Info, wanted: Annotated[providers.UnlinkIdentityInput, Wanted]) -> object:
        """Take a way of signing in away."""
        context, identity = info.context, providers.identity_named(wanted.identity_id)
        return await _changed(context, await journeys.unlink(context.identity, context.caller, identity))


async def _changed(context: Context, refused: Refusal | None) -> object:
    if refused is not None:
        return show(refused)
    context.loaders.identities_by_person.clear_all()
    return providers.IdentitiesChanged(identities=await providers.identities_of(context))
