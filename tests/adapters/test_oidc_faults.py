import logging
import socket
import traceback
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial

import pytest

from adapters.identity.oidc import OidcProvider
from adapters.identity.oidc_providers import google
from adapters.identity.oidc_wire import Wire
from adapters.sandbox.identity.people import Site
from domain.errors import DomainError
from domain.identity.provider import Journey, ProviderLiedError, ProviderRefusedError, ProviderUnavailableError
from tests.adapters.identity_sandbox import Bench, bench
from tests.waiting import eventually

SITES = list(Site)
LIES = {
    "wrong_nonce": "another journey",
    "wrong_audience": "for somebody else",
    "more_audiences": "for somebody else",
    "wrong_party": "given to somebody else",
    "wrong_issuer": "another issuer",
    "expired": "expired",
    "from_the_future": "future",
    "no_subject": "no subject",
    "wrong_access_token": "another access token",
    "unknown_key": "does not publish",
    "wrong_signature": "not signed by the provider",
    "alg_none": "in a way",
    "hs256_with_public_key": "in a way",
    "no_id_token": "no ID token",
    "mixed_up_issuer": "another issuer",
    "wrong_state": "another journey",
}


async def signs_in(at: Bench, site: Site) -> bool:
    """Whether all is well again; a machine that is busy may take longer than a time-out that was made short."""
    try:
        return bool((await at.sign_in(site)).name)
    except ProviderUnavailableError:
        return False


@pytest.fixture
async def at() -> AsyncIterator[Bench]:
    async with bench() as opened:
        yield opened


@pytest.fixture
def told_to_us(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every token that the provider gave us."""
    tokens: list[str] = []
    exchange = Wire.exchange

    async def listen(wire: Wire, token_url: str, code: str, journey: Journey) -> Mapping[str, object]:
        answer = await exchange(wire, token_url, code, journey)
        tokens.extend(str(answer[name]) for name in ("access_token", "id_token") if name in answer)
        return answer

    monkeypatch.setattr(Wire, "exchange", listen)
    return tokens


class Ears:
    """All that is logged, printed or raised while we work, and not while the person's browser does."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
        self._caplog, self._capsys = caplog, capsys
        caplog.set_level(logging.DEBUG)

    def open(self) -> None:
        self._caplog.clear()
        self._capsys.readouterr()

    def heard(self, error: BaseException | None = None) -> str:
        printed = self._capsys.readouterr()
        records = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in self._caplog.records)
        raised = "".join(traceback.format_exception(error)) if error else ""
        return f"{records}\n{printed.out}\n{printed.err}\n{raised}\n{error!r}"


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Ears:
    return Ears(caplog, capsys)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("kind", LIES)
async def test_a_lie_is_never_believed_and_nothing_leaks(
    at: Bench, site: Site, kind: str, ears: Ears, told_to_us: list[str]
) -> None:
    at.fault(kind)
    departure = await at.begin(site)
    told = await at.choose(departure, "ayu")
    ears.open()
    with pytest.raises(ProviderLiedError, match=LIES[kind]) as lied:
        await at.finish(departure.journey, told)
    heard = ears.heard(lied.value)
    assert "provider_lied" in heard
    assert [secret for secret in [*at.secrets, *told_to_us] if secret in heard] == []
    assert at.running.sandbox.faults.listed() == []


async def test_nothing_leaks_when_all_is_well(at: Bench, ears: Ears, told_to_us: list[str]) -> None:
    departure = await at.begin(Site.GOOGLE)
    told = await at.choose(departure, "ayu")
    ears.open()
    await at.finish(departure.journey, told)
    heard = ears.heard()
    assert heard.count("provider_called") == 2
    assert len(told_to_us) == 2
    assert [secret for secret in [*at.secrets, *told_to_us, "ayu@example.com"] if secret in heard] == []


async def test_nobodys_token_stays_behind(at: Bench, told_to_us: list[str]) -> None:
    await at.sign_in(Site.GOOGLE)
    kept = vars(at.ours(Site.GOOGLE)._wire._client.token_auth)
    assert told_to_us
    assert not any(token in repr(kept) for token in told_to_us)


@pytest.mark.parametrize("site", [Site.GOOGLE, Site.TWITCH])
async def test_a_token_without_the_nonce_is_not_believed(at: Bench, site: Site) -> None:
    at.fault("no_nonce")
    with pytest.raises(ProviderLiedError, match="another journey"):
        await at.sign_in(site)


async def test_a_site_that_names_itself_must_do_so(at: Bench) -> None:
    at.fault("no_issuer", times=2)
    with pytest.raises(ProviderLiedError, match="another issuer"):
        await at.sign_in(Site.GOOGLE)
    assert (await at.sign_in(Site.TWITCH)).subject == "710000001"


@pytest.mark.parametrize("site", SITES)
async def test_a_replayed_code_is_refused(at: Bench, site: Site) -> None:
    at.fault("replayed_code")
    with pytest.raises(ProviderRefusedError):
        await at.sign_in(site)


async def test_a_clock_that_differs_by_a_minute_is_no_lie(at: Bench) -> None:
    for by, believed in ((3659, True), (3660, False), (-60, True), (-61, False)):
        departure = await at.begin(Site.GOOGLE)
        told = await at.choose(departure, "ayu")
        seconds = timedelta(seconds=by)
        provider = OidcProvider(
            google(at.ours(Site.GOOGLE)._site.client_id, at.secrets[0], issuer=at.running.issuer(Site.GOOGLE)),
            clock=lambda seconds=seconds: at.hands.now + seconds,  # type: ignore[misc] # a default binds the loop's own
        )
        async with provider:
            if believed:
                await provider.finish(departure.journey, told)
            else:
                with pytest.raises(ProviderLiedError):
                    await provider.finish(departure.journey, told)


async def test_a_new_key_is_found_at_once_after_a_rest(at: Bench) -> None:
    await at.sign_in(Site.GOOGLE)
    at.hands.turn(timedelta(seconds=10))
    at.fault("rotated_key")
    assert (await at.sign_in(Site.GOOGLE)).name == "Ayu Lestari"
    assert at.calls["google.keys"] == 2


async def test_unknown_keys_make_us_look_once_for_each_and_not_often(at: Bench) -> None:
    await at.sign_in(Site.GOOGLE)
    at.fault("unknown_key", times=5)
    for _ in range(2):  # within ten seconds of the first look
        with pytest.raises(ProviderLiedError, match="does not publish"):
            await at.sign_in(Site.GOOGLE)
    assert at.calls["google.keys"] == 1
    for _ in range(3):
        at.hands.turn(timedelta(seconds=10))
        with pytest.raises(ProviderLiedError, match="does not publish"):
            await at.sign_in(Site.GOOGLE)
    assert at.calls["google.keys"] == 2


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("call", ["discovery", "keys", "token"])
@pytest.mark.parametrize("kind", ["server_error", "garbage", "huge_answer", "time_out"])
async def test_a_site_that_fails_is_unavailable_and_nothing_leaks(
    site: Site, call: str, kind: str, ears: Ears, told_to_us: list[str]
) -> None:
    async with bench(timeout_s=0.3 if kind == "time_out" else 5.0) as at:
        if call == "discovery":
            at.fault(kind, call=call)
            with pytest.raises(ProviderUnavailableError):
                await at.begin(site)
        departure = await at.begin(site)
        told = await at.choose(departure, "ayu")
        if call != "discovery":
            at.fault(kind, call=call)
            ears.open()
            with pytest.raises(ProviderUnavailableError) as unavailable:
                await at.finish(departure.journey, told)
            heard = ears.heard(unavailable.value)
            assert "provider_unavailable" in heard
            assert [secret for secret in [*at.secrets, *told_to_us] if secret in heard] == []
        assert await eventually(partial(signs_in, at, site))


async def test_a_site_that_is_down_is_left_alone_for_a_while() -> None:
    async with bench(failures=3) as at:
        await at.sign_in(Site.TWITCH)
        at.fault("server_error", site="twitch", call="token", times=3)
        for _ in range(3):
            with pytest.raises(ProviderUnavailableError, match="HTTP 500"):
                await at.sign_in(Site.TWITCH)
        with pytest.raises(ProviderUnavailableError, match="left alone"):
            await at.sign_in(Site.TWITCH)
        assert at.calls["twitch.token"] == 4
        assert (await at.sign_in(Site.GOOGLE)).name == "Ayu Lestari"
        at.hands.turn(timedelta(seconds=10))
        assert (await at.sign_in(Site.TWITCH)).name == "ayulestari"


async def test_refusals_and_lies_leave_a_site_in_good_health() -> None:
    async with bench(failures=2) as at:
        at.fault("replayed_code", times=4)
        at.fault("wrong_nonce", times=4)
        for _ in range(8):
            with pytest.raises(DomainError):
                await at.sign_in(Site.GOOGLE)
        assert (await at.sign_in(Site.GOOGLE)).name == "Ayu Lestari"


async def test_a_refused_connection_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{unused.getsockname()[1]}"
    async with OidcProvider(google("us", "secret", issuer=issuer)) as provider:
        with pytest.raises(ProviderUnavailableError, match="ConnectError"):
            await provider.begin("http://127.0.0.1:1/return")


async def test_another_issuers_discovery_is_not_believed(at: Bench) -> None:
    issuer = f"{at.running.url.replace('127.0.0.1', 'localhost')}/google"
    elsewhere = f"{at.running.url}/telegram/../google"
    for named in (f"{at.running.issuer(Site.GOOGLE)}/", elsewhere):
        async with OidcProvider(google("us", "secret", issuer=named)) as provider:
            with pytest.raises((ProviderLiedError, ProviderUnavailableError)):
                await provider.begin("http://127.0.0.1:1/return")
    async with OidcProvider(google("us", "secret", issuer=issuer)) as provider:
        assert "localhost" in (await provider.begin("http://127.0.0.1:1/return")).url


@pytest.mark.parametrize(
    "issuer",
    ["http://accounts.google.com", "ftp://127.0.0.1", "https://", "https://u@accounts.google.com", "http://[::"],
)
def test_secrets_go_nowhere_in_the_clear(issuer: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        google("us", "secret", issuer=issuer)


def test_a_registration_hides_its_secret() -> None:
    assert "hush" not in repr(google("us", "hush"))
    with pytest.raises(ValueError, match="needs a client id and a secret"):
        google("us", "")
