"""What people see of their privacy: what they agreed to, their export, and what becomes of them."""

from datetime import datetime
from typing import Self

import strawberry

from domain.identity import privacy
from domain.identity.erasure import ErasureOutlook, erasure_outlook
from domain.identity.privacy import ConsentPurpose, ExportState, Obstacle, RetentionReason
from domain.identity.retained import Retained
from gql.access import Right, field
from gql.context import Context
from gql.enums import describe
from gql.paging import Connection, cursor_of, number_of, page_size
from gql.scalars import Cursor
from gql.weights import at_most

_HISTORY = "consents"

describe(
    ConsentPurpose,
    "ConsentPurpose",
    "What you may agree to.",
    {
        ConsentPurpose.TERMS: "The terms of use. An account rests on them.",
        ConsentPurpose.PRIVACY_NOTICE: "What we say about personal data. An account rests on it.",
        ConsentPurpose.MARKETING_MAIL: "Mail that advertises.",
        ConsentPurpose.PROFILING: "That we work out what may interest you from what you do.",
    },
)

describe(
    ExportState,
    "PersonalExportState",
    "Where an export stands.",
    {
        ExportState.REQUESTED: "It is being made; a letter will bring the link.",
        ExportState.READY: "It can be fetched by the link in the letter, once.",
        ExportState.FETCHED: "It was fetched.",
        ExportState.EXPIRED: "It was not fetched in time.",
        ExportState.FAILED: "It could not be made: ask again.",
    },
)

describe(
    RetentionReason,
    "RetentionReason",
    "Which law keeps something of you.",
    {
        RetentionReason.TAX: "Tax law: who took part in what was paid.",
        RetentionReason.MONEY_LAUNDERING: "The law against money laundering: whose money it was.",
    },
)

describe(
    Obstacle,
    "ErasureObstacle",
    "What an erasure waits for.",
    {
        Obstacle.WALLET_NOT_EMPTY: "There is money in a wallet of yours: spend it or have it paid out.",
        Obstacle.TOP_UP_OPEN: "A top-up of yours is not finished.",
        Obstacle.EARNINGS_OPEN: "Minutes that you streamed may still be paid.",
        Obstacle.DEBT_OPEN: "You owe us something: a top-up settles it.",
        Obstacle.SOLE_OWNER: "A brand has no other owner than you.",
    },
)


@strawberry.type(description="Whether you agree to something, and since when.")
class Consent:
    """A person's last word on a purpose, or one in their history."""

    purpose: ConsentPurpose = field(Right.PARENT, "What it is about.")
    given: bool = field(Right.PARENT, "Whether you agree.")
    version: str | None = field(Right.PARENT, "The version of the document; null if you never said anything.")
    version_in_force: str = field(Right.PARENT, "The version that is in force now: the one to agree to.")
    at: datetime | None = field(Right.PARENT, "When you said so; null if you never did.")

    @classmethod
    def of(cls, found: privacy.Consent, in_force: str) -> Self:
        """Show a word that was said."""
        return cls(
            purpose=found.purpose, given=found.given, version=found.version, version_in_force=in_force, at=found.at
        )


@strawberry.type(description="A copy of everything that is yours, as JSON and as CSV in a zip.")
class PersonalExport:
    """An export, as its person sees it; the link is in the letter alone."""

    state: ExportState = field(Right.PARENT, "Where it stands.")
    asked_at: datetime = field(Right.PARENT, "When you asked for it.")
    ready_at: datetime | None = field(Right.PARENT, "Since when it can be fetched.")
    expires_at: datetime | None = field(Right.PARENT, "Until when it can be fetched.")

    @classmethod
    def of(cls, found: privacy.Export) -> Self:
        """Show an export."""
        return cls(state=found.state, asked_at=found.asked_at, ready_at=found.ready_at, expires_at=found.expires_at)


@strawberry.type(description="Your account is going to be erased. `keepMe` calls it off.")
class Erasure:
    """What will become of a person who wishes to be erased."""

    at: datetime = field(Right.PARENT, "When everything goes but what law keeps; later while `obstacles` stand.")
    retained_until: datetime | None = field(
        Right.PARENT,
        "When your name and address go, too, which law makes us keep until then, readable for that alone; null where"
        " they go with all the rest.",
    )
    reasons: list[RetentionReason] = field(
        Right.PARENT, "Which laws those are.", list_size=at_most(len(RetentionReason))
    )
    obstacles: list[Obstacle] = field(
        Right.PARENT, "What it waits for; nothing as a rule.", list_size=at_most(len(Obstacle))
    )

    @classmethod
    def of(cls, found: ErasureOutlook) -> Self:
        """Show what is to become of a person."""
        return cls(
            at=found.at,
            retained_until=found.retained_until,
            reasons=list(found.reasons),
            obstacles=list(found.obstacles),
        )


@strawberry.type(description="Your account stays.")
class AccountKept:
    """What calling an erasure off answers."""

    at: datetime = field(Right.PARENT, "When the erasure was called off.")


@strawberry.type(description="Who an erased person was, as far as law makes us keep it.")
class RetainedRecord:
    """What staff is told of who is gone."""

    name: str | None = field(Right.PARENT, "What they were called.")
    mail: str | None = field(Right.PARENT, "Where they were written to.")
    since: datetime = field(Right.PARENT, "When they had come.")
    until: datetime = field(Right.PARENT, "When this goes, too.")
    reasons: list[RetentionReason] = field(Right.PARENT, "Which laws keep it.", list_size=at_most(len(RetentionReason)))

    @classmethod
    def of(cls, found: Retained) -> Self:
        """Show who somebody was."""
        return cls(name=found.name, mail=found.mail, since=found.since, until=found.until, reasons=list(found.reasons))


async def consents_of(context: Context) -> list[Consent]:
    """The caller's last word on every purpose, in their order."""
    documents, reads = context.ports.privacy.policy.documents, context.ports.privacy.reads
    words = await context.loaders.once("consents", lambda: reads.consents_of(context.caller.people))
    said = {found.purpose: found for found in words}
    return [
        Consent.of(said[purpose], documents[purpose])
        if purpose in said
        else Consent(purpose=purpose, given=False, version=None, version_in_force=documents[purpose], at=None)
        for purpose in ConsentPurpose
    ]


async def consent_history_of(context: Context, first: int, after: Cursor | None) -> Connection[Consent]:
    """A page of everything that the caller ever agreed to or took back, newest first."""
    size, documents = page_size(first), context.ports.privacy.policy.documents
    place = None if after is None else number_of(_HISTORY, after)
    reads, people = context.ports.privacy.reads, context.caller.people
    found = await context.loaders.once(
        "consent history", lambda: reads.consent_history(people, place, size + 1), place, size
    )

    def edge(said: privacy.Consent) -> tuple[Cursor, Consent]:
        return cursor_of(_HISTORY, said.position), Consent.of(said, documents[said.purpose])

    return Connection.of(found, size, after, edge)


async def personal_export_of(context: Context) -> PersonalExport | None:
    """The caller's newest export."""
    found = await context.loaders.once("export", lambda: context.ports.privacy.reads.export_of(context.person))
    return None if found is None else PersonalExport.of(found)


async def erasure_of(context: Context) -> Erasure | None:
    """What is to become of the caller, if they wished to be erased."""
    found = await context.loaders.once("erasure", lambda: erasure_outlook(context.ports.privacy, context.caller))
    return None if found is None else Erasure.of(found)
