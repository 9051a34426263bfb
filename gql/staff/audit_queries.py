"""Reading and verifying the audit log. Whoever reads it is written down in it."""

from typing import Annotated

import strawberry

from domain.audit_log import DeedFilter, KeptDeed
from domain.identity.watching import read_audit_log
from domain.ids import PersonId
from domain.rights import Permission
from gql.access import Right, field
from gql.context import Info
from gql.errors import BadInputError
from gql.identity.inputs import short
from gql.paging import LARGEST_PAGE, PAGE, USUAL_PAGE, After, Connection, First, cursor_of, number_of, page_size
from gql.scalars import Cursor
from gql.staff.audit import AUDIT_LOG, AuditLogVerification, Deed
from gql.staff.inputs import AuditFilter
from gql.staff.types import person_id
from gql.weights import WHOLE_HISTORY


def _parsed(given: AuditFilter | None) -> DeedFilter:
    """The filter as the audit log knows it. Raises `BadInputError`."""
    if given is None:
        return DeedFilter()
    return DeedFilter(
        actor=_person(given.actor_id),
        impersonator=_person(given.impersonator_id),
        about=_person(given.about_id),
        target=_plain("target", given.target),
        action=_plain("action", given.action),
        since=given.since,
        until=given.until,
    )


def _person(id_: str | None) -> PersonId | None:
    return None if id_ is None else person_id(id_)


def _plain(name: str, text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise BadInputError(f"`{name}` has signs in it that no line has.")
    return text and short(name, text)


def _edge(found: KeptDeed) -> tuple[Cursor, Deed]:
    return cursor_of(AUDIT_LOG, found.position), Deed(kept=found)


@strawberry.type
class AuditQuery:
    """The audit log's fields of the root."""

    @field(
        Right.STAFF,
        "The audit log, newest first. That somebody read it, and what they asked for, stands in it afterwards.",
        permission=Permission.ACCESS_AUDIT,
        list_size=PAGE,
    )
    async def audit_log(
        self,
        info: Info,
        first: First = USUAL_PAGE,
        after: After = None,
        only: Annotated[
            AuditFilter | None,
            strawberry.argument(description="Which lines to show; all when left out.", name="filter"),
        ] = None,
    ) -> Connection[Deed]:
        """A page of the audit log."""
        context, size = info.context, page_size(first)
        place = None if after is None else number_of(AUDIT_LOG, after)
        found = await read_audit_log(
            context.identity, context.ports.audit_log, context.caller, _parsed(only), size + 1, place
        )
        return Connection.of(found, size, after, _edge)

    @field(
        Right.STAFF,
        "Hold the audit log against its sealed chain, between two of its lines, oldest first. It stops after so many"
        " links of the chain, of up to some thousand lines each, and says where to go on.",
        permission=Permission.ACCESS_AUDIT,
        cost=WHOLE_HISTORY,
    )
    async def verify_audit_log(
        self,
        info: Info,
        newest: Annotated[
            Cursor | None, strawberry.argument(description="The cursor of the newest line; the end when left out.")
        ] = None,
        oldest: Annotated[
            Cursor | None, strawberry.argument(description="The cursor of the oldest line; the beginning otherwise.")
        ] = None,
        first: Annotated[
            int, strawberry.argument(description=f"How many links to walk along, {LARGEST_PAGE} at most.")
        ] = USUAL_PAGE,
    ) -> AuditLogVerification:
        """Hold the audit log against its sealed chain."""
        start, end = (None if cursor is None else number_of(AUDIT_LOG, cursor) for cursor in (oldest, newest))
        return AuditLogVerification.of(await info.context.ports.audit_log.verify(start, end, page_size(first)))
