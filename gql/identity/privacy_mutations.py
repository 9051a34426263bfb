"""Agreeing, taking back, asking for a copy of what is one's own, and going for good."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.identity import consents, privacy_refusals, refusals
from domain.identity.erasure import erase_me, keep_me
from domain.identity.exports import export_me
from domain.identity.privacy import LONGEST_VERSION, ConsentPurpose
from domain.identity.retained import look_up_retained
from domain.ids import PersonId
from domain.refusal import Refusal
from domain.rights import Permission
from gql.access import Right, field
from gql.context import Info
from gql.errors import BadInputError
from gql.identity.inputs import Confirmation, confirmed
from gql.identity.privacy import AccountKept, Consent, Erasure, PersonalExport, RetainedRecord
from gql.refusals import result, show

Wanted = strawberry.argument(name="input", description="What is wanted.")

_UNSURE = (refusals.NotWhileImpersonating, refusals.UnknownPerson)

GiveConsentResult = result(
    "GiveConsentResult",
    Consent,
    privacy_refusals.DocumentChanged,
    *_UNSURE,
    description="What you agree to now, or why that was not possible.",
)
WithdrawConsentResult = result(
    "WithdrawConsentResult",
    Consent,
    privacy_refusals.ConsentLasts,
    *_UNSURE,
    description="What you do not agree to any more, or why that is not possible.",
)
ExportResult = result(
    "ExportMyDataResult",
    PersonalExport,
    privacy_refusals.MailRequired,
    privacy_refusals.ExportOpen,
    refusals.TooManyTries,
    *_UNSURE,
    description="The export that is being made, or why there is none.",
)
EraseMeResult = result(
    "EraseMeResult",
    Erasure,
    refusals.FreshSignInRequired,
    refusals.IsStaff,
    privacy_refusals.WalletNotEmpty,
    privacy_refusals.TopUpOpen,
    privacy_refusals.EarningsOpen,
    privacy_refusals.DebtOpen,
    privacy_refusals.SoleOwner,
    *_UNSURE,
    description="What will become of your account, or what stands against it.",
)
KeepMeResult = result(
    "KeepMeResult",
    AccountKept,
    privacy_refusals.NoErasure,
    *_UNSURE,
    description="Your account stays, or there was nothing to call off.",
)


LookUpRetainedResult = result(
    "LookUpRetainedResult",
    RetainedRecord,
    refusals.UnknownPerson,
    refusals.ReasonRequired,
    refusals.StepUpRequired,
    description="Who an erased person was, or why that is not told.",
)


@strawberry.input(description="What to agree to.")
class GiveConsentInput:
    """What to agree to."""

    purpose: ConsentPurpose = strawberry.field(description="What it is about.")
    version: str = strawberry.field(description="The version of the document that was shown: the one in force.")


@strawberry.input(description="What to take back.")
class WithdrawConsentInput:
    """What to take back."""

    purpose: ConsentPurpose = strawberry.field(description="What it is about.")


@strawberry.input(name="ExportMyDataInput", description="That a copy is wanted.")
class ExportWish(Confirmation):
    """That a copy is wanted."""


@strawberry.input(description="That everything is to go.")
class EraseMeInput:
    """That everything is to go."""

    confirm: bool = strawberry.field(description="Always true: you know that it cannot be undone once it has begun.")


@strawberry.input(description="That the account is to stay.")
class KeepMeInput(Confirmation):
    """That the account is to stay."""


@strawberry.input(description="Whom law asks about, and why.")
class LookUpRetainedInput:
    """Whom law asks about, and why."""

    person: UUID = strawberry.field(description="The id by which the ledger and the audit log know the person.")
    reason: str = strawberry.field(description="Who asks, and by what right. 1 to 500 characters.")


@strawberry.type
class PrivacyMutation:
    """What people may do about what is theirs."""

    @field(
        Right.SIGNED_IN,
        "Agree to a document in the version in force. Agreeing again changes nothing.",
        graphql_type=GiveConsentResult,
    )
    async def give_consent(self, info: Info, wanted: Annotated[GiveConsentInput, Wanted]) -> object:
        """Agree to a document."""
        ports = info.context.ports.privacy
        if len(wanted.version) > LONGEST_VERSION:
            raise BadInputError(f"`version` has at most {LONGEST_VERSION} characters.")
        made = await consents.give_consent(ports, info.context.caller, wanted.purpose, wanted.version)
        return show(made) if isinstance(made, Refusal) else Consent.of(made, ports.policy.documents[made.purpose])

    @field(
        Right.SIGNED_IN,
        "Take back what you agreed to. It holds from now on; what was done before stays lawful.",
        graphql_type=WithdrawConsentResult,
    )
    async def withdraw_consent(self, info: Info, wanted: Annotated[WithdrawConsentInput, Wanted]) -> object:
        """Take back what was agreed to."""
        ports = info.context.ports.privacy
        made = await consents.withdraw_consent(ports, info.context.caller, wanted.purpose)
        return show(made) if isinstance(made, Refusal) else Consent.of(made, ports.policy.documents[made.purpose])

    @field(
        Right.SIGNED_IN,
        "Ask for a copy of everything that is yours. A letter to your address brings a link that is good once, for a"
        " day.",
        name="exportMyData",
        graphql_type=ExportResult,
    )
    async def export(self, info: Info, wanted: Annotated[ExportWish, Wanted]) -> object:
        """Ask for a copy of everything that is the caller's."""
        confirmed(wanted.confirm)
        made = await export_me(info.context.ports.privacy, info.context.caller)
        return show(made) if isinstance(made, Refusal) else PersonalExport.of(made)

    @field(
        Right.SIGNED_IN,
        "Have your account and everything personal in it erased, after some days in which `keepMe` calls it off. It"
        " takes a sign-in of the last quarter of an hour, or a fresh code. Asking again answers the same.",
        graphql_type=EraseMeResult,
    )
    async def erase_me(self, info: Info, wanted: Annotated[EraseMeInput, Wanted]) -> object:
        """Have the caller erased."""
        confirmed(wanted.confirm)
        made = await erase_me(info.context.ports.privacy, info.context.caller)
        return show(made) if isinstance(made, Refusal) else Erasure.of(made)

    @field(Right.SIGNED_IN, "Call the erasure of your account off.", graphql_type=KeepMeResult)
    async def keep_me(self, info: Info, wanted: Annotated[KeepMeInput, Wanted]) -> object:
        """Call the caller's erasure off."""
        confirmed(wanted.confirm)
        ports = info.context.ports.privacy
        made = await keep_me(ports, info.context.caller)
        return show(made) if isinstance(made, Refusal) else AccountKept(at=ports.clock())

    @field(
        Right.STAFF,
        "Look up what law makes us keep of who an erased person was. It takes a fresh code, and is written down.",
        permission=Permission.ACCESS_AUDIT,
        graphql_type=LookUpRetainedResult,
    )
    async def look_up_retained(self, info: Info, wanted: Annotated[LookUpRetainedInput, Wanted]) -> object:
        """Look up who an erased person was."""
        ports = info.context.ports.privacy
        made = await look_up_retained(ports, info.context.caller, PersonId(wanted.person), wanted.reason)
        return show(made) if isinstance(made, Refusal) else RetainedRecord.of(made)
