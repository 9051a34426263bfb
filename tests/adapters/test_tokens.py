"""Tokens: ours are believed, whole and in time; nothing else is."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from adapters.identity.tokens import AUDIENCE, KeyFileError, TokenError, Tokens, person_named
from domain.actor import Actor

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ISSUER = "https://api.example"
KEY = ECKey.generate_key("P-256")
DEMO = person_named("demo")


def tokens(key: ECKey = KEY, issuer: str = ISSUER) -> Tokens:
    return Tokens(key, issuer, lambda: NOW)


def test_a_token_names_its_person_until_it_expires() -> None:
    token = tokens().issue_token(DEMO, timedelta(minutes=15))
    verified = tokens().verify(token, NOW + timedelta(minutes=14))
    assert verified.actor == Actor(DEMO)
    assert verified.expires_at == NOW + timedelta(minutes=15)


def test_it_is_an_access_token_with_a_key_id_and_the_pinned_algorithm() -> None:
    header = json.loads(base64.urlsafe_b64decode(tokens().issue_token(DEMO, timedelta(1)).split(".")[0] + "=="))
    assert header == {"alg": "ES256", "kid": KEY.thumbprint(), "typ": "at+jwt"}


def test_it_ends_to_the_second() -> None:
    token = tokens().issue_token(DEMO, timedelta(minutes=15))
    with pytest.raises(TokenError, match="expired"):
        tokens().verify(token, NOW + timedelta(minutes=15))


def claims(**changes: Any) -> dict[str, Any]:
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(DEMO), "exp": int(NOW.timestamp()) + 60}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(given: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    usual = {"alg": "ES256", "kid": KEY.thumbprint(), "typ": "at+jwt"}
    whole = {**usual, **header}
    return jwt.encode(whole, given, key, algorithms=[whole["alg"]])


def unsigned(given: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": KEY.thumbprint(), "typ": "at+jwt"}, given)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


BAD = {
    "another key": signed(claims(), ECKey.generate_key("P-256")),
    "another key's id": signed(claims(), kid="other"),
    "another type": signed(claims(), typ="JWT"),
    "another algorithm": signed(claims(), OctKey.generate_key(256), alg="HS256"),
    "no algorithm": unsigned(claims()),
    "another issuer": signed(claims(iss="https://evil.example")),
    "another audience": signed(claims(aud="somebody-else")),
    "a list of audiences": signed(claims(aud=[AUDIENCE])),
    "no audience": signed(claims(aud=None)),
    "nobody": signed(claims(sub=None)),
    "a subject that is no person": signed(claims(sub="root")),
    "no end": signed(claims(exp=None)),
    "an end in words": signed(claims(exp="tomorrow")),
    "an end that is true": signed(claims(exp=True)),
    "an end beyond time": signed(claims(exp=10**20)),
    "expired": signed(claims(exp=int(NOW.timestamp()) - 1)),
    "a claim list": signed(claims()).rsplit(".", 2)[0] + ".W10.AAAA",
    "two parts": "a.b",
    "empty": "",
    "not ASCII": "ä.ö.ü",
    "too long": "x" * 100_000,
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_nothing_else_is_believed(token: str) -> None:
    with pytest.raises(TokenError):
        tokens().verify(token, NOW)


def test_a_changed_token_is_refused() -> None:
    head, body, seal = tokens().issue_token(DEMO, timedelta(1)).split(".")
    flipped = ("A" if seal[10] != "A" else "B").join((seal[:10], seal[11:]))
    with pytest.raises(TokenError):
        tokens().verify(f"{head}.{body}.{flipped}", NOW)


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(KEY.as_pem(private=True))
    token = Tokens.of_file(file, ISSUER, lambda: NOW).issue_token(DEMO, timedelta(1))
    assert tokens().verify(token, NOW).actor.person == DEMO


@pytest.mark.parametrize(
    "content",
    [None, b"", b"nonsense", ECKey.generate_key("P-384").as_pem(private=True), KEY.as_pem(private=False)],
    ids=["missing", "empty", "nonsense", "another curve", "public"],
)
def test_a_bad_key_file_is_named_and_never_shown(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KeyFileError) as refused:
        Tokens.of_file(file, ISSUER)
    assert "nonsense" not in str(refused.value)


def test_demo_accounts_are_the_same_people_at_every_start() -> None:
    assert person_named("demo") == DEMO != person_named("other")
    assert person_named(str(DEMO)) == DEMO
