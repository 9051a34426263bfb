"""What identity takes, for tests that are about something else: all of it real or near, and nothing leaves."""

from adapters.identity import totp
from adapters.identity.opaque import KeyedTokens
from adapters.identity.passkeys import WebauthnPasskeys
from adapters.identity.passwords import Argon2Passwords
from adapters.mail.letters import WrittenLetters
from adapters.wiring.identity import KnowingPeople
from domain.identity.mail import Letter
from domain.identity.model import Session
from domain.identity.pages import Pages
from domain.identity.ports import AccessToken
from tests.fake_vault import FakeVault


class NoMail:
    """A mailer that must not be asked."""

    async def send(self, letter: Letter) -> None:
        raise AssertionError(f"letter {letter.id} is not to be sent here")


class SessionNames:
    """Access tokens that are the session's id."""

    def issue(self, session: Session, now: object) -> AccessToken:
        return AccessToken(str(session.id), session.expires_at)


def knowing_nobody() -> KnowingPeople:
    """Knows nobody yet."""
    return KnowingPeople(
        vault=FakeVault(),
        access_tokens=SessionNames(),
        opaque_tokens=KeyedTokens(bytes(32)),
        passwords=Argon2Passwords(),
        wording=WrittenLetters(),
        mailer=NoMail(),
        pages=Pages("http://portal.example"),
        passkeys=WebauthnPasskeys("portal.example", ["https://portal.example"], "Portal"),
        providers={},
        signed_proofs=None,
        authenticator_apps=totp,
    )
