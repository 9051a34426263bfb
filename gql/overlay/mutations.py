"""What streamers do with their overlays, and how staff switches them off."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from domain.overlay import actions, alerts, switches
from domain.overlay.actions import OverlayWithToken
from domain.overlay.model import OverlayId, Stop
from domain.refusal import Refusal
from domain.rights import Permission
from domain.streamer.model import StreamerId
from gql.access import Right, field
from gql.context import Context, Info
from gql.overlay import answers, inputs
from gql.overlay.types import OVERLAY, STREAMER, OverlayStop, StreamerOverlay
from gql.refusals import show
from gql.staff.types import uuid_of

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class OverlayMutation:
    """What streamers do with their overlays."""

    @field(
        Right.SIGNED_IN,
        "Have one more overlay, with a token of its own that is shown this once.",
        graphql_type=answers.AddOverlayResult,
    )
    async def add_overlay(self, info: Info, wanted: Annotated[inputs.AddOverlayInput, Wanted]) -> object:
        """Have one more overlay."""
        context = info.context
        made = await actions.add_overlay(context.ports.overlay, context.caller, wanted.parsed())
        return await _with_token(context, made)

    @field(
        Right.SIGNED_IN,
        "Let an overlay look another way: give all of its settings anew. Its page shows it at once.",
        graphql_type=answers.ChangeOverlayResult,
    )
    async def change_overlay(self, info: Info, wanted: Annotated[inputs.ChangeOverlayInput, Wanted]) -> object:
        """Let an overlay look another way."""
        context, id_ = info.context, _overlay_id(wanted.overlay_id)
        made = await actions.change_overlay(context.ports.overlay, context.caller, id_, wanted.parsed())
        return await _overlay(context, made)

    @field(
        Right.SIGNED_IN,
        "Give an overlay another token. Pages that have the former one are closed within two seconds.",
        graphql_type=answers.RotateOverlayTokenResult,
    )
    async def rotate_overlay_token(
        self, info: Info, wanted: Annotated[inputs.RotateOverlayTokenInput, Wanted]
    ) -> object:
        """Give an overlay another token."""
        context, id_ = info.context, _overlay_id(wanted.overlay_id)
        return await _with_token(context, await actions.rotate_token(context.ports.overlay, context.caller, id_))

    @field(
        Right.SIGNED_IN,
        "End an overlay for good. Its pages are closed within two seconds.",
        graphql_type=answers.RevokeOverlayResult,
    )
    async def revoke_overlay(self, info: Info, wanted: Annotated[inputs.RevokeOverlayInput, Wanted]) -> object:
        """End an overlay."""
        context, id_ = info.context, _overlay_id(wanted.overlay_id)
        made = await actions.revoke_overlay(context.ports.overlay, context.caller, id_)
        return show(made) if isinstance(made, Refusal) else answers.OverlayGone(id=wanted.overlay_id)

    @field(
        Right.SIGNED_IN,
        "Raise something on an overlay of yours, to look at. No money moves, and the page says that it is a test.",
        graphql_type=answers.SendTestEventResult,
    )
    async def send_test_event(self, info: Info, wanted: Annotated[inputs.SendTestEventInput, Wanted]) -> object:
        """Raise something to look at."""
        context, id_ = info.context, _overlay_id(wanted.overlay_id)
        name, message = wanted.name.strip(), wanted.message.strip()
        made = await alerts.send_test(context.ports.overlay, context.caller, id_, wanted.kind, name, message)
        return await _overlay(context, made)

    @field(
        Right.SIGNED_IN,
        "Switch all of your overlays off at once, or on again. Open pages are closed within two seconds, and come back"
        " within half a minute when they may.",
        graphql_type=answers.SwitchOverlaysResult,
    )
    async def switch_overlays(self, info: Info, wanted: Annotated[inputs.SwitchOverlaysInput, Wanted]) -> object:
        """Switch the caller's overlays off or on."""
        context = info.context
        return _switches(await switches.switch_own(context.ports.overlay, context.caller, on=wanted.on))


@strawberry.type
class OverlayStaffMutation:
    """How staff switches overlays off."""

    @field(
        Right.STAFF,
        "Switch all overlays of a streamer off at once, or lift that again; the streamer's own switch stays as it is."
        " It takes a fresh code (`stepUp`), and nobody switches their own.",
        permission=Permission.MODERATE_CONTENT,
        graphql_type=answers.SwitchStreamerOverlaysResult,
    )
    async def switch_streamer_overlays(
        self, info: Info, wanted: Annotated[inputs.SwitchStreamerOverlaysInput, Wanted]
    ) -> object:
        """Switch a streamer's overlays off or on."""
        context, streamer = info.context, StreamerId(uuid_of(STREAMER, wanted.streamer_id))
        made = await switches.switch_as_staff(
            context.ports.overlay, context.caller, streamer, wanted.reason, on=wanted.on
        )
        return _switches(made)


def _overlay_id(id_: str) -> OverlayId:
    return OverlayId(uuid_of(OVERLAY, id_))


def _switches(made: Sequence[Stop] | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else answers.OverlaySwitches(stops=[*map(OverlayStop.of, made)])


async def _with_token(context: Context, made: OverlayWithToken | Refusal) -> object:
    if isinstance(made, Refusal):
        return show(made)
    overlay = await _read(context, made.overlay)
    return answers.OverlayWithToken(overlay=overlay, token=made.token, path=f"/overlay/{made.token}")


async def _overlay(context: Context, made: UUID | Refusal) -> object:
    return show(made) if isinstance(made, Refusal) else await _read(context, OverlayId(made))


async def _read(context: Context, id_: OverlayId) -> StreamerOverlay:
    """An overlay as it is by now."""
    context.renew()
    return StreamerOverlay(found=(await context.ports.overlay.overlays.overlays([id_]))[id_])
