"""Backend Services, and apps that sign: who they are is proved by an assertion that counts once."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from tests.auth.site import ASSERTION, KEYS, RSA, Site, Visitor

OTHER = ECKey.generate_key("P-384", {"kid": "ec"}, private=True)


@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_a_service_reads_what_it_registered_for(site: Site, alg: str) -> None:
    reply = site.service(site.assertion(alg=alg), scope="system/*.rs")
    assert reply.status_code == 200, reply.text
    tokens = reply.json()
    assert tokens["scope"] == "system/Observation.rs system/Patient.rs"
    assert tokens["expires_in"] == 300
    assert not {"refresh_token", "id_token", "patient", "smart_style_url"} & set(tokens)
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert httpx.get(f"{site.base}/Patient/p1", headers=bearer).status_code == 200
    assert httpx.get(f"{site.base}/Encounter/e1", headers=bearer).status_code == 403
    assert site.audited("token")[0]["client"] == "service"


def test_an_assertion_counts_once(site: Site) -> None:
    assertion = site.assertion()
    assert site.service(assertion).status_code == 200
    again = site.service(assertion)
    assert again.status_code == 401
    assert again.json()["error"] == "invalid_client"
    assert not site.audited("token")[1]["ok"]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example/auth/token"},
        {"aud": None},
        {"aud": []},
        {"aud": ["https://elsewhere.example", "{token}"]},
        {"iss": "web"},
        {"sub": "web"},
        {"iss": None},
        {"sub": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": time.time() - 60},
        {"exp": time.time() + 86_400},
        {"exp": 1e308},
        {"nbf": time.time() + 86_400},
        {"iat": time.time() + 86_400},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 300},
        {"jti": 7},
        {"key": OTHER},
        {"header": {"kid": "another"}},
        {"header": {"kid": "rsa"}},
        {"header": {"kid": "../../etc/passwd"}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"jku": "https://evil.example/keys"}},
        {"alg": "RS256"},
        {"alg": "PS384"},
    ],
    ids=lambda claims: " ".join(map(str, claims.items()))[:60],
)
def test_an_assertion_that_is_not_quite_right_is_refused(
    site: Site, claims: dict[str, Any]
) -> None:
    if isinstance(claims.get("aud"), list):
        made = [one.format(token=f"{site.url}/auth/token") for one in claims["aud"]]
        claims = claims | {"aud": made}
    reply = site.service(site.assertion(**claims))
    assert reply.status_code == 401
    assert reply.json()["error"] == "invalid_client"
    assert not site.audited("token")[0]["ok"]


def _forged(header: dict[str, str], payload: str, secret: bytes) -> str:
    """Signed by hand: no library does this."""
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    signed = f"{head}.{payload}"
    mac = hmac.digest(secret, signed.encode(), "sha384")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_public_key_is_no_secret_to_sign_with(site: Site) -> None:
    """RS/HS confusion, and no signature at all."""
    payload = site.assertion().split(".")[1]
    for secret in (RSA.as_pem(private=False), KEYS.encode()):
        for alg in ("HS384", "RS384", "none"):
            forged = _forged({"alg": alg, "kid": "rsa"}, payload, secret)
            assert site.service(forged).status_code == 401
    assert site.service(site.assertion().rpartition(".")[0] + ".").status_code == 401


@pytest.mark.parametrize(
    "assertion",
    [
        "x",
        "a.b.c",
        "." * 3,
        "e30.e30.AAAA",
        "A" * 9000,
        "W10.W10.AAAA",
        "[" * 4000 + ".x.y",
        "é.é.é",
    ],
    ids=lambda text: text[:10],
)
def test_what_is_no_assertion_is_refused(site: Site, assertion: str) -> None:
    assert site.service(assertion).json()["error"] == "invalid_client"


def test_an_assertion_says_its_type(site: Site) -> None:
    reply = site.service(client_assertion_type="urn:ietf:params:oauth:grant-type:jwt-bearer")
    assert reply.json()["error"] == "invalid_client"


def test_only_services_get_tokens_without_a_person(site: Site) -> None:
    secret = {"client_id": "web", "client_secret": site.secrets["web"]}
    web = site.token(grant_type="client_credentials", scope="system/*.rs", **secret)
    assert web.status_code in (400, 401)
    public = site.token(grant_type="client_credentials", scope="system/*.rs", client_id="app")
    assert public.status_code in (400, 401)
    signing = site.service(site.assertion("signing"))
    assert signing.json()["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    "scope", ["user/*.rs", "patient/*.rs", "openid", "system/Encounter.rs", ""]
)
def test_a_service_gets_system_scopes_it_registered_for_or_none(site: Site, scope: str) -> None:
    assert site.service(scope=scope).json()["error"] == "invalid_scope"


def test_an_app_that_signs_redeems_its_code(site: Site, visitor: Visitor) -> None:
    code = visitor.code(client_id="signing")
    proof = {"client_assertion_type": ASSERTION, "client_assertion": site.assertion("signing")}
    reply = visitor.exchange(code, client_id="signing", **proof)
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("way", ["basic", "post"])
def test_an_app_with_a_secret_redeems_its_code(site: Site, visitor: Visitor, way: str) -> None:
    code = visitor.code(client_id="web")
    data = {"code": code, "redirect_uri": "https://app.example.org/done"}
    data |= {"grant_type": "authorization_code", "code_verifier": visitor.verifier}
    secret = site.secrets["web"]
    if way == "basic":
        reply = site.post("/auth/token", data, auth=("web", secret))
    else:
        reply = site.post("/auth/token", data | {"client_id": "web", "client_secret": secret})
    assert reply.status_code == 200, reply.text


def test_a_client_that_does_not_show_who_it_is_gets_nothing(site: Site, visitor: Visitor) -> None:
    code, secret = visitor.code(client_id="web"), site.secrets["web"]
    data = {"grant_type": "authorization_code", "code": code, "code_verifier": visitor.verifier}
    data |= {"redirect_uri": "https://app.example.org/done"}
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"client_id": "web"}, {}),
        ({"client_id": "web", "client_secret": "wrong"}, {}),
        ({"client_id": "nobody"}, {}),
        ({}, {}),
        ({}, {"authorization": "Basic " + "d2ViOg=="}),
        ({}, {"authorization": "Basic " + "d2Vi"}),
        ({}, {"authorization": "Basic !!!"}),
        ({}, {"authorization": "Basic /w=="}),
        ({}, {"authorization": "Bearer x"}),
        ({"client_assertion": site.assertion("signing"), "client_assertion_type": ASSERTION}, {}),
    ]
    for more, headers in tries:
        reply = site.post("/auth/token", data | more, headers=headers)
        assert reply.status_code in (400, 401), (more, headers)
        assert "access_token" not in reply.text
        if reply.status_code == 401:
            assert reply.headers["www-authenticate"].startswith("Basic ")
    # In two ways at a time, or as two clients: neither counts.
    twice = data | {"client_id": "web", "client_secret": secret}
    reply = site.post("/auth/token", twice, auth=("web", secret))
    assert reply.json()["error"] == "invalid_request"
    reply = site.post("/auth/token", data | {"client_id": "app"}, auth=("web", secret))
    assert reply.json()["error"] == "invalid_request"
    # And with the right secret the code is still good.
    assert site.post("/auth/token", data, auth=("web", secret)).status_code == 200
