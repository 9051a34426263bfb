"""Sessions and what signing in answers, as clients see them."""

from datetime import datetime
from typing import ClassVar, Self

import strawberry

from domain.identity import model, sessions, sign_in
from domain.identity.ports import SessionView
from domain.ids import PersonId, SessionId
from gql.access import Right, field
from gql.context import Context
from gql.identity.enums import TokenTransport
from gql.node import Node, global_id
from gql.weights import at_most

MOST_SESSIONS = 100


@strawberry.type(description="Where you are signed in: one sign-in on one device.")
class Session(Node):
    """A session, as its person sees it."""

    kind: ClassVar[str] = "Session"
    view: strawberry.Private[SessionView]
    present: strawberry.Private[SessionId | None]

    @property
    def key(self) -> SessionId:
        """The session's id."""
        return self.view.session.id

    @property
    def owner(self) -> str:
        """Whose it is."""
        return f"person:{self.view.session.person}"

    @field(Right.OWNER, "What the device calls itself; null where it did not say.")
    def device(self) -> str | None:
        """What the device calls itself."""
        return self.view.device

    @field(Right.OWNER, "The network address that it signed in from.")
    def place(self) -> str | None:
        """The network address that it signed in from."""
        return self.view.address

    @field(Right.OWNER, "Which site it belongs to.")
    def portal(self) -> model.Portal:
        """Which site it belongs to."""
        return self.view.session.portal

    @field(Right.OWNER, "When it began.")
    def created_at(self) -> datetime:
        """When it began."""
        return self.view.session.created_at

    @field(Right.OWNER, "When it was last used, to the minute or so.")
    def last_used_at(self) -> datetime:
        """When it was last used."""
        return self.view.session.last_used_at

    @field(Right.OWNER, "When it ends, used or not.")
    def expires_at(self) -> datetime:
        """When it ends."""
        return self.view.session.expires_at

    @field(Right.OWNER, "Whether it is the one that asks.")
    def current(self) -> bool:
        """Whether it is the one that asks."""
        return self.view.session.id == self.present

    @field(Right.OWNER, "Whether staff looks through your eyes in it.")
    def impersonated(self) -> bool:
        """Whether staff looks through the person's eyes in it."""
        return self.view.session.impersonator is not None


@strawberry.type(description="A person who signed in.")
class SignedInPerson:
    """Who signed in, by the id that `viewer` has."""

    person: strawberry.Private[PersonId]

    @field(Right.PARENT, "The global id that `viewer` has for them.")
    def viewer_id(self) -> strawberry.ID:
        """The id of their viewer."""
        return global_id("Viewer", self.person)


@strawberry.type(description="A session, and how to use it.")
class SignedIn:
    """What signing in answers. Tokens are null where they travel as cookies."""

    access_token: str | None = field(
        Right.PARENT, "Proves who is calling, for 15 minutes. Null where it came as a cookie."
    )
    expires_at: datetime = field(Right.PARENT, "When the access token ends: refresh the session before.")
    refresh_token: str | None = field(
        Right.PARENT,
        "Good once, for the next two tokens, within 7 days. Null where it came as a cookie, or there is none.",
    )
    session_id: strawberry.ID = field(Right.PARENT, "The global id of the session.")
    person: SignedInPerson = field(Right.PARENT, "Who signed in.")

    @classmethod
    def of(cls, found: sessions.SignedIn, transport: TokenTransport, context: Context) -> Self:
        """Hand a session's tokens over, as the client wants them."""
        by_cookie = transport is TokenTransport.COOKIE
        if by_cookie:
            context.cookies.keep(found, context.identity.clock())
        return cls(
            access_token=None if by_cookie else found.access.text,
            expires_at=found.access.expires_at,
            refresh_token=None if by_cookie else found.refresh,
            session_id=global_id(Session.kind, found.session.id),
            person=SignedInPerson(person=found.session.person),
        )


@strawberry.type(description="The first means was right. A second one is to follow, with the challenge.")
class SecondFactorNeeded:
    """What signing in answers to who has a second factor."""

    challenge: str = field(Right.PARENT, "To be given back with the second factor. Good once.")
    methods: list[model.SecondFactor] = field(
        Right.PARENT, "What may follow.", list_size=at_most(len(model.SecondFactor))
    )
    expires_at: datetime = field(Right.PARENT, "Until when.")

    @classmethod
    def of(cls, found: sign_in.SecondFactorNeeded) -> Self:
        """Show the question for a second factor."""
        return cls(challenge=found.challenge, methods=sorted(found.methods), expires_at=found.expires_at)


@strawberry.type(
    description="A mail is on its way, if the address is right and there is something to say. The same for all."
)
class MailOnItsWay:
    """What is answered to who asks for mail."""

    mail: str = field(Right.PARENT, "The address that was given.")


@strawberry.type(description="The address is the person's own now, and they sign in with it.")
class MailConfirmed:
    """What a confirmed address answers."""

    mail: str = field(Right.PARENT, "The address.")


@strawberry.type(description="The new password holds.")
class PasswordChanged:
    """What a changed password answers."""

    ended_sessions: int = field(Right.PARENT, "How many other sessions have ended.")


@strawberry.type(description="Sessions have ended; what they had open closes within seconds.")
class SessionsEnded:
    """What ending sessions answers."""

    ended: int = field(Right.PARENT, "How many have ended.")
