import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.sandbox.identity.people import Site
from domain.identity.provider import (
    Profile,
    Provider,
    ProviderLiedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from tests.adapters.identity_sandbox import CLIENT_ID, Bench, bench, return_address

SITES = list(Site)


@pytest.fixture
async def at() -> AsyncIterator[Bench]:
    async with bench() as opened:
        yield opened


async def test_google_tells_who_it_is(at: Bench) -> None:
    assert await at.sign_in(Site.GOOGLE) == Profile(
        Provider.GOOGLE,
        "100000000000710000001",
        "Ayu Lestari",
        "ayu@example.com",
        mail_verified=True,
        picture="https://pictures.example/ayu.jpg",
    )


async def test_twitch_tells_what_was_asked_for_by_name(at: Bench) -> None:
    assert await at.sign_in(Site.TWITCH, "budi") == Profile(
        Provider.TWITCH,
        "710000002",
        "budi_main",
        "budi@example.com",
        mail_verified=False,
        picture="https://pictures.example/budi.jpg",
    )


async def test_telegram_names_the_number_that_bots_know(at: Bench) -> None:
    assert await at.sign_in(Site.TELEGRAM, "citra") == Profile(
        Provider.TELEGRAM,
        "710000003",
        "Citra Dewi 🎮",
        None,
        mail_verified=False,
        picture="https://pictures.example/citra.jpg",
    )


@pytest.mark.parametrize("site", SITES)
async def test_a_journey_asks_with_pkce_state_and_nonce(at: Bench, site: Site) -> None:
    departure = await at.begin(site)
    journey = departure.journey
    asked = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(journey.verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == challenge
    assert asked["code_challenge_method"] == "S256"
    assert (asked["state"], asked["nonce"]) == (journey.state, journey.nonce)
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT_ID, return_address(site))
    assert journey.verifier not in departure.url
    other = (await at.begin(site)).journey
    assert not {journey.state, journey.nonce, journey.verifier} & {other.state, other.nonce, other.verifier}
    assert not any(secret in repr(departure) for secret in (journey.state, journey.nonce, journey.verifier))


@pytest.mark.parametrize("site", SITES)
async def test_who_says_no_is_refused(at: Bench, site: Site) -> None:
    departure = await at.begin(site)
    told = await at.choose(departure, "")
    with pytest.raises(ProviderRefusedError):
        await at.finish(departure.journey, told)
    assert f"{site}.token" not in at.calls


@pytest.mark.parametrize("site", SITES)
async def test_a_code_is_good_once(at: Bench, site: Site) -> None:
    departure = await at.begin(site)
    told = await at.choose(departure, "ayu")
    await at.finish(departure.journey, told)
    with pytest.raises(ProviderRefusedError):
        await at.finish(departure.journey, told)


@pytest.mark.parametrize("site", SITES)
async def test_a_code_is_good_for_some_minutes(at: Bench, site: Site) -> None:
    departure = await at.begin(site)
    told = await at.choose(departure, "ayu")
    at.hands.turn(timedelta(minutes=5))
    with pytest.raises(ProviderRefusedError):
        await at.finish(departure.journey, told)


@pytest.mark.parametrize("site", SITES)
async def test_a_stolen_code_is_no_good_without_its_verifier(at: Bench, site: Site) -> None:
    victims = await at.begin(site)
    stolen = (await at.choose(victims, "ayu"))["code"]
    thief = await at.begin(site)
    told = await at.choose(thief, "budi")
    with pytest.raises(ProviderRefusedError):
        await at.finish(thief.journey, {**told, "code": stolen})


@pytest.mark.parametrize("state", ["", "another", "\udc80", None])
async def test_a_return_with_another_state_is_not_believed(at: Bench, state: str | None) -> None:
    departure = await at.begin(Site.GOOGLE)
    told = await at.choose(departure, "ayu")
    told = {name: value for name, value in told.items() if name != "state"} | (
        {} if state is None else {"state": state}
    )
    with pytest.raises(ProviderLiedError, match="another journey"):
        await at.finish(departure.journey, told)
    assert "google.token" not in at.calls


@pytest.mark.parametrize("code", ["", "x" * 5000, "line\nbreak", "é"])
async def test_a_return_without_a_code_that_could_be_one_is_refused(at: Bench, code: str) -> None:
    departure = await at.begin(Site.GOOGLE)
    told = await at.choose(departure, "ayu")
    with pytest.raises(ProviderRefusedError):
        await at.finish(departure.journey, {**told, "code": code})
    assert "google.token" not in at.calls


async def test_one_sites_code_is_not_taken_to_another(at: Bench) -> None:
    departure = await at.begin(Site.GOOGLE)
    told = await at.choose(departure, "ayu")
    with pytest.raises(ProviderLiedError, match="another provider"):
        await at.ours(Site.TWITCH).finish(departure.journey, told)
    forged = replace(departure.journey, provider=Provider.TWITCH)
    with pytest.raises(ProviderLiedError, match="another issuer"):
        await at.ours(Site.TWITCH).finish(forged, told)
    assert "twitch.token" not in at.calls


async def test_a_refusal_of_another_issuer_is_not_believed_either(at: Bench) -> None:
    departure = await at.begin(Site.GOOGLE)
    told = await at.choose(departure, "")
    with pytest.raises(ProviderLiedError):
        await at.finish(departure.journey, {**told, "iss": "https://issuer.example"})


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
async def test_a_site_that_cannot_now_is_unavailable(at: Bench, error: str) -> None:
    departure = await at.begin(Site.TWITCH)
    with pytest.raises(ProviderUnavailableError):
        await at.finish(departure.journey, {"state": departure.journey.state, "error": error})


@pytest.mark.parametrize("site", SITES)
async def test_a_wrong_secret_is_our_own_trouble_and_no_refusal(site: Site) -> None:
    async with bench(secret="not-this") as at:
        departure = await at.begin(site)
        told = await at.choose(departure, "ayu")
        with pytest.raises(ProviderUnavailableError, match="our client"):
            await at.finish(departure.journey, told)


async def test_what_is_published_is_read_once_an_hour(at: Bench) -> None:
    for _ in range(3):
        await at.sign_in(Site.GOOGLE)
    assert (at.calls["google.discovery"], at.calls["google.keys"]) == (1, 1)
    at.hands.turn(timedelta(hours=1))
    await at.sign_in(Site.GOOGLE)
    assert (at.calls["google.discovery"], at.calls["google.keys"]) == (2, 2)


async def test_a_key_that_was_withdrawn_is_forgotten_within_the_hour(at: Bench) -> None:
    await at.sign_in(Site.GOOGLE)
    at.running.sandbox.rotate(Site.GOOGLE)
    at.fault("withdrawn_key", times=2)
    assert (await at.sign_in(Site.GOOGLE)).mail == "ayu@example.com"
    at.hands.turn(timedelta(hours=1))
    with pytest.raises(ProviderLiedError, match="does not publish"):
        await at.sign_in(Site.GOOGLE)


async def test_many_at_once_read_what_is_published_once(at: Bench) -> None:
    await asyncio.gather(*(at.sign_in(Site.TELEGRAM) for _ in range(8)))
    assert (at.calls["telegram.discovery"], at.calls["telegram.keys"]) == (1, 1)
    assert at.calls["telegram.token"] == 8
