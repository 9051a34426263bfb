"""Signing up, in and out, and what one does about passwords and addresses."""

from typing import Annotated

import strawberry

from domain.identity import accounts, passwords, resets, sessions
from domain.identity.model import Portal
from domain.identity.refusals import SessionEnded
from domain.identity.sign_in import SecondFactorNeeded
from domain.refusal import Refusal
from gql.access import Right, field
from gql.context import Context, Info
from gql.errors import BadInputError
from gql.identity import answers, inputs, types
from gql.identity.enums import TokenTransport
from gql.identity.inputs import short, token_entered
from gql.identity.queries import session_id
from gql.node import key_of
from gql.refusals import show

Wanted = strawberry.argument(name="input", description="What is wanted.")


@strawberry.type
class AccountMutation:
    """Accounts with an address and a password."""

    @field(
        Right.PUBLIC,
        "Ask for an account. A mail brings the link that makes it; where there is an account already, the mail says so."
        " The answer is the same.",
        graphql_type=answers.SignUpResult,
    )
    async def sign_up(self, info: Info, wanted: Annotated[inputs.SignUpInput, Wanted]) -> object:
        """Ask for an account."""
        context, mail = info.context, short("mail", wanted.mail)
        name, password = short("name", wanted.name), short("password", wanted.password)
        made = await accounts.sign_up(context.identity, mail, password, name, wanted.locale, context.origin)
        return _mailed(made, mail)

    @field(
        Right.PUBLIC,
        "Make the account that a link confirms, and sign in. It takes the password that was chosen at the sign-up; a"
        " link stands five tries.",
        graphql_type=answers.ConfirmSignUpResult,
    )
    async def confirm_sign_up(self, info: Info, wanted: Annotated[inputs.ConfirmSignUpInput, Wanted]) -> object:
        """Make the account that a link confirms."""
        context = opened(info, wanted.transport, wanted.portal)
        token, password = token_entered(wanted.token), short("password", wanted.password)
        made = await accounts.confirm_sign_up(context.identity, token, password, wanted.portal, context.origin)
        return signed_in(made, wanted.transport, context)

    @field(
        Right.PUBLIC,
        "Sign in. A wrong password and an unknown address answer the same.",
        graphql_type=answers.SignInResult,
    )
    async def sign_in(self, info: Info, wanted: Annotated[inputs.SignInInput, Wanted]) -> object:
        """Sign in."""
        context, mail = opened(info, wanted.transport, wanted.portal), short("mail", wanted.mail)
        made = await passwords.sign_in_with_password(
            context.identity, mail, short("password", wanted.password), wanted.portal, context.origin
        )
        return signed_in(made, wanted.transport, context)

    @field(
        Right.PUBLIC,
        "Ask for a link to a new password. The answer is the same for every address.",
        graphql_type=answers.RequestPasswordResetResult,
    )
    async def request_password_reset(
        self, info: Info, wanted: Annotated[inputs.RequestPasswordResetInput, Wanted]
    ) -> object:
        """Ask for a link to a new password."""
        context, mail = info.context, short("mail", wanted.mail)
        made = await resets.request_password_reset(context.identity, mail, wanted.locale, context.origin)
        return _mailed(made, mail)

    @field(
        Right.PUBLIC,
        "Choose a new password by a link, end every session, and sign in.",
        graphql_type=answers.ResetPasswordResult,
    )
    async def reset_password(self, info: Info, wanted: Annotated[inputs.ResetPasswordInput, Wanted]) -> object:
        """Choose a new password by a link."""
        context, token = opened(info, wanted.transport, wanted.portal), token_entered(wanted.token)
        password = short("newPassword", wanted.new_password)
        made = await resets.reset_password(context.identity, token, password, wanted.portal, context.origin)
        return signed_in(made, wanted.transport, context)

    @field(
        Right.SIGNED_IN,
        "Change your password and end all your other sessions.",
        graphql_type=answers.ChangePasswordResult,
    )
    async def change_password(self, info: Info, wanted: Annotated[inputs.ChangePasswordInput, Wanted]) -> object:
        """Change the caller's password."""
        context = info.context
        old, new = short("oldPassword", wanted.old_password), short("newPassword", wanted.new_password)
        made = await passwords.change_password(context.identity, context.caller, old, new)
        return show(made) if isinstance(made, Refusal) else types.PasswordChanged(ended_sessions=made.ended)

    @field(
        Right.SIGNED_IN,
        "Name an address as yours: a link that goes there proves it, followed in the session that asked. Another one"
        " than before takes a fresh code; where none was confirmed, a sign-in of the last quarter of an hour.",
        graphql_type=answers.RequestMailChangeResult,
    )
    async def request_mail_change(self, info: Info, wanted: Annotated[inputs.RequestMailChangeInput, Wanted]) -> object:
        """Name an address as the caller's."""
        context, mail = info.context, short("mail", wanted.mail)
        return _mailed(await accounts.request_mail_change(context.identity, context.caller, mail), mail)

    @field(
        Right.SIGNED_IN,
        "Confirm an address by the link that went there, in the session that asked for it.",
        graphql_type=answers.ConfirmMailResult,
    )
    async def confirm_mail(self, info: Info, wanted: Annotated[inputs.ConfirmMailInput, Wanted]) -> object:
        """Confirm an address."""
        context = info.context
        made = await accounts.confirm_mail(context.identity, context.caller, token_entered(wanted.token))
        return show(made) if isinstance(made, Refusal) else types.MailConfirmed(mail=made.mail)


@strawberry.type
class SessionMutation:
    """Sessions that go on and end."""

    @field(
        Right.PUBLIC,
        "Get a session's next tokens. A refresh token is good once; used again it ends the session, but for the first"
        " seconds, in which it answers the same tokens. What came in a cookie, of the portal whose page asks, is"
        " answered in cookies.",
        graphql_type=answers.RefreshSessionResult,
    )
    async def refresh_session(self, info: Info, wanted: Annotated[inputs.RefreshSessionInput, Wanted]) -> object:
        """Get a session's next tokens."""
        context = opened(info, wanted.transport)
        given = wanted.refresh_token or context.cookies.refresh
        # What a browser keeps from its scripts is not handed to them.
        transport = wanted.transport if wanted.refresh_token else TokenTransport.COOKIE
        if given is None:
            return show(SessionEnded())
        opened(info, transport)
        made = await sessions.refresh_session(context.identity, token_entered(given), context.origin)
        if isinstance(made, SessionEnded):
            context.cookies.forget()
        return signed_in(made, transport, context)

    @field(Right.PUBLIC, "Sign out: end the session that asks.", harmless=True, graphql_type=answers.SignOutResult)
    async def sign_out(self, info: Info, wanted: Annotated[inputs.SignOutInput, Wanted]) -> object:
        """End the session that asks."""
        context = info.context
        given, actor = wanted.refresh_token or context.cookies.refresh, context.actor
        context.cookies.forget()
        if actor is not None and actor.session is not None and wanted.refresh_token is None:
            return _ended(await sessions.end_session(context.identity, actor, actor.session))
        if given is None:
            return show(SessionEnded())
        await sessions.sign_out_by_token(context.identity, token_entered(given), context.origin)
        return types.SessionsEnded(ended=1)

    @field(Right.OWNER, "End a session of yours.", graphql_type=answers.EndSessionResult)
    async def end_session(self, info: Info, wanted: Annotated[inputs.EndSessionInput, Wanted]) -> object:
        """End a session of the caller's."""
        context, session = info.context, session_id(key_of(types.Session.kind, wanted.session_id))
        return _ended(await sessions.end_session(context.identity, context.caller, session))

    @field(
        Right.SIGNED_IN,
        "End all your sessions but the one that asks, or that one, too.",
        graphql_type=answers.EndOtherSessionsResult,
    )
    async def end_other_sessions(self, info: Info, wanted: Annotated[inputs.EndOtherSessionsInput, Wanted]) -> object:
        """End the caller's other sessions."""
        context = info.context
        actor = context.caller
        ended = await sessions.end_other_sessions(context.identity, actor)
        if isinstance(ended, Refusal):
            return show(ended)
        if wanted.this_too and actor.session is not None:
            ended += bool(await sessions.end_session(context.identity, actor, actor.session))
            context.cookies.forget()
        return types.SessionsEnded(ended=ended)


def opened(info: Info, transport: TokenTransport, portal: Portal | None = None) -> Context:
    """The context of a mutation that hands tokens over. Raises `BadInputError` for cookies where there are none.

    `portal` is that of the session, where it is known before.
    """
    cookies = info.context.cookies
    if transport is TokenTransport.COOKIE and not (cookies.takes(portal) if portal else cookies.taken):
        raise BadInputError(
            "Cookies come over HTTP alone, to pages of the session's own portal, and for a request with"
            " `X-Requested-With` or `GraphQL-Require-Preflight`."
        )
    return info.context


def signed_in(made: object, transport: TokenTransport, context: Context) -> object:
    """What a way of signing in came to, as clients see it."""
    if isinstance(made, sessions.SignedIn):
        return types.SignedIn.of(made, transport, context)
    if isinstance(made, SecondFactorNeeded):
        return types.SecondFactorNeeded.of(made)
    return show(made) if isinstance(made, Refusal) else made


def _mailed(made: accounts.MailOnItsWay | Refusal, mail: str) -> object:
    return show(made) if isinstance(made, Refusal) else types.MailOnItsWay(mail=mail)


def _ended(made: bool | Refusal) -> object:
    if isinstance(made, Refusal):
        return show(made)
    return types.SessionsEnded(ended=1) if made else show(SessionEnded())
