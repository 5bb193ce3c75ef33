"""What may be registered as a client, and what may not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey
from msgspec.structs import replace

from hub.access.clients import Client, ClientRefused
from hub.access.key_sets import KeysUnusable, read_key_set
from hub.access.redirect_uris import may_register
from tests.access.conftest import APP, NOW, Process

EC = ECKey.generate_key("P-384", {"kid": "one"}, private=True)


def key_set(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})


JWKS = key_set({**EC.as_dict(private=False), "kid": "one"})
SERVICE = Client(
    id="lab",
    name="Laboratory",
    type="confidential-asymmetric",
    grant_types=("client_credentials",),
    scope="system/Observation.rs",
    jwks=JWKS,
)

GOOD = [
    "https://app.example.org",
    "https://app.example.org/",
    "https://app.example.org:8443/cb?x=1&y=%20",
    "https://xn--fiq228c.example/cb",
    "https://[2001:db8::1]/cb",
    "http://127.0.0.1:3000/cb",
    "http://localhost/cb",
    "http://[::1]:8080/cb",
]
OWN_SCHEME = ["com.example.app:/done", "com.example.app:/", "org.h-1.a+b:/a/b?c=d"]
BAD = [
    "",
    "https://",
    "https:///cb",
    "https:app.example.org/cb",
    "//app.example.org/cb",
    "/cb",
    "http://app.example.org/cb",
    "http://10.0.0.1/cb",
    "http://localhost.evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "https://app.example.org/cb#x",
    "https://app.example.org/cb#",
    "https://*.example.org/cb",
    "https://app.example.org/*",
    "https://user@app.example.org/cb",
    "https://user:pw@app.example.org/cb",
    "https://app.example.org@evil.example/cb",
    "https://app.example.org\\@evil.example/cb",
    "https://app.example.org\\cb",
    "https://app.example.org/a/../b",
    "https://app.example.org/a/%2e%2E/b",
    "https://app.example.org/./b",
    "https://app.example.org/..",
    "https://app.example.org/%00",
    "https://app.example.org/%0d%0aSet-Cookie:x",
    "https://app.example.org/%2fb",
    "https://app.example.org/%zz",
    "https://app.example.org/a b",
    "https://app.example.org/\n",
    " https://app.example.org/",
    "https://app.example.org/中",
    "https://例.example/",
    "https://app..example.org/",
    "https://.example.org/",
    "https://app.example.org:0/",
    "https://app.example.org:99999/",
    "https://app.example.org:x/",
    "https://[::1/cb",
    "https://app.example.org/" + "x" * 1000,
    "HTTPS://app.example.org/cb",
    "ftp://app.example.org/cb",
    "javascript:alert(1)",
    "javascript.x:alert(1)",
    "data:text/html,x",
    "data.x:text/html,x",
    "file:///etc/passwd",
    "urn:ietf:wg:oauth:2.0:oob",
    "myapp:/cb",
    "com.example.app://host/cb",
    "com.example.app:/a@b",
    "com.example.app:/a/../b",
    "com.example.app:/a#b",
    "Com.example.app:/a",
]


@pytest.mark.parametrize("uri", GOOD)
def test_these_may_be_registered(uri: str) -> None:
    assert may_register(uri, public=True)
    assert may_register(uri, public=False)


@pytest.mark.parametrize("uri", OWN_SCHEME)
def test_a_scheme_of_its_own_is_for_public_clients(uri: str) -> None:
    assert may_register(uri, public=True)
    assert not may_register(uri, public=False)


@pytest.mark.parametrize("uri", BAD)
def test_these_may_not_be_registered(uri: str) -> None:
    assert not may_register(uri, public=True)


@given(st.text(max_size=40), st.sampled_from(["https://", "http://", "a.b:/", ""]), st.booleans())
def test_whatever_may_be_registered_leads_where_it_seems_to(
    rest: str, start: str, public: bool
) -> None:
    uri = start + rest
    if may_register(uri, public):
        assert uri.isascii()
        assert uri.isprintable()
        assert not set(uri) & set('#*\\<> "`{}|^')
        parts = urlsplit(uri)
        assert parts.scheme in ("https", "http") or (public and "." in parts.scheme)
        assert "@" not in parts.netloc
        assert httpx.URL(uri).host == (parts.hostname or "")


async def test_a_redirect_uri_is_compared_character_by_character(hub: Process) -> None:
    client, _ = await hub.clients.add(APP, NOW)
    assert client.redirects_to("https://app.example.org/cb")
    for other in (
        "https://app.example.org/cb/",
        "https://app.example.org/CB",
        "https://app.example.org:443/cb",
        "https://app.example.org/cb?",
        "https://app.example.org/c%62",
        "https://APP.example.org/cb",
        "",
    ):
        assert not client.redirects_to(other)


async def test_a_confidential_client_gets_a_secret_once(hub: Process) -> None:
    client, secret = await hub.clients.add(replace(APP, type="confidential-symmetric"), NOW)
    assert len(secret) >= 43
    found = await hub.clients.get("app", NOW)
    assert found == client
    assert secret not in str(found)
    assert found.has_secret(secret)
    for wrong in ("", secret + "x", secret[:-1], client.secret, "\ud800", "x" * 9999):
        assert not found.has_secret(wrong)


async def test_a_client_without_secret_has_none_that_fits(hub: Process) -> None:
    client, secret = await hub.clients.add(APP, NOW)
    assert secret == ""
    assert not client.has_secret("")


async def test_a_services_key_is_found_by_its_name(hub: Process) -> None:
    client, _ = await hub.clients.add(SERVICE, NOW)
    assert (await hub.clients.key(client, "one")).kid == "one"
    with pytest.raises(KeysUnusable):
        await hub.clients.key(client, "two")


async def test_ids_are_chosen_and_unique(hub: Process) -> None:
    made = [await hub.clients.add(replace(APP, id=""), NOW) for _ in range(5)]
    assert len({client.id for client, _ in made}) == 5
    await hub.clients.add(APP, NOW)
    with pytest.raises(ClientRefused, match="access-client-exists"):
        await hub.clients.add(APP, NOW)
    assert len([client async for client in hub.clients.all(NOW)]) == 6
    await hub.clients.remove("app", NOW)
    assert await hub.clients.get("app", NOW) is None
    with pytest.raises(ClientRefused, match="access-client-missing"):
        await hub.clients.remove("app", NOW)


@pytest.mark.parametrize(
    ("message", "changed"),
    [
        ("access-client-id", {"id": "a b"}),
        ("access-client-id", {"id": "../x"}),
        ("access-client-id", {"id": "x" * 65}),
        ("access-client-name", {"name": ""}),
        ("access-client-name", {"name": "x" * 101}),
        ("access-client-name", {"name": "a\x1b[2J"}),
        ("access-client-type", {"type": "secret"}),
        ("access-client-grant", {"grant_types": ("password",)}),
        ("access-client-grant", {"grant_types": ("implicit",)}),
        ("access-client-grant", {"grant_types": ("client_credentials",)}),
        ("access-client-scope", {"scope": 'patient/*.rs "'}),
        ("access-client-scope", {"scope": "a  b"}),
        ("access-client-scope", {"scope": "x" * 4001}),
        ("access-client-redirects", {"redirect_uris": ()}),
        ("access-client-redirects", {"redirect_uris": ("https://a.org/",) * 11}),
        ("access-redirect-uri", {"redirect_uris": ("javascript:alert(1)",)}),
        ("access-client-url", {"launch_url": "http://app.example.org/launch"}),
        ("access-client-keys", {"jwks": JWKS}),
        ("access-client-keys", {"jwks_uri": "https://app.example.org/jwks"}),
        ("access-client-keys", {"type": "confidential-asymmetric"}),
        (
            "access-client-keys",
            {"type": "confidential-asymmetric", "jwks": JWKS, "jwks_uri": "https://a.org/"},
        ),
        ("access-client-url", {"type": "confidential-asymmetric", "jwks_uri": "http://localhost/"}),
        ("access-client-jwks", {"type": "confidential-asymmetric", "jwks": "{}"}),
        (
            "access-client-grant",
            {"type": "confidential-symmetric", "grant_types": ("client_credentials",)},
        ),
    ],
)
async def test_what_cannot_be_a_client_is_refused(
    hub: Process, message: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(ClientRefused, match=message):
        await hub.clients.add(replace(APP, **changed), NOW)


async def test_a_service_has_no_redirect_uri(hub: Process) -> None:
    with pytest.raises(ClientRefused, match="access-client-redirects"):
        await hub.clients.add(replace(SERVICE, redirect_uris=APP.redirect_uris), NOW)


def _key(key: RSAKey | ECKey | OctKey, private: bool = False, **more: str) -> dict[str, Any]:
    return {**key.as_dict(private=private), "kid": "one", **more}


WEAK = {"kty": "RSA", "kid": "one", "n": "u" * 171, "e": "AQAB"}


@pytest.mark.parametrize(
    "data",
    [
        "",
        "null",
        "[]",
        '{"keys": 1}',
        key_set(),
        key_set({"kty": "RSA"}),
        key_set({"kty": "RSA", "kid": "one"}),
        key_set({"kty": "RSA", "kid": "one", "n": "!", "e": "AQAB"}),
        key_set({"kty": "EC", "kid": "one", "crv": "P-384", "x": "AA", "y": "AA"}),
        key_set({"kty": "EC", "kid": "one", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        key_set({"kty": "oct", "kid": "one", "k": "AAAA"}),
        key_set(_key(EC, private=True)),
        key_set(WEAK),
        key_set({**EC.as_dict(private=False), "kid": ""}),
        key_set({**EC.as_dict(private=False), "kid": 5}),
        key_set(_key(EC), _key(EC)),
        key_set(*[_key(EC, kid=str(n)) for n in range(11)]),
        key_set(_key(EC, x5c="x" * 70_000)),
        '{"keys":' + "[" * 9000,
    ],
)
def test_what_is_no_set_of_good_public_keys_is_refused(data: str) -> None:
    with pytest.raises(KeysUnusable) as refused:
        read_key_set(data)
    assert len(str(refused.value)) < 100


def test_a_set_of_good_public_keys_is_taken() -> None:
    rsa = RSAKey.generate_key(2048, private=True)
    found = read_key_set(key_set(_key(EC, alg="ES384"), _key(rsa, kid="two", use="sig")))
    assert [key.kid for key in found.keys] == ["one", "two"]
