"""Sending files, in two steps around the sending itself."""

from typing import Annotated

import strawberry

from domain.asset import finishing, sending
from domain.refusal import Refusal
from gql.access import Right, field
from gql.asset import answers, inputs
from gql.asset.lookups import located
from gql.asset.types import Asset, asset_id
from gql.context import Info
from gql.refusals import show
from gql.weights import VENDOR

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class AssetMutation:
    """Files that are sent."""

    @field(
        Right.SIGNED_IN,
        "Say which file you are going to send. Send it where the answer says, then `finishUpload`. For a brand it takes"
        " a manager.",
        graphql_type=answers.StartUploadResult,
    )
    async def start_upload(self, info: Info, wanted: Annotated[inputs.StartUploadInput, Wanted]) -> object:
        """Begin an upload."""
        context = info.context
        made = await sending.start_upload(
            context.ports.asset, context.caller, wanted.purpose, wanted.brand, wanted.parsed()
        )
        if isinstance(made, Refusal):
            return show(made)
        asset, there = made
        fields = [answers.UploadField(name=name, value=value) for name, value in there.fields.items()]
        return answers.UploadStarted(asset=Asset.of(located(context.ports, asset)), url=there.url, fields=fields)

    @field(
        Right.SIGNED_IN,
        "Have the file checked that you sent: its length, hash and type, and pictures to the last pixel. Again, and the"
        " answer is the same.",
        cost=VENDOR,
        graphql_type=answers.FinishUploadResult,
    )
    async def finish_upload(self, info: Info, wanted: Annotated[inputs.FinishUploadInput, Wanted]) -> object:
        """Finish an upload."""
        context = info.context
        made = await finishing.finish_upload(context.ports.asset, context.caller, asset_id(wanted.asset_id))
        context.renew()
        return show(made) if isinstance(made, Refusal) else Asset.of(located(context.ports, made))
