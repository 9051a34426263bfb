"""The accounts of a development checkout: somebody of every kind, who signs in as people do."""

from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from adapters import demo
from adapters.config import Settings
from adapters.embedded.database import DatabaseAddresses
from adapters.wiring import Adapters, connect
from domain.actor import Actor, Origin
from domain.identity.model import Portal, SecondFactor
from domain.identity.passwords import sign_in_with_password
from domain.identity.second_factors import answer_second_factor
from domain.identity.sessions import SignedIn, actor_of
from domain.identity.sign_in import SecondFactorNeeded
from domain.ledger.chart import Purpose
from domain.rights import USUAL_PERMISSIONS, BrandRole, StaffRole
from tests.adapters.midtrans_sandbox import KEY
from tests.identity_settings import IN_SMALL
from tests.servers import Valkey

HERE = Origin("127.0.0.1", "request-1", "a browser")
ROWS = "select (select count(*) from person), (select count(*) from membership), (select count(*) from deed)"


@pytest.fixture
def settings(database: DatabaseAddresses, valkey: Valkey, tmp_path: Path) -> Settings:
    file = tmp_path / "token-key.pem"
    file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    given = {
        "environment": "development", "database_url": database.app_url, "redis_url": valkey.url, "seal_key": "5e" * 32,
        "token_key_file": file, "midtrans_server_key": KEY, "public_url": "http://localhost:8000",
    }  # fmt: skip
    return Settings.model_validate({**IN_SMALL, **given})


async def signed_in(ports: Adapters, settings: Settings, name: str) -> Actor:
    """Somebody as the server knows them once they came in by the portal that is theirs."""
    key, account = settings.identity_key_bytes, demo.ACCOUNTS[name]
    portal = Portal.ADMIN if account.staff else Portal.PLAYER
    mail, password = demo.mail_of(name), demo.demo_password(key)
    found: object = await sign_in_with_password(ports.identity, mail, password, portal, HERE)
    if account.staff:
        assert isinstance(found, SecondFactorNeeded), found
        assert found.methods == {SecondFactor.TOTP}
        code = demo.demo_totp(key).at(ports.clock())
        found = await answer_second_factor(ports.identity, found.challenge, code, HERE)
    assert isinstance(found, SignedIn), found
    return await actor_of(ports, found.session.id, HERE)


async def test_everybody_signs_in_and_may_do_what_is_theirs(settings: Settings) -> None:
    await demo.load(settings)
    async with connect(settings) as ports:
        actors = {name: await signed_in(ports, settings, name) for name in demo.ACCOUNTS}
        wallets = await ports.books.accounts_of([actors["demo"].owner], [Purpose.HOSTING_CREDIT])
    streaming = {name for name, account in demo.ACCOUNTS.items() if account.stream}
    assert {name for name, actor in actors.items() if actor.is_streamer} == streaming
    roles = {role: list(actors[f"brand-{role}"].brands.values()) for role in BrandRole}
    assert roles == {role: [role] for role in BrandRole}
    assert len({brand for actor in actors.values() for brand in actor.brands}) == 1
    for role in StaffRole:
        actor = actors[role.replace("_", "-")]
        assert (actor.staff_role, actor.permissions) == (role, USUAL_PERMISSIONS[role])
    assert actors["demo"].person == demo.demo_session(demo.DEMO).person
    assert len(wallets) == 1


async def test_a_second_start_makes_nobody_twice(settings: Settings) -> None:
    await demo.load(settings)
    async with connect(settings) as ports:
        before = await ports.database.pool.fetchrow(ROWS)
        await demo.load(settings)
        assert await ports.database.pool.fetchrow(ROWS) == before
        assert before[0] == len(demo.ACCOUNTS)


def test_secrets_differ_from_checkout_to_checkout_and_stay() -> None:
    ours, theirs = b"o" * 32, b"t" * 32
    assert demo.demo_password(ours) == demo.demo_password(ours) != demo.demo_password(theirs)
    assert demo.demo_totp(ours).secret == demo.demo_totp(ours).secret != demo.demo_totp(theirs).secret
