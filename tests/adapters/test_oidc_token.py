import base64
import json
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from adapters.identity.oidc_providers import google, profile_of, telegram
from adapters.identity.oidc_token import Expected, key_id, verified_claims
from adapters.sandbox.identity.sandbox import new_key
from domain.identity.provider import ProviderLiedError

KEY = new_key()
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://issuer.example"
EXPECTED = Expected(frozenset({ISSUER}), "us", frozenset({"RS256"}), "nonce", nonce_required=True)
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": "us",
    "sub": "somebody",
    "nonce": "nonce",
    "iat": SECONDS,
    "exp": SECONDS + 3600,
}
BASE64URL = string.ascii_letters + string.digits + "-_"


def token(claims: dict[str, object] | None = None, header: dict[str, object] | None = None) -> str:
    """Signed as it stands, also what a library would not sign; a claim that is None is left out."""
    told = {name: value for name, value in {**CLAIMS, **(claims or {})}.items() if value is not None}
    parts = ({"alg": "RS256", "kid": KEY.kid, **(header or {})}, told)
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = jws.JWSRegistry.algorithms["RS256"].sign(text, KEY)
    return b".".join((text, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


def claims_of(text: str, expected: Expected = EXPECTED, now: datetime = NOW) -> object:
    return verified_claims(text, KEY, expected, access_token="access", now=now)


GOOD = token()


def test_a_whole_token_is_believed() -> None:
    assert claims_of(GOOD) == CLAIMS
    assert key_id(GOOD, EXPECTED.algorithms) == ("RS256", KEY.kid)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(BASE64URL))
def test_no_changed_token_is_believed(place: int, sign: str) -> None:
    if GOOD[place] in {".", sign} or same_bytes(GOOD[:place] + sign + GOOD[place + 1 :]):
        return
    with pytest.raises(ProviderLiedError):
        claims_of(GOOD[:place] + sign + GOOD[place + 1 :])


def same_bytes(text: str) -> bool:
    """The last letter of a part may carry bits that mean nothing; only a signature's may differ without a change."""
    old, new = (each.rpartition(".") for each in (GOOD, text))
    return old[0] == new[0] and base64.urlsafe_b64decode(old[2] + "==") == base64.urlsafe_b64decode(new[2] + "==")


@given(st.one_of(st.text(max_size=200), st.lists(st.text(BASE64URL, max_size=80), max_size=5).map(".".join)))
def test_nothing_else_is_believed(text: str) -> None:
    with pytest.raises(ProviderLiedError):
        claims_of(text)


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "nonce"])
def test_what_must_be_said_must_be_said(name: str) -> None:
    with pytest.raises(ProviderLiedError):
        claims_of(token({name: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"iss": {}},
        {"aud": ["us", "them"]},
        {"aud": []},
        {"aud": [["us"]]},
        {"aud": True},
        {"azp": "them"},
        {"azp": ["us"]},
        {"exp": SECONDS - 60},
        {"exp": str(SECONDS + 3600)},
        {"exp": True},
        {"exp": float("nan")},
        {"iat": SECONDS + 61},
        {"iat": float("nan")},
        {"nbf": SECONDS + 61},
        {"nbf": "now"},
        {"nonce": "nonce "},
        {"nonce": 5},
        {"nonce": ["nonce"]},
        {"nonce": "\ud800"},
        {"at_hash": "A" * 22},
        {"at_hash": None, "nonce": ""},
        {"at_hash": 5},
    ],
)
def test_what_is_said_wrong_is_not_believed(claims: dict[str, object]) -> None:
    with pytest.raises(ProviderLiedError):
        claims_of(token(claims))


@pytest.mark.parametrize(
    "claims",
    [{"aud": ["us"]}, {"azp": "us"}, {"exp": SECONDS - 59}, {"iat": SECONDS + 60}, {"nbf": SECONDS + 60}, {"x": [1]}],
)
def test_what_is_said_otherwise_but_right_is_believed(claims: dict[str, object]) -> None:
    claims_of(token(claims))


def test_a_nonce_that_need_not_come_back_must_still_be_right() -> None:
    lenient = Expected(EXPECTED.issuers, "us", EXPECTED.algorithms, "nonce", nonce_required=False)
    claims_of(token({"nonce": None}), lenient)
    with pytest.raises(ProviderLiedError):
        claims_of(token({"nonce": "another"}), lenient)


def test_a_numeric_client_id_may_be_told_as_a_number() -> None:
    expected = Expected(EXPECTED.issuers, "7000", EXPECTED.algorithms, "nonce", nonce_required=True)
    claims_of(token({"aud": 7000}), expected)
    with pytest.raises(ProviderLiedError):
        claims_of(token({"aud": 7001}), expected)


def test_a_token_stops_a_minute_after_its_end() -> None:
    claims_of(GOOD, now=NOW + timedelta(seconds=3659))
    with pytest.raises(ProviderLiedError, match="expired"):
        claims_of(GOOD, now=NOW + timedelta(seconds=3660))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"typ": 5},
        {"crit": ["b64"], "b64": False},
        {"crit": ["exp"], "exp": 5},
        {"kid": ""},
        {"kid": "k" * 201},
        {"kid": 5},
    ],
)
def test_a_header_that_changes_the_meaning_is_not_believed(header: dict[str, object]) -> None:
    with pytest.raises(ProviderLiedError):
        claims_of(token(header=header))


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"x-new": "1"}, {"jku": "https://thief.example/keys"}])
def test_a_header_that_means_nothing_to_us_is_passed_over(header: dict[str, object]) -> None:
    claims_of(token(header=header))


@pytest.mark.parametrize(
    ("algorithm", "key"), [("ES256", ECKey.generate_key("P-256")), ("HS256", OctKey.generate_key())]
)
def test_other_algorithms_are_refused_before_a_key_is_asked_for(algorithm: str, key: ECKey | OctKey) -> None:
    text = jwt.encode({"alg": algorithm, "kid": KEY.kid}, CLAIMS, key, algorithms=[algorithm])
    with pytest.raises(ProviderLiedError, match="in a way"):
        key_id(text, EXPECTED.algorithms)


@pytest.mark.parametrize("alg", [None, 5, [], "none", "None", "rs256", "RS512", "RSA1_5"])
def test_a_header_must_name_the_algorithm(alg: object) -> None:
    with pytest.raises(ProviderLiedError):
        claims_of(token(header={"alg": alg}))


@pytest.mark.parametrize("sub", [None, "", 5, "x" * 256, "a b", "é", ["x"]])
def test_a_subject_is_short_plain_text(sub: object) -> None:
    with pytest.raises(ProviderLiedError, match="no subject"):
        profile_of(google("us", "secret"), {**CLAIMS, "sub": sub})


@pytest.mark.parametrize("number", [None, 0, -5, 1.5, True, "5x", "05", "", 10**19, [5]])
def test_telegrams_number_is_one(number: object) -> None:
    with pytest.raises(ProviderLiedError, match="number"):
        profile_of(telegram("us", "secret"), {**CLAIMS, "id": number})
    assert profile_of(telegram("us", "secret"), {**CLAIMS, "id": 5}).subject == "5"
    assert profile_of(telegram("us", "secret"), {**CLAIMS, "id": "5"}).subject == "5"


@pytest.mark.parametrize(
    ("claims", "mail", "verified"),
    [
        ({"email": "a@example.com", "email_verified": True}, "a@example.com", True),
        ({"email": "a@example.com", "email_verified": "true"}, "a@example.com", False),
        ({"email": "a@example.com"}, "a@example.com", False),
        ({"email": "a@example.com\n", "email_verified": True}, None, False),
        ({"email": "a@b@c", "email_verified": True}, None, False),
        ({"email": ["a@example.com"], "email_verified": True}, None, False),
        ({"email_verified": True}, None, False),
    ],
)
def test_a_mail_address_is_verified_only_if_the_site_says_so(
    claims: dict[str, object], mail: str | None, verified: bool
) -> None:
    profile = profile_of(google("us", "secret"), {**CLAIMS, **claims})
    assert (profile.mail, profile.mail_verified) == (mail, verified)


def test_who_has_no_name_is_called_by_the_subject() -> None:
    assert profile_of(google("us", "secret"), {**CLAIMS, "name": " "}).name == "somebody"


def test_google_has_two_names() -> None:
    assert set(google("us", "secret").names) == {"https://accounts.google.com", "accounts.google.com"}
