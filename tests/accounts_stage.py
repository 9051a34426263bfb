"""Accounts on a real database with a real vault: everybody's letters in one bag, and every hashing counted."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher

from adapters.embedded.database import DatabaseAddresses
from adapters.identity import totp
from adapters.identity.opaque import KeyedTokens
from adapters.identity.passkeys import WebauthnPasskeys
from adapters.identity.passwords import Argon2Passwords
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.database import Database
from adapters.postgres.identity.reads import PostgresPeopleReads
from adapters.postgres.standings import PostgresStandings
from adapters.postgres.work import PostgresWork, Works
from domain.actor import Actor, Origin
from domain.identity.accounts import MailOnItsWay, confirm_sign_up, sign_up
from domain.identity.letters import send_letters
from domain.identity.mail import Letter, Letters, Occasion
from domain.identity.mail_requests import answer_mail_requests
from domain.identity.model import ACCESS_LIFETIME, Locale, Portal, Session
from domain.identity.one_time_codes import AuthenticatorApps
from domain.identity.pages import Pages
from domain.identity.passwords import sign_in_with_password
from domain.identity.ports import AccessToken, AccessTokens
from domain.identity.provider import IdentityProvider, Provider, SignedProofs
from domain.identity.refusals import LinkRefused, TooManyTries
from domain.identity.secrets import Passkeys, Verdict
from domain.identity.sessions import SignedIn
from domain.identity.sign_in import SignInAnswer
from domain.quotas import Quotas
from domain.vault import PLATFORM, Vault
from domain.work import Swept
from tests.adapters.midtrans_sandbox import TurnedClock
from tests.fake_quotas import FakeQuotas
from tests.fake_vault import FakeVault

PASSWORD = "a horse that eats batteries"
ENGLISH = Locale.ENGLISH


def origin(address: str = "203.0.113.7") -> Origin:
    return Origin(address, "request-1", "a browser")


class CountedPasswords:
    """The real ones, with every call counted."""

    def __init__(self, real: Argon2Passwords) -> None:
        self.real, self.calls = real, Counter[str]()

    async def hash(self, text: str) -> str:
        self.calls["hash"] += 1
        return await self.real.hash(text)

    async def verify(self, text: str, kept: str | None) -> Verdict:
        self.calls["verify"] += 1
        return await self.real.verify(text, kept)

    def is_common(self, text: str) -> bool:
        return self.real.is_common(text)


@dataclass
class Bag:
    """Every letter that was handed over; `trouble` is raised instead, and `after` once it lies in the bag."""

    letters: list[Letter] = field(default_factory=list)
    trouble: Exception | None = None
    after: BaseException | None = None

    async def send(self, letter: Letter) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.letters.append(letter)
        if self.after is not None:
            raise self.after


class PlainWords:
    """Letters that say their occasion and its link or code, and nothing else."""

    def word(self, occasion: Occasion, to: str, locale: Locale, letter: UUID) -> Letter:
        text = getattr(occasion, "link", "") or getattr(occasion, "code", "")
        return Letter(to, type(occasion).__name__, text, id=letter)


class NamedAccess:
    """Access tokens that are the session's id."""

    def issue(self, session: Session, now: datetime) -> AccessToken:
        return AccessToken(str(session.id), now + ACCESS_LIFETIME)


@dataclass
class AccountsStage:
    """`domain.identity.ports.IdentityPorts`, with the means to look behind it."""

    database: Database
    works: Works
    vault: Vault
    people: PostgresPeopleReads
    standings: PostgresStandings
    passwords: CountedPasswords
    clock: TurnedClock
    quotas: Quotas
    mailer: Bag = field(default_factory=Bag)
    wording: Letters = field(default_factory=PlainWords)
    pages: Pages = field(default_factory=lambda: Pages("https://portal.example"))
    access_tokens: AccessTokens = field(default_factory=NamedAccess)
    opaque_tokens: KeyedTokens = field(default_factory=lambda: KeyedTokens(bytes(32)))
    authenticator_apps: AuthenticatorApps = totp
    providers: Mapping[Provider, IdentityProvider] = field(default_factory=dict)
    signed_proofs: SignedProofs | None = None
    passkeys: Passkeys = field(
        default_factory=lambda: WebauthnPasskeys("portal.example", ["https://portal.example"], "Portal")
    )

    def work(self) -> AbstractAsyncContextManager[PostgresWork]:
        return self.works()

    @property
    def subjects(self) -> list[str]:
        """What the letters are about, first to last."""
        return [letter.subject for letter in self.mailer.letters]

    def token(self, subject: str) -> str:
        """The token in the newest letter about something."""
        letter = next(each for each in reversed(self.mailer.letters) if each.subject == subject)
        return letter.text.partition("#")[2]

    async def post(self) -> Swept:
        """Let both jobs run, as the schedule does."""
        await answer_mail_requests(self, self.clock())
        return await send_letters(self, self.clock())

    async def ask(self, mail: str, password: str = PASSWORD, name: str = "Ani") -> None:
        """Sign up, as far as the letter."""
        found = await sign_up(self, mail, password, name, ENGLISH, origin())
        assert found == MailOnItsWay(), found
        await self.post()

    async def confirm(
        self, password: str = PASSWORD, token: str = "", address: str = "203.0.113.7"
    ) -> SignInAnswer | LinkRefused | TooManyTries:
        """Follow the link of the newest letter, or another one."""
        link = token or self.token("ConfirmSignUp")
        return await confirm_sign_up(self, link, password, Portal.PLAYER, origin(address))

    async def member(self, mail: str = "ani@mail.example", password: str = PASSWORD) -> Actor:
        """Somebody who signed up and is signed in."""
        await self.ask(mail, password)
        found = await self.confirm(password)
        assert isinstance(found, SignedIn), found
        return self.actor(found)

    def actor(self, signed_in: SignedIn) -> Actor:
        session = signed_in.session
        return Actor(session.person, session.id, authenticated_at=session.authenticated_at, origin=origin())

    async def sign_in(
        self, mail: str = "ani@mail.example", password: str = PASSWORD, address: str = "203.0.113.7"
    ) -> SignInAnswer | TooManyTries:
        return await sign_in_with_password(self, mail, password, Portal.PLAYER, origin(address))

    def turn(self, **by: float) -> None:
        self.clock.turn(timedelta(**by))

    async def value(self, query: str, *values: object) -> object:
        """What PostgreSQL answers to a question about one value."""
        found: object = await self.database.pool.fetchval(query, *values)
        return found

    async def count(self, table: str, condition: str = "true") -> int:
        found = await self.value(f"select count(*) from {table} where {condition}")
        assert isinstance(found, int)
        return found

    async def deeds(self) -> list[str]:
        """What the audit log says was done, oldest first."""
        return [
            found["action"] for found in await self.database.pool.fetch("select action from deed order by position")
        ]

    async def living(self, actor: Actor) -> int:
        """How many sessions somebody has that live."""
        return len((await self.people.sessions_of([actor.person]))[actor.person])


@asynccontextmanager
async def staged_accounts(
    addresses: DatabaseAddresses, *, vault: Vault | None = None, quotas: Quotas | None = None, costly: bool = False
) -> AsyncIterator[AccountsStage]:
    """A stage on a database. Passwords cost next to nothing, unless they are to be as `costly` as in life."""
    clock = TurnedClock()
    clock.now = datetime.now(UTC)
    safe = vault or FakeVault()
    await safe.create_key(PLATFORM)
    async with Database(addresses.app_url) as database:
        with Argon2Passwords() as passwords:
            if not costly:
                passwords._argon2 = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
            yield AccountsStage(
                database,
                Works(database, AccountIndex(), clock, vault=safe),
                safe,
                PostgresPeopleReads(database, safe),
                PostgresStandings(database, clock),
                CountedPasswords(passwords),
                clock,
                quotas or FakeQuotas(clock),
            )
