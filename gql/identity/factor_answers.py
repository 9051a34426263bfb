"""The unions that the mutations of second factors answer."""

from domain.identity import privacy_refusals, refusals
from gql.identity.factors import (
    PasskeyOffered,
    RecoveryCodes,
    SecondFactors,
    SteppedUp,
    StepUpCodeOnItsWay,
    TotpOffered,
)
from gql.identity.types import SignedIn
from gql.refusals import result

_MAY_NOT = (refusals.StepUpRequired, refusals.FreshSignInRequired, refusals.NotWhileImpersonating)

OfferTotpResult = result(
    "OfferTotpResult", TotpOffered, *_MAY_NOT, description="A secret for an authenticator app, or why there is none."
)
ConfirmTotpResult = result(
    "ConfirmTotpResult",
    RecoveryCodes,
    refusals.CodeRefused,
    refusals.TooManyTries,
    *_MAY_NOT,
    description="The app is in use, and these are the recovery codes; or why it is not.",
)
RemoveTotpResult = result(
    "RemoveTotpResult",
    SecondFactors,
    refusals.SecondFactorStays,
    *_MAY_NOT,
    description="What is left, or why the app stays.",
)
RenewRecoveryCodesResult = result(
    "RenewRecoveryCodesResult",
    RecoveryCodes,
    refusals.CodeRefused,
    *_MAY_NOT,
    description="New recovery codes, or why the old ones stay.",
)
AnswerSecondFactorResult = result(
    "AnswerSecondFactorResult",
    SignedIn,
    refusals.SignInRefused,
    refusals.PersonBanned,
    refusals.LinkRefused,
    refusals.TooManyTries,
    description="A session, or why there is none. After a code that is not right another may follow.",
)
StepUpResult = result(
    "StepUpResult",
    SteppedUp,
    refusals.CodeRefused,
    refusals.TooManyTries,
    refusals.NotWhileImpersonating,
    description="The session is confirmed, or why not.",
)
RequestStepUpCodeResult = result(
    "RequestStepUpCodeResult",
    StepUpCodeOnItsWay,
    refusals.SecondFactorRequired,
    privacy_refusals.MailRequired,
    refusals.TooManyTries,
    refusals.NotWhileImpersonating,
    description="A letter is on its way, or why not.",
)
OfferPasskeyResult = result(
    "OfferPasskeyResult",
    PasskeyOffered,
    refusals.PasskeyRefused,
    *_MAY_NOT,
    description="What the browser is to do, or why not.",
)
AddPasskeyResult = result(
    "AddPasskeyResult",
    SecondFactors,
    refusals.PasskeyRefused,
    *_MAY_NOT,
    description="What you have now, or why the passkey was not kept.",
)
RemovePasskeyResult = result(
    "RemovePasskeyResult",
    SecondFactors,
    refusals.PasskeyRefused,
    refusals.SecondFactorStays,
    *_MAY_NOT,
    description="What is left, or why the passkey stays.",
)
OfferPasskeySignInResult = result(
    "OfferPasskeySignInResult",
    PasskeyOffered,
    description="What the browser is to do. Nothing is refused here so far; a later answer may be a refusal.",
)
SignInWithPasskeyResult = result(
    "SignInWithPasskeyResult",
    SignedIn,
    refusals.PasskeyRefused,
    refusals.SignInRefused,
    refusals.PersonBanned,
    description="A session, or no. A passkey is both factors in one: nothing more is asked for.",
)
OfferPasskeyStepUpResult = result(
    "OfferPasskeyStepUpResult",
    PasskeyOffered,
    refusals.PasskeyRefused,
    refusals.NotWhileImpersonating,
    description="What the browser is to do, or why not.",
)
StepUpWithPasskeyResult = result(
    "StepUpWithPasskeyResult",
    SteppedUp,
    refusals.PasskeyRefused,
    refusals.NotWhileImpersonating,
    description="The session is confirmed, or why not.",
)
