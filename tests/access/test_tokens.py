"""Tokens: only our own, only while they hold, and what an attacker sends is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import RSAKey

from hub.access import tokens
from hub.access.accounts import Account
from hub.access.grants import Grant
from hub.access.tokens import TokenRefused, TokenVerifier
from hub.principal import Principal, Scope
from tests.access.conftest import AUDIENCE, ISSUER, NOW, PASSWORD, Process
from tests.access.forging import part, read_part, signed_by, split

SECONDS = NOW // 1000


async def token_of(hub: Process, lifetime: int = 3600) -> bytes:
    grant = await hub.grant()
    return (await hub.issuer.access_token(grant, lifetime, NOW)).encode()


async def refusal(hub: Process, token: bytes, now: int = NOW) -> str:
    for _ in range(2):  # the second time it could have been remembered
        with pytest.raises(TokenRefused) as refused:
            await hub.verifier.verify(token, now)
    return refused.value.reason


async def signed(hub: Process, header: dict[str, Any], payload: object) -> bytes:
    """A token signed by the hub's own key, with any header (joserfc would refuse to)."""
    key = (await hub.keys.current(NOW)).key
    return signed_by(key, header, payload)


async def test_a_token_is_its_grants_principal(hub: Process) -> None:
    principal = await hub.verifier.verify(await token_of(hub), NOW)
    assert principal.name == "li"
    assert principal.roles == {"doctor"}
    assert principal.fhir_user == "Practitioner/1"
    assert principal.client == "app"
    assert principal.scopes == (Scope("user", "Observation", frozenset("rs")),)
    assert (principal.patient, principal.encounter) == ("p1", "e1")
    assert await hub.grants.get(principal.grant, NOW)


async def test_a_token_may_have_narrower_scopes_than_its_grant(hub: Process) -> None:
    grant = await hub.grant("Observation Condition")
    token = await hub.issuer.access_token(grant, 60, NOW, scope="Condition")
    principal = await hub.verifier.verify(token.encode(), NOW)
    assert [scope.type for scope in principal.scopes or ()] == ["Condition"]


async def test_a_service_is_its_client(hub: Process) -> None:
    await hub.grant()
    grant = await hub.grants.start(Grant(client="app", scope="Patient"), NOW)
    token = await hub.issuer.access_token(grant, 300, NOW)
    principal = await hub.verifier.verify(token.encode(), NOW)
    assert (principal.name, principal.roles) == ("app", {"system"})


async def test_a_token_says_what_rfc_9068_asks(hub: Process) -> None:
    header, claims, _ = split(await token_of(hub))
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": header["kid"]}
    assert claims["iss"] == ISSUER
    assert claims["aud"] == AUDIENCE
    assert claims["exp"] - claims["iat"] == 3600
    assert {"sub", "client_id", "scope", "jti", "gid"} <= set(claims)


async def test_it_ends_when_it_expires(hub: Process) -> None:
    token = await token_of(hub, 60)
    assert await hub.verifier.verify(token, NOW + 60_000)
    assert await refusal(hub, token, NOW + 60_000 + tokens.LEEWAY) == "expired"


async def test_it_does_not_begin_before_its_time(hub: Process) -> None:
    token = await token_of(hub)
    assert await refusal(hub, token, NOW - tokens.LEEWAY - 1000) == "early"
    header, claims, _ = split(token)
    later = await signed(hub, header, claims | {"nbf": SECONDS + 60})
    assert await refusal(hub, later) == "early"
    assert await hub.verifier.verify(later, NOW + 60_000)


# --- hostile ------------------------------------------------------------------------------------

Forgery = Callable[[dict[str, Any], dict[str, Any]], tuple[dict[str, Any], object]]

SIGNED: dict[str, tuple[str, Forgery]] = {
    "another audience": ("audience", lambda h, c: (h, c | {"aud": "https://else.org/fhir"})),
    "the issuer as audience": ("audience", lambda h, c: (h, c | {"aud": ISSUER})),
    "a list of audiences": ("claims", lambda h, c: (h, c | {"aud": [AUDIENCE]})),
    "another issuer": ("issuer", lambda h, c: (h, c | {"iss": "https://else.org"})),
    "an issuer with a slash": ("issuer", lambda h, c: (h, c | {"iss": ISSUER + "/"})),
    "no audience": ("claims", lambda h, c: (h, {k: v for k, v in c.items() if k != "aud"})),
    "no end": ("claims", lambda h, c: (h, {k: v for k, v in c.items() if k != "exp"})),
    "no grant": ("claims", lambda h, c: (h, {k: v for k, v in c.items() if k != "gid"})),
    "a huge end": ("claims", lambda h, c: (h, c | {"exp": 10**400})),
    "a text as end": ("claims", lambda h, c: (h, c | {"exp": "9999999999"})),
    "true as end": ("claims", lambda h, c: (h, c | {"exp": True})),
    "another person": ("claims", lambda h, c: (h, c | {"sub": "admin"})),
    "another client": ("claims", lambda h, c: (h, c | {"client_id": "other"})),
    "another grant": ("revoked", lambda h, c: (h, c | {"gid": "' OR 1=1 --"})),
    "a long grant": ("revoked", lambda h, c: (h, c | {"gid": "x" * 3000})),
    "claims that are a list": ("claims", lambda h, c: (h, [c])),
    "claims that are no JSON": ("claims", lambda h, c: (h, b"\xff{")),
    "deep claims": ("claims", lambda h, c: (h, b'{"iss":' + b"[" * 5000)),
    "deep unknown claims": ("claims", lambda h, c: (h, b'{"x":' + b"[" * 5000)),
    "an id_token": ("malformed", lambda h, c: (h | {"typ": "JWT"}, c)),
    "no type": ("malformed", lambda h, c: ({k: v for k, v in h.items() if k != "typ"}, c)),
    "jku": ("malformed", lambda h, c: (h | {"jku": "https://evil.example/jwks"}, c)),
    "x5u": ("malformed", lambda h, c: (h | {"x5u": "https://evil.example/cert"}, c)),
    "x5c": ("malformed", lambda h, c: (h | {"x5c": ["AAAA"]}, c)),
    "jwk": ("malformed", lambda h, c: (h | {"jwk": {"kty": "oct", "k": "AA"}}, c)),
    "crit": ("malformed", lambda h, c: (h | {"crit": ["exp"]}, c)),
    "b64": ("malformed", lambda h, c: (h | {"crit": ["b64"], "b64": False}, c)),
    "zip": ("malformed", lambda h, c: (h | {"zip": "DEF"}, c)),
    "no kid": ("malformed", lambda h, c: ({k: v for k, v in h.items() if k != "kid"}, c)),
    "an unknown kid": ("key", lambda h, c: (h | {"kid": "A" * 43}, c)),
    "a path as kid": ("key", lambda h, c: (h | {"kid": "../../../../dev/null"}, c)),
    "SQL as kid": ("key", lambda h, c: (h | {"kid": "' UNION SELECT 'AA' --"}, c)),
    "a URL as kid": ("key", lambda h, c: (h | {"kid": "https://evil.example/k"}, c)),
    "the current key by its place": ("key", lambda h, c: (h | {"kid": "current"}, c)),
    "a number as kid": ("malformed", lambda h, c: (h | {"kid": 1}, c)),
    "RS512": ("algorithm", lambda h, c: (h | {"alg": "RS512"}, c)),
    "PS256": ("algorithm", lambda h, c: (h | {"alg": "PS256"}, c)),
    "none": ("algorithm", lambda h, c: (h | {"alg": "none"}, c)),
    "None": ("algorithm", lambda h, c: (h | {"alg": "nOnE"}, c)),
}
"""Even our own key does not make these good."""


@pytest.mark.parametrize("name", SIGNED)
async def test_what_is_signed_but_wrong_is_refused(hub: Process, name: str) -> None:
    reason, forge = SIGNED[name]
    header, claims, _ = split(await token_of(hub))
    assert await hub.verifier.verify(await signed(hub, header, claims), NOW)
    assert await refusal(hub, await signed(hub, *forge(header, claims))) == reason


async def test_alg_none_without_signature_is_refused(hub: Process) -> None:
    header, claims, _ = split(await token_of(hub))
    body = part(header | {"alg": "none"}) + b"." + part(claims)
    assert await refusal(hub, body + b".") == "malformed"
    assert await refusal(hub, body + b".AA") == "algorithm"


async def test_the_public_key_is_no_secret_to_sign_with(hub: Process) -> None:
    header, claims, _ = split(await token_of(hub))
    key = await hub.keys.public(header["kid"], NOW)
    assert key is not None
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        for algorithm in ("HS256", "RS256"):
            data = part(header | {"alg": algorithm}) + b"." + part(claims)
            forged = data + b"." + part(hmac.digest(secret, data, hashlib.sha256))
            expected = "algorithm" if algorithm == "HS256" else "signature"
            assert await refusal(hub, forged) == expected


async def test_another_key_with_our_kid_is_refused(hub: Process) -> None:
    header, claims, _ = split(await token_of(hub))
    other = RSAKey.generate_key(2048, private=True)
    forged = jws.serialize_compact(header, json.dumps(claims), other, ["RS256"])
    assert await refusal(hub, forged.encode()) == "signature"


async def test_changed_claims_under_the_old_signature_are_refused(hub: Process) -> None:
    token = await token_of(hub)
    await hub.verifier.verify(token, NOW)
    header, claims, signature = split(token)
    forged = part(header) + b"." + part(claims | {"scope": "*"}) + b"." + signature
    assert await refusal(hub, forged) == "signature"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"a.b.c.d.e",
        b" a.b.c",
        b"a.b.c\n",
        b"a.b.c=",
        b"\x00.\x00.\x00",
        b"\xff\xfe.a.b",
        "e30.e30.签".encode(),
        b"!!!!.!!!!.!!!!",
        b"e30.e30.e30",
        b"W10.e30.e30",
        b"bnVsbA.e30.e30",
        b"AA.AA.AA",
    ],
)
async def test_what_is_no_token_is_refused(hub: Process, token: bytes) -> None:
    assert await refusal(hub, token) == "malformed"


async def test_a_megabyte_is_refused_at_once(hub: Process) -> None:
    token = await token_of(hub)
    for large in (b"A" * (1 << 20), token + b"A" * (1 << 20), b"." * (1 << 20)):
        began = time.process_time()
        assert await refusal(hub, large) == "too-large"
        assert time.process_time() - began < 0.01


async def test_a_deep_header_is_refused(hub: Process) -> None:
    for header in (b"[" * 5000, b'{"alg":' + b"[" * 5000, b'{"x":' + b'{"x":' * 1000):
        assert await refusal(hub, part(header) + b".e30.AAAA") == "malformed"


async def test_there_is_one_way_only_to_write_a_token(hub: Process) -> None:
    token = await token_of(hub)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = []
    for last in alphabet:  # 256 bytes leave four bits of the last character unused
        other = token[:-1] + bytes([last])
        if other != token and read_part(other.split(b".")[2]) == read_part(token.split(b".")[2]):
            same.append(other)
    assert len(same) == 15
    for other in same:
        assert await refusal(hub, other) == "malformed"
    assert await refusal(hub, token.replace(b"-", b"+").replace(b"_", b"/") + b"=") == "malformed"


async def test_a_token_with_any_byte_changed_is_refused(hub: Process) -> None:
    token = await token_of(hub)
    header, payload, _ = token.split(b".")
    places = [*range(0, len(token), 7), len(header), len(header) + len(payload) + 1, len(token) - 1]
    for place in places:
        for other in (b"A", b"_", b".", b"=", b"\x00", b""):
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                with pytest.raises(TokenRefused):
                    await hub.verifier.verify(changed, NOW)


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_are_worse_than_refused(header: bytes, payload: bytes, signature: bytes) -> None:
    for token in (header, b".".join((header, payload, signature)), _joined(header, payload)):
        with pytest.raises(TokenRefused):
            tokens._parts(token)


def _joined(header: bytes, payload: bytes) -> bytes:
    return b".".join(map(part, (header, payload, b"x")))


# --- revocation ---------------------------------------------------------------------------------


async def test_a_revoked_grant_ends_its_tokens_at_once(hub: Process) -> None:
    token = await token_of(hub)
    principal = await hub.verifier.verify(token, NOW)
    assert await hub.grants.revoke(principal.grant, NOW)
    assert await refusal(hub, token) == "revoked"


async def test_a_revocation_elsewhere_counts_within_a_second(hub: Process) -> None:
    token = await token_of(hub)
    other = hub.another()
    principal = await other.verifier.verify(token, NOW)
    await hub.grants.revoke(principal.grant, NOW + 1)
    assert await refusal(other, token, NOW + 1001) == "revoked"


@pytest.mark.parametrize("what", ["disabled", "password", "account gone", "client gone", "anew"])
async def test_what_voids_a_grant_ends_its_tokens(hub: Process, what: str) -> None:
    token = await token_of(hub)
    other = hub.another()
    assert await hub.verifier.verify(token, NOW)
    assert await other.verifier.verify(token, NOW)
    later = NOW + 10
    if what == "disabled":
        await hub.accounts.disable("LI", later)
        assert await refusal(hub, token, later) == "revoked"
        await hub.accounts.enable("li", later)
    elif what == "password":
        await hub.accounts.set_password("li", PASSWORD + "2", later)
    elif what == "account gone":
        await hub.accounts.remove("li", later)
    elif what == "client gone":
        await hub.clients.remove("app", later)
    else:
        await hub.accounts.remove("li", later)
        await hub.accounts.add("li", PASSWORD, later, roles=("admin",))
    assert await refusal(hub, token, later) == "revoked"
    assert await refusal(other, token, later + 1000) == "revoked"


async def test_a_principal_is_made_anew_after_a_while_and_stays_itself_while_it_is_the_same(
    hub: Process,
) -> None:
    patients = frozenset(("a",))

    async def person(account: Account | None, grant: Grant) -> Principal:
        return Principal("li", patients=patients)

    verifier = TokenVerifier(
        hub.keys, hub.grants, hub.generation, person, issuer=ISSUER, audience=AUDIENCE
    )
    token = await token_of(hub)
    first = await verifier.verify(token, NOW)
    assert await verifier.verify(token, NOW + tokens.KEPT) is first
    patients = frozenset(("b",))
    assert await verifier.verify(token, NOW + 2 * tokens.KEPT - 1) is first
    assert (await verifier.verify(token, NOW + 2 * tokens.KEPT)).patients == patients


async def test_what_is_remembered_is_bounded(hub: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_CACHED", 3)
    grant = await hub.grant()
    made = [(await hub.issuer.access_token(grant, 60, NOW)).encode() for _ in range(6)]
    for token in made + made[::-1]:
        assert await hub.verifier.verify(token, NOW)
    assert len(hub.verifier._cache) == 3


async def test_the_issuers_id_token_is_no_access_token(hub: Process) -> None:
    await hub.grant()
    token = await hub.issuer.id_token({"sub": "li", "aud": "app", "nonce": "n"}, 300, NOW)
    header, claims, _ = split(token.encode())
    assert header["typ"] == "JWT"
    assert claims["iss"] == ISSUER
    assert await refusal(hub, token.encode()) == "malformed"
