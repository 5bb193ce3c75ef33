"""Forged, stale and foreign access tokens over HTTP: 401, the same words for all, and audited."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.access.forging import part, signed_by, split
from tests.access.hostile.lab import Lab

Parts = dict[str, Any]
Forgery = Callable[[Lab, Parts, Parts], bytes]


def ours(change: Callable[[Parts, Parts], tuple[Parts, Parts]]) -> Forgery:
    """Signed with the hub's own key: wrong by what it says alone."""

    def forge(lab: Lab, header: Parts, claims: Parts) -> bytes:
        return signed_by(lab.signing_key, *change(header, claims))

    return forge


def claim(**changed: object) -> Forgery:
    return ours(lambda header, claims: (header, claims | changed))


def head(**changed: object) -> Forgery:
    return ours(lambda header, claims: (header | changed, claims))


def unsigned(algorithm: str, signature: bytes) -> Forgery:
    def forge(lab: Lab, header: Parts, claims: Parts) -> bytes:
        return part(header | {"alg": algorithm}) + b"." + part(claims) + b"." + signature

    return forge


def with_the_public_key(algorithm: str, form: Callable[[RSAKey], bytes]) -> Forgery:
    """RS256 verified as HS256: the public key, which everybody has, as the secret."""

    def forge(lab: Lab, header: Parts, claims: Parts) -> bytes:
        data = part(header | {"alg": algorithm}) + b"." + part(claims)
        secret = form(lab.signing_key)
        return data + b"." + part(hmac.digest(secret, data, hashlib.sha256))

    return forge


def as_pem(key: RSAKey) -> bytes:
    return key.as_pem(private=False)


def as_jwk(key: RSAKey) -> bytes:
    return json.dumps(key.as_dict(private=False)).encode()


def by_another_key(**changed: object) -> Forgery:
    def forge(lab: Lab, header: Parts, claims: Parts) -> bytes:
        return signed_by(RSAKey.generate_key(2048, private=True), header | changed, claims)

    return forge


def oversized(lab: Lab, header: Parts, claims: Parts) -> bytes:
    return signed_by(lab.signing_key, header, claims | {"scope": "user/*.rs " * 900})


NOW = int(time.time())
FORGED: dict[str, Forgery] = {
    "alg none without a signature": unsigned("none", b""),
    "alg none with a signature": unsigned("none", b"AAAA"),
    "alg nOnE": unsigned("nOnE", b"AAAA"),
    "HS256 with the public key as PEM": with_the_public_key("HS256", as_pem),
    "HS256 with the public key as JWK": with_the_public_key("HS256", as_jwk),
    "RS256 that is an HMAC": with_the_public_key("RS256", as_pem),
    "RS512 by our key": head(alg="RS512"),
    "another key under our kid": by_another_key(),
    "a kid that is a path": head(kid="../../../../dev/null"),
    "a kid that is SQL": head(kid="' UNION SELECT 'AA' --"),
    "a kid that is an address": head(kid="https://evil.example/key"),
    "a kid that is a place in the ledger": head(kid="current"),
    "a key of its own in jwk": by_another_key(jwk={"kty": "oct", "k": "AA"}),
    "a key of its own at jku": by_another_key(jku="https://evil.example/jwks"),
    "a certificate of its own in x5c": by_another_key(x5c=["AAAA"]),
    "a header that asks for an extension": head(crit=["b64"], b64=False),
    "expired": claim(iat=NOW - 7200, exp=NOW - 3600),
    "not valid yet": claim(nbf=NOW + 3600),
    "made in the future": claim(iat=NOW + 3600, exp=NOW + 7200),
    "for another server": claim(aud="https://other.example.org/fhir"),
    "for this server without its path": ours(
        lambda header, claims: (header, claims | {"aud": claims["aud"].removesuffix("/fhir")})
    ),
    "for several servers": ours(lambda header, claims: (header, claims | {"aud": [claims["aud"]]})),
    "by another issuer": claim(iss="https://evil.example"),
    "of another person": claim(sub="tester"),
    "of another client": claim(client_id="other"),
    "of no grant": claim(gid="AAAAAAAAAAAAAAAAAAAAAA"),
    "an id_token": head(typ="JWT"),
    "too large": oversized,
}


@pytest.fixture(scope="session")
def good(lab: Lab) -> bytes:
    """A token that is good."""
    token = lab.token("li.wei").encode()
    assert ask(lab, token).status_code == 200
    return token


def ask(lab: Lab, token: bytes, path: str = "/Patient/wang", id: str = "") -> httpx.Response:
    headers = [(b"authorization", b"Bearer " + token)]
    if id:
        headers.append((b"x-request-id", id.encode()))
    return lab.anybody.get(path, headers=headers)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_and_audited(lab: Lab, good: bytes, name: str):
    header, claims, _ = split(good)
    assert ask(lab, signed_by(lab.signing_key, header, claims)).status_code == 200
    since, id = time.time(), lab.request_id()
    answer = ask(lab, FORGED[name](lab, header, claims), id=id)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="fhir", error="invalid_token"'
    assert answer.headers["cache-control"] == "no-store"
    # Which check failed is nobody's business.
    assert answer.content == ask(lab, b"nonsense").content
    assert id in json.dumps(lab.refusals(since))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Patient/wang"),
        ("GET", "/Patient/nobody"),
        ("GET", "/NoSuchType/1"),
        ("GET", "/Patient?_nonsense=1&_format=nonsense"),
        ("GET", "/no/such/path/at/all"),
        ("POST", "/Patient"),
        ("PUT", "/Patient/wang"),
        ("DELETE", "/Patient/wang"),
        ("POST", "/"),
        ("GET", "/_history"),
        ("GET", "/Patient/$everything"),
        ("POST", "/$nonsense"),
        ("PROPFIND", "/Patient"),
    ],
)
@pytest.mark.parametrize("token", ["", "forged"])
def test_nothing_is_looked_at_before_the_token(lab: Lab, method: str, path: str, token: str):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    since, id = time.time(), lab.request_id()
    headers["x-request-id"] = id
    answer = lab.anybody.request(method, path, headers=headers, content=b"{not json")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="fhir"')
    assert id in json.dumps(lab.refusals(since))


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/metadata",
        "/fhir/.well-known/smart-configuration",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/auth/jwks",
    ],
)
def test_what_an_app_needs_before_it_logs_in_is_open(lab: Lab, path: str):
    assert httpx.get(lab.hub.url + path).status_code == 200


def test_a_megabyte_of_token_is_refused_at_once(lab: Lab):
    began = time.monotonic()
    # The server may hang up on a header section without end.
    with contextlib.suppress(httpx.TransportError):
        assert ask(lab, b"A" * (1 << 20)).status_code in (400, 401, 431)
    assert time.monotonic() - began < 15, "it waits for no limit of the hub: these are 20 s or more"


def test_a_token_in_the_address_is_refused(lab: Lab, good: bytes):
    answer = lab.anybody.get("/Patient/wang", params={"access_token": good.decode()})
    assert answer.status_code == 401
    answer = ask(lab, good, f"/Patient/wang?access_token={good.decode()}")
    assert answer.status_code == 400


def test_two_authorization_headers_are_refused(lab: Lab, good: bytes):
    headers = [(b"authorization", b"Bearer " + good)] * 2
    assert lab.anybody.get("/Patient/wang", headers=headers).status_code == 401
