"""Second factors as their person sees them, and what setting one up answers."""

import hashlib
from datetime import datetime
from typing import Self

import strawberry

from domain.identity import passkeys, second_factors, step_up
from domain.identity.ports import PasskeyView, SecondFactorsView
from gql.access import Right, field
from gql.context import Context
from gql.identity.enums import SecondFactor
from gql.node import global_id, key_of
from gql.weights import at_most

_PASSKEY = "Passkey"


@strawberry.type(description="A key in a device of yours, which lets you in by itself.")
class Passkey:
    """A passkey, as its person sees it."""

    id: strawberry.ID = field(Right.PARENT, "What `removePasskey` names it by.")
    name: str | None = field(Right.PARENT, "What you called it.")
    created_at: datetime = field(Right.PARENT, "When it was set up.")
    last_used_at: datetime | None = field(Right.PARENT, "When it was last used; null: never.")

    @classmethod
    def of(cls, found: PasskeyView) -> Self:
        """Show a passkey."""
        return cls(
            id=global_id(_PASSKEY, _key(found.credential)),
            name=found.name,
            created_at=found.created_at,
            last_used_at=found.last_used_at,
        )


@strawberry.type(description="What you set up to prove yourself with, beside your first means.")
class SecondFactors:
    """What a person set up, as they see it."""

    methods: list[SecondFactor] = field(
        Right.PARENT,
        "What may be asked for; empty while there is no second factor.",
        list_size=at_most(len(SecondFactor)),
    )
    totp_since: datetime | None = field(Right.PARENT, "Since when there is an authenticator app; null: there is none.")
    passkeys: list[Passkey] = field(Right.PARENT, "Your passkeys, oldest first; 20 at most.", list_size=at_most(20))
    recovery_codes_left: int = field(Right.PARENT, "How many recovery codes were not used yet.")

    @classmethod
    def of(cls, found: SecondFactorsView) -> Self:
        """Show what a person set up."""
        methods = {
            SecondFactor.TOTP: found.totp_since is not None,
            SecondFactor.PASSKEY: bool(found.passkeys),
            SecondFactor.RECOVERY_CODE: found.recovery_codes_left > 0,
        }
        return cls(
            methods=[method for method, is_there in methods.items() if is_there],
            totp_since=found.totp_since,
            passkeys=[Passkey.of(each) for each in found.passkeys],
            recovery_codes_left=found.recovery_codes_left,
        )


@strawberry.type(description="A secret for an authenticator app. It is shown once; `confirmTotp` puts it to use.")
class TotpOffered:
    """What the offer of an authenticator app answers."""

    secret: str = field(Right.PARENT, "The secret in base32, for who types it.")
    uri: str = field(Right.PARENT, "The same as a QR code says it.")

    @classmethod
    def of(cls, found: second_factors.TotpOffer) -> Self:
        """Show an offer, once."""
        return cls(secret=found.secret, uri=found.uri)


@strawberry.type(description="Recovery codes, each good once in place of a second factor. They are shown once.")
class RecoveryCodes:
    """New recovery codes."""

    codes: list[str] = field(
        Right.PARENT, "Ten codes, to be kept where no device is needed to read them.", list_size=at_most(10)
    )

    @classmethod
    def of(cls, found: second_factors.RecoveryCodes) -> Self:
        """Show the codes, once."""
        return cls(codes=list(found.codes))


@strawberry.type(description="The session may do weighty things for a while.")
class SteppedUp:
    """What a confirmation answers."""

    until: datetime = field(Right.PARENT, "Until when.")

    @classmethod
    def of(cls, found: step_up.SteppedUp) -> Self:
        """Show until when."""
        return cls(until=found.until)


@strawberry.type(description="A letter with a code is on its way to your address.")
class StepUpCodeOnItsWay:
    """What asking for a code answers."""

    expires_at: datetime = field(Right.PARENT, "Until when the code is good, once, for this session.")

    @classmethod
    def of(cls, found: step_up.CodeOnItsWay) -> Self:
        """Show until when the code is good."""
        return cls(expires_at=found.expires_at)


@strawberry.type(description="What a browser is to do with passkeys.")
class PasskeyOffered:
    """What the offer of a passkey answers."""

    token: str = field(Right.PARENT, "To be given back with the browser's answer. Good once, for five minutes.")
    options: str = field(
        Right.PARENT,
        "JSON for `PublicKeyCredential.parseCreationOptionsFromJSON`, for `offerPasskey`, or"
        " `parseRequestOptionsFromJSON`.",
    )

    @classmethod
    def of(cls, found: passkeys.PasskeyOffer) -> Self:
        """Show an offer."""
        return cls(token=found.token, options=found.options)


async def second_factors_of(context: Context) -> SecondFactors:
    """What the caller set up."""
    return SecondFactors.of(await context.loaders.second_factors_by_person.load(context.person))


async def second_factors_after(context: Context) -> SecondFactors:
    """What the caller has set up after a change, whatever was looked up before."""
    context.renew()
    return await second_factors_of(context)


async def credential_of(context: Context, passkey: str) -> bytes:
    """The credential of a passkey of the caller's; of none, if it is not theirs. Raises `BadInputError`."""
    key = key_of(_PASSKEY, passkey)
    found = await context.loaders.second_factors_by_person.load(context.person)
    return next((each.credential for each in found.passkeys if _key(each.credential) == key), b"")


def _key(credential: bytes) -> str:
    """A credential's name: those that browsers make may be longer than our ids."""
    return hashlib.sha256(credential).hexdigest()
