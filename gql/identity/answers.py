"""The unions that identity's mutations answer."""

from domain.identity import refusals, secrets
from gql.identity.types import (
    MailConfirmed,
    MailOnItsWay,
    PasswordChanged,
    SecondFactorNeeded,
    SessionsEnded,
    SignedIn,
)
from gql.refusals import result

_UNFIT = (
    secrets.PasswordTooShort, secrets.PasswordTooLong, secrets.PasswordTooCommon, secrets.PasswordIsAddress,
)  # fmt: skip
_SIGN_IN = (refusals.SignInRefused, refusals.PersonBanned)

SignUpResult = result(
    "SignUpResult",
    MailOnItsWay,
    refusals.NotAnAddress,
    refusals.NameRequired,
    *_UNFIT,
    refusals.TooManyTries,
    description="A mail is on its way, or what is wrong with the input. It never tells whether an address is known.",
)
ConfirmSignUpResult = result(
    "ConfirmSignUpResult",
    SignedIn,
    *_SIGN_IN,
    refusals.LinkRefused,
    refusals.TooManyTries,
    more=(SecondFactorNeeded,),
    description="The new person's session, or why there is none.",
)
SignInResult = result(
    "SignInResult",
    SignedIn,
    *_SIGN_IN,
    refusals.TooManyTries,
    more=(SecondFactorNeeded,),
    description="A session, a question for the second factor, or no.",
)
RequestPasswordResetResult = result(
    "RequestPasswordResetResult",
    MailOnItsWay,
    refusals.NotAnAddress,
    refusals.TooManyTries,
    description="A mail is on its way, the same for every address.",
)
ResetPasswordResult = result(
    "ResetPasswordResult",
    SignedIn,
    *_SIGN_IN,
    refusals.LinkRefused,
    *_UNFIT,
    more=(SecondFactorNeeded,),
    description="A session with the new password, a question for the second factor, or no.",
)
ChangePasswordResult = result(
    "ChangePasswordResult",
    PasswordChanged,
    refusals.SignInRefused,
    refusals.NotWhileImpersonating,
    refusals.TooManyTries,
    *_UNFIT,
    description="The new password holds, or why not.",
)
RequestMailChangeResult = result(
    "RequestMailChangeResult",
    MailOnItsWay,
    refusals.NotAnAddress,
    refusals.StepUpRequired,
    refusals.FreshSignInRequired,
    refusals.NotWhileImpersonating,
    refusals.TooManyTries,
    description="A mail is on its way, the same for every address, or why not.",
)
ConfirmMailResult = result(
    "ConfirmMailResult",
    MailConfirmed,
    refusals.LinkRefused,
    description="The address is the person's own now, or why not.",
)
RefreshSessionResult = result(
    "RefreshSessionResult",
    SignedIn,
    refusals.SessionEnded,
    description="The session's next tokens, or that it is over.",
)
SignOutResult = result(
    "SignOutResult", SessionsEnded, refusals.SessionEnded, description="The session has ended, now or before."
)
EndSessionResult = result(
    "EndSessionResult",
    SessionsEnded,
    refusals.SessionEnded,
    refusals.NotWhileImpersonating,
    description="The session has ended, or there is no such that lives.",
)
EndOtherSessionsResult = result(
    "EndOtherSessionsResult",
    SessionsEnded,
    refusals.NotWhileImpersonating,
    description="The sessions have ended, or why not.",
)
