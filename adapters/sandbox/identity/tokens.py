"""ID tokens as the sites sign them, right or wrong in one way."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from joserfc import jwt
from joserfc.jwk import RSAKey

from adapters.sandbox.identity.faults import FaultKind
from adapters.sandbox.identity.people import Site, claims_of
from adapters.sandbox.identity.sandbox import Grant, Sandbox

LIVES_S = 3600
ELSEWHERE = "https://issuer.example"

Claims = dict[str, object]


def id_token(sandbox: Sandbox, grant: Grant, issuer: str, access_token: str) -> str:
    """The token for a grant, spoiled by the faults that befall it."""
    claims = _claims(sandbox, grant, issuer, access_token)
    for kind, spoil in _SPOIL.items():
        if sandbox.faults.take(kind, grant.site, "token"):
            spoil(claims)
    return _signed(sandbox, grant.site, claims)


def _claims(sandbox: Sandbox, grant: Grant, issuer: str, access_token: str) -> Claims:
    now = int(sandbox.clock().timestamp())
    half = base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()
    claims: Claims = {
        "iss": issuer,
        "aud": grant.client_id,
        "iat": now,
        "exp": now + LIVES_S,
        **claims_of(grant.person, grant.site, grant.client_id, grant.asked),
    }
    if grant.site is not Site.TELEGRAM:
        claims |= {"azp": grant.client_id, "at_hash": half}
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
    return claims


def _more_audiences(claims: Claims) -> None:
    claims["aud"] = [claims["aud"], "somebody-else"]


def _expired(claims: Claims) -> None:
    claims |= {"iat": int(str(claims["iat"])) - 2 * LIVES_S, "exp": int(str(claims["exp"])) - 2 * LIVES_S}


_SPOIL: Mapping[FaultKind, Callable[[Claims], object]] = {
    FaultKind.WRONG_NONCE: lambda claims: claims.update(nonce="of-another-journey"),
    FaultKind.NO_NONCE: lambda claims: claims.pop("nonce", None),
    FaultKind.WRONG_AUDIENCE: lambda claims: claims.update(aud="somebody-else"),
    FaultKind.MORE_AUDIENCES: _more_audiences,
    FaultKind.WRONG_PARTY: lambda claims: claims.update(azp="somebody-else"),
    FaultKind.WRONG_ISSUER: lambda claims: claims.update(iss=ELSEWHERE),
    FaultKind.EXPIRED: _expired,
    FaultKind.FROM_THE_FUTURE: lambda claims: claims.update(iat=int(str(claims["iat"])) + LIVES_S),
    FaultKind.NO_SUBJECT: lambda claims: claims.pop("sub"),
    FaultKind.WRONG_ACCESS_TOKEN: lambda claims: claims.update(at_hash="A" * 22),
}


def _signed(sandbox: Sandbox, site: Site, claims: Claims) -> str:
    take = sandbox.faults.take
    if take(FaultKind.ALG_NONE, site, "token"):
        return _by_hand({"alg": "none", "typ": "JWT", "kid": sandbox.key(site).kid}, claims, lambda _: b"")
    if take(FaultKind.HS256_WITH_PUBLIC_KEY, site, "token"):
        secret = sandbox.key(site).as_pem(private=False)
        header = {"alg": "HS256", "typ": "JWT", "kid": sandbox.key(site).kid}
        return _by_hand(header, claims, lambda text: hmac.digest(secret, text, "sha256"))
    if take(FaultKind.UNKNOWN_KEY, site, "token"):
        return _by(sandbox.foreign_key, sandbox.foreign_key.kid, claims)
    if take(FaultKind.WRONG_SIGNATURE, site, "token"):
        return _by(sandbox.foreign_key, sandbox.key(site).kid, claims)
    if take(FaultKind.WITHDRAWN_KEY, site, "token"):
        return _by(sandbox.withdrawn_key(site), sandbox.withdrawn_key(site).kid, claims)
    key = sandbox.rotate(site) if take(FaultKind.ROTATED_KEY, site, "token") else sandbox.key(site)
    return _by(key, key.kid, claims)


def _by(key: RSAKey, key_id: str | None, claims: Claims) -> str:
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key_id}, claims, key, algorithms=["RS256"])


def _by_hand(header: Mapping[str, object], claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    text = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((text, _base64(sign(text)))).decode()


def _base64(found: bytes) -> bytes:
    return base64.urlsafe_b64encode(found).rstrip(b"=")
