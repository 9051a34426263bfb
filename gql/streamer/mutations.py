"""What streamers do, and what staff answers them."""

from typing import Annotated

import strawberry

from domain.refusal import Refusal
from domain.rights import Permission
from domain.streamer import checking, journeys, linking, profile
from domain.streamer.model import LinkId, LinkState, Streamer
from gql.access import Right, field
from gql.asset.types import asset_id
from gql.context import Context, Info
from gql.identity.inputs import short, token_entered
from gql.identity.providers import ProviderJourney, parameters_entered
from gql.refusals import show
from gql.staff.types import uuid_of
from gql.streamer import answers, inputs, types

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class StreamerMutation:
    """What streamers do."""

    @field(
        Right.SIGNED_IN,
        "Become a streamer, once. What that lets you do holds at once, wherever you are signed in.",
        graphql_type=answers.BecomeStreamerResult,
    )
    async def become_streamer(self, info: Info, wanted: Annotated[inputs.BecomeStreamerInput, Wanted]) -> object:
        """Become a streamer."""
        context = info.context
        return _streamer(
            context, await profile.become_streamer(context.ports.streamer, context.caller, wanted.parsed())
        )

    @field(
        Right.SIGNED_IN,
        "Say other things of yourself: give all of your profile anew.",
        graphql_type=answers.ChangeStreamerProfileResult,
    )
    async def change_streamer_profile(
        self, info: Info, wanted: Annotated[inputs.ChangeStreamerProfileInput, Wanted]
    ) -> object:
        """Change the caller's profile."""
        context = info.context
        return _streamer(context, await profile.change_profile(context.ports.streamer, context.caller, wanted.parsed()))

    @field(
        Right.SIGNED_IN,
        "Show another picture of yourself to brands, or none.",
        graphql_type=answers.SetStreamerAvatarResult,
    )
    async def set_streamer_avatar(self, info: Info, wanted: Annotated[inputs.SetStreamerAvatarInput, Wanted]) -> object:
        """Show another picture."""
        context, avatar = info.context, asset_id(wanted.asset_id) if wanted.asset_id else None
        return _streamer(context, await profile.set_avatar(context.ports.streamer, context.caller, avatar))

    @field(
        Right.SIGNED_IN,
        "Ask for a code that proves that an account is yours. Place it in the account's public profile within three"
        " days, and say so by `reportPlatformCodePlaced`. A code that you asked for before is good no more.",
        graphql_type=answers.RequestPlatformCodeResult,
    )
    async def request_platform_code(
        self, info: Info, wanted: Annotated[inputs.RequestPlatformCodeInput, Wanted]
    ) -> object:
        """Ask for a code."""
        context = info.context
        made = await linking.ask_code(context.ports.streamer, context.caller, wanted.platform, wanted.account)
        if isinstance(made, Refusal):
            return show(made)
        link = await _link(context, made.link.id)
        return answers.PlatformCode(text=made.code, expires_at=made.expires_at, link=link)

    @field(
        Right.SIGNED_IN,
        "Say that the code stands in the public profile. Staff looks, and confirms the account or tells why not.",
        graphql_type=answers.ReportPlatformCodePlacedResult,
    )
    async def report_platform_code_placed(
        self, info: Info, wanted: Annotated[inputs.ReportPlatformCodePlacedInput, Wanted]
    ) -> object:
        """Say that a code is placed."""
        context, id_ = info.context, _link_id(wanted.link_id)
        return await _changed(context, id_, await linking.say_placed(context.ports.streamer, context.caller, id_))

    @field(
        Right.SIGNED_IN,
        "Begin to link an account by signing in there: send the browser to the platform, and bring what it comes back"
        " with to `finishPlatformLink`. It is good for ten minutes and one return, for you alone.",
        graphql_type=answers.LinkPlatformResult,
    )
    async def link_platform(self, info: Info, wanted: Annotated[inputs.LinkPlatformInput, Wanted]) -> object:
        """Begin to link an account."""
        context = info.context
        made = await journeys.begin_link(context.ports.streamer, context.caller, wanted.platform)
        return show(made) if isinstance(made, Refusal) else ProviderJourney.of(made)

    @field(
        Right.SIGNED_IN,
        "Come back from a platform: the account is yours from now on. There is one try.",
        graphql_type=answers.FinishPlatformLinkResult,
    )
    async def finish_platform_link(
        self, info: Info, wanted: Annotated[inputs.FinishPlatformLinkInput, Wanted]
    ) -> object:
        """Come back from a platform."""
        context, token, told = info.context, token_entered(wanted.token), parameters_entered(wanted.parameters)
        made = await journeys.finish_link(context.ports.streamer, context.caller, token, told)
        return show(made) if isinstance(made, Refusal) else await _link(context, made)

    @field(
        Right.SIGNED_IN,
        "Let go of an account, confirmed or not. Whoever proves to have it may link it then.",
        graphql_type=answers.UnlinkPlatformResult,
    )
    async def unlink_platform(self, info: Info, wanted: Annotated[inputs.UnlinkPlatformInput, Wanted]) -> object:
        """Let go of an account."""
        context, id_ = info.context, _link_id(wanted.link_id)
        return await _changed(context, id_, await linking.unlink(context.ports.streamer, context.caller, id_))


@strawberry.type
class StreamerStaffMutation:
    """What staff answers streamers."""

    @field(
        Right.STAFF,
        "Confirm that an account is a streamer's: open its public profile, and type the code that stands there. It"
        " takes a fresh code (`stepUp`), and nobody confirms their own.",
        permission=Permission.VERIFY_STREAMERS,
        graphql_type=answers.ConfirmPlatformLinkResult,
    )
    async def confirm_platform_link(
        self, info: Info, wanted: Annotated[inputs.ConfirmPlatformLinkInput, Wanted]
    ) -> object:
        """Confirm an account."""
        context, id_, code = info.context, _link_id(wanted.link_id), short("code", wanted.code)
        return await _changed(
            context, id_, await checking.confirm_link(context.ports.streamer, context.caller, id_, code)
        )

    @field(
        Right.STAFF,
        "Say that the code does not stand in the public profile, or that something else is wrong. The streamer reads"
        " the reason, and may ask for another code.",
        permission=Permission.VERIFY_STREAMERS,
        graphql_type=answers.RejectPlatformLinkResult,
    )
    async def reject_platform_link(
        self, info: Info, wanted: Annotated[inputs.RejectPlatformLinkInput, Wanted]
    ) -> object:
        """Reject an account."""
        context, id_ = info.context, _link_id(wanted.link_id)
        made = await checking.reject_link(context.ports.streamer, context.caller, id_, wanted.reason)
        return await _changed(context, id_, made)


def _link_id(id_: str) -> LinkId:
    return LinkId(uuid_of(types.LINK, id_))


def _streamer(context: Context, made: Streamer | Refusal) -> object:
    context.renew()
    return show(made) if isinstance(made, Refusal) else types.Streamer(found=made)


async def _changed(context: Context, id_: LinkId, made: LinkState | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else await _link(context, id_)


async def _link(context: Context, id_: LinkId) -> types.StreamerLink:
    """A link as it is by now."""
    context.renew()
    return types.StreamerLink(found=(await context.ports.streamer.reads.links([id_]))[id_])
