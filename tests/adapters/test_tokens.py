"""Tokens: ours are believed, whole and in time; nothing else is."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from adapters.identity.keys import KeyRing, SigningKey
from adapters.identity.tokens import AUDIENCE, TokenError, Tokens, Verified
from domain.identity.model import ACCESS_LIFETIME, Session
from domain.ids import PersonId, SessionId
from tests.people import session_of

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ISSUER = "https://api.example"
KEY = ECKey.generate_key("P-256")
RING = KeyRing((SigningKey.of(KEY),))
ME = PersonId(UUID("0192f0c8-5d2a-7c11-8d5e-6b6f3a3c2b10"))
SESSION = replace(session_of(ME, expires_at=NOW + timedelta(days=1)), id=SessionId(UUID(int=7)))
USUAL = {"alg": "ES256", "kid": KEY.thumbprint(), "typ": "at+jwt"}


def tokens(ring: KeyRing = RING, issuer: str = ISSUER) -> Tokens:
    return Tokens(lambda: ring, issuer)


def issued(session: Session = SESSION) -> str:
    return tokens().issue(session, NOW).text


def test_a_token_names_its_person_and_session_until_it_expires() -> None:
    given = tokens().issue(SESSION, NOW)
    assert given.expires_at == NOW + ACCESS_LIFETIME
    found = tokens().verify(given.text, NOW + timedelta(minutes=14))
    assert found == Verified(ME, SESSION.id, given.expires_at)


def test_it_is_an_access_token_with_a_key_id_and_the_pinned_algorithm() -> None:
    head, body, _ = issued().split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == USUAL
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    UUID(claims.pop("jti"))
    seconds = int(NOW.timestamp())
    whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(ME), "sid": str(SESSION.id)}
    assert claims == {**whole, "iat": seconds, "exp": seconds + 900}


def test_no_token_outlives_its_session() -> None:
    short = replace(SESSION, expires_at=NOW + timedelta(minutes=5, microseconds=500))
    assert tokens().issue(short, NOW).expires_at == NOW + timedelta(minutes=5)


def test_it_ends_to_the_second_for_one_who_is_known_too() -> None:
    judge, token = tokens(), issued()
    judge.verify(token, NOW)
    with pytest.raises(TokenError, match="expired"):
        judge.verify(token, NOW + ACCESS_LIFETIME)
    with pytest.raises(TokenError, match="expired"):
        judge.verify(token, NOW + ACCESS_LIFETIME)


def claims(**changes: Any) -> dict[str, Any]:
    seconds = int(NOW.timestamp())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(ME), "sid": str(SESSION.id), "iat": seconds, "exp": seconds + 60,
        "jti": str(ME),
    }  # fmt: skip
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(given: Any, key: Any = KEY, **header: Any) -> str:
    """What a token would be that our key, or another, signed over this."""
    whole = {name: value for name, value in {**USUAL, **header}.items() if value is not None}
    parts = [_part(whole), _part(given)]
    model = JWSRegistry.algorithms[whole.get("alg", "ES256") if whole.get("alg") != "none" else "ES256"]
    seal = model.sign(b".".join(parts), key)
    return b".".join((*parts, base64.urlsafe_b64encode(seal).rstrip(b"="))).decode()


def confused() -> str:
    """Our public key taken for a secret, as a judge that trusts `alg` would take it."""
    parts = [_part({**USUAL, "alg": "HS256"}), _part(claims())]
    seal = hmac.digest(KEY.as_pem(private=False), b".".join(parts), "sha256")
    return b".".join((*parts, base64.urlsafe_b64encode(seal).rstrip(b"="))).decode()


def _part(content: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")


def unsigned(**header: Any) -> str:
    parts = ({**USUAL, "alg": "none", **header}, claims())
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


OTHER = ECKey.generate_key("P-256")
BAD: dict[str, Callable[[], str]] = {
    "another key": lambda: signed(claims(), OTHER),
    "another key under its own id": lambda: signed(claims(), OTHER, kid=OTHER.thumbprint()),
    "another key that it brings along": lambda: signed(claims(), OTHER, jwk=OTHER.as_dict(private=False)),
    "our key brought along": lambda: signed(claims(), jwk=KEY.as_dict(private=False)),
    "an address of keys": lambda: signed(claims(), jku="https://evil.example/keys"),
    "another key's id": lambda: signed(claims(), kid="other"),
    "a key's id that is none": lambda: signed(claims(), kid=[KEY.thumbprint()]),
    "no key's id": lambda: signed(claims(), kid=None),
    "another type": lambda: signed(claims(), typ="JWT"),
    "no type": lambda: signed(claims(), typ=None),
    "a type in capitals": lambda: signed(claims(), typ="AT+JWT"),
    "what is critical": lambda: signed(claims(), crit=["exp"], exp=1),
    "critical nothing": lambda: signed(claims(), crit=[]),
    "unencoded": lambda: signed(claims(), b64=False, crit=["b64"]),
    "a secret instead of a key": lambda: signed(claims(), OctKey.generate_key(256), alg="HS256"),
    "our public key as a secret": confused,
    "another kind of key": lambda: signed(claims(), RSAKey.generate_key(2048), alg="RS256"),
    "no algorithm": unsigned,
    "no algorithm by another name": lambda: unsigned(alg="None"),
    "no algorithm but our seal": lambda: signed(claims(), alg="none"),
    "another issuer": lambda: signed(claims(iss="https://evil.example")),
    "no issuer": lambda: signed(claims(iss=None)),
    "another audience": lambda: signed(claims(aud="somebody-else")),
    "a list of audiences": lambda: signed(claims(aud=[AUDIENCE])),
    "no audience": lambda: signed(claims(aud=None)),
    "nobody": lambda: signed(claims(sub=None)),
    "a subject that is no person": lambda: signed(claims(sub="root")),
    "a person written otherwise": lambda: signed(claims(sub=str(ME).upper())),
    "no session": lambda: signed(claims(sid=None)),
    "a session that is none": lambda: signed(claims(sid=7)),
    "no name of its own": lambda: signed(claims(jti=None)),
    "a claim too many": lambda: signed(claims(scope="staff")),
    "issued tomorrow": lambda: signed(claims(iat=int(NOW.timestamp()) + 86_400)),
    "no beginning": lambda: signed(claims(iat=None)),
    "no end": lambda: signed(claims(exp=None)),
    "an end in words": lambda: signed(claims(exp="tomorrow")),
    "an end that is true": lambda: signed(claims(exp=True)),
    "an end in parts": lambda: signed(claims(exp=NOW.timestamp() + 0.5)),
    "an end beyond time": lambda: signed(claims(exp=10**20)),
    "expired": lambda: signed(claims(exp=int(NOW.timestamp()) - 1)),
    "a claim list": lambda: signed([claims()]),
    "deep": lambda: signed(claims()).replace(".", "." + "W" * 1_000, 1),
    "two parts": lambda: "a.b",
    "empty": lambda: "",
    "dots": lambda: "..",
    "not ASCII": lambda: "ä.ö.ü",
    "half a letter": lambda: "\ud800",
    "too long": lambda: "x" * 100_000,
    "ours, and more": lambda: issued() + ".x",
    "ours with a space": lambda: issued() + " ",
    "ours with padding": lambda: issued() + "==",
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_nothing_else_is_believed(token: Callable[[], str]) -> None:
    with pytest.raises(TokenError):
        tokens().verify(token(), NOW)


def test_the_judge_of_all_that_believes_what_is_right() -> None:
    assert tokens().verify(signed(claims()), NOW).person == ME


TOKEN = issued()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n"


@given(
    place=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from(LETTERS), way=st.sampled_from(("put", "add", "cut"))
)
@example(place=len(TOKEN) - 1, letter="B", way="put")
def test_no_changed_letter_is_believed(place: int, letter: str, way: str) -> None:
    kept = TOKEN[place:] if way == "add" else TOKEN[place + 1 :]
    changed = TOKEN[:place] + ("" if way == "cut" else letter) + kept
    if changed != TOKEN:
        judge = tokens()
        judge.verify(TOKEN, NOW)  # what is known must not help what is like it
        with pytest.raises(TokenError):
            judge.verify(changed, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    header=st.dictionaries(st.sampled_from(("alg", "kid", "typ", "crit", "jwk", "b64", "zip", "cty")), JSON, min_size=1)
)
def test_no_other_header_is_believed_even_under_our_key(header: dict[str, Any]) -> None:
    whole = {**USUAL, **header}
    if whole == USUAL:
        return
    parts = [_part(whole), _part(claims())]
    seal = JWSRegistry.algorithms["ES256"].sign(b".".join(parts), KEY)
    token = b".".join((*parts, base64.urlsafe_b64encode(seal).rstrip(b"="))).decode()
    with pytest.raises(TokenError):
        tokens().verify(token, NOW)


@given(name=st.sampled_from(sorted(claims())), value=JSON)
def test_no_other_claim_is_believed_even_under_our_key(name: str, value: Any) -> None:
    token = signed({**claims(), name: value})
    try:
        found = tokens().verify(token, NOW)
    except TokenError:
        return
    assert name in {"iat", "exp"}, (name, value)
    assert isinstance(value, int)
    assert found.expires_at > NOW


@given(text=st.text(max_size=3_000))
def test_no_text_breaks_the_judge(text: str) -> None:
    with pytest.raises(TokenError):
        tokens().verify(text, NOW)


def test_a_signature_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judge, token, checked = tokens(), issued(), list[str]()
    decode = jwt.decode

    def noted(value: str, *arguments: Any, **options: Any) -> Any:
        checked.append(value)
        return decode(value, *arguments, **options)

    monkeypatch.setattr(jwt, "decode", noted)
    for _ in range(3):
        assert judge.verify(token, NOW).person == ME
    assert checked == [token]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.identity.tokens._MOST_REMEMBERED", 2)
    judge = tokens()
    for _ in range(5):
        judge.verify(issued(), NOW)
    assert len(judge._known) == 2


class TestKeys:
    def test_a_new_key_signs_nobody_out(self) -> None:
        ring = [RING]
        house = Tokens(lambda: ring[0], ISSUER)
        early = house.issue(SESSION, NOW)
        ring[0] = RING.rotated(NOW)
        soon, later = NOW + timedelta(minutes=9), NOW + timedelta(minutes=10)
        assert kid(house.issue(SESSION, soon).text) == kid(early.text)
        assert kid(house.issue(SESSION, later).text) != kid(early.text)
        last_of_the_old = house.issue(SESSION, soon)
        house.verify(last_of_the_old.text, last_of_the_old.expires_at - timedelta(seconds=1))

    def test_what_an_old_key_signs_after_its_time_is_not_believed(self) -> None:
        ring = RING.rotated(NOW)
        late = NOW + timedelta(minutes=27)
        forged = tokens(RING).issue(SESSION, late).text
        with pytest.raises(TokenError):
            tokens(ring).verify(forged, late)

    def test_a_key_that_is_taken_away_is_believed_no_more_even_by_memory(self) -> None:
        ring = [RING]
        house = Tokens(lambda: ring[0], ISSUER)
        token = house.issue(SESSION, NOW).text
        house.verify(token, NOW)
        ring[0] = KeyRing((SigningKey.of(OTHER),))
        with pytest.raises(TokenError):
            house.verify(token, NOW)

    def test_others_find_public_halves_alone(self) -> None:
        published = tokens(RING.rotated(NOW)).published(NOW)
        assert len(published["keys"]) == 2
        for key in published["keys"]:
            assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        found = jwt.decode(issued(), ECKey.import_key(published["keys"][0]), algorithms=["ES256"])
        assert found.claims["sub"] == str(ME)

    def test_keys_come_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "key.pem"
        file.write_bytes(KEY.as_pem(private=True))
        token = Tokens.of_file(file, ISSUER).issue(SESSION, NOW).text
        assert tokens().verify(token, NOW).person == ME


def kid(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))["kid"])
