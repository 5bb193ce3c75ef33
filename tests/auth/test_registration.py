"""Apps that register themselves get little, and only so often."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from hub.auth import register
from tests.auth.site import KEYS, Site, Visitor, returned, serving, words

APP: dict[str, Any] = {
    "client_name": "Step counter",
    "redirect_uris": ["https://steps.example/done"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "launch/patient patient/Observation.cruds system/*.cruds",
    "software_id": "steps",
    "unknown": "is ignored",
}


def ask(site: Site, **changed: Any) -> httpx.Response:
    made = {name: value for name, value in (APP | changed).items() if value is not None}
    return site.post("/auth/register", json=made)


def test_an_app_registers_itself_and_people_are_warned(site: Site, visitor: Visitor) -> None:
    reply = ask(site)
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    made = reply.json()
    assert made["client_id"]
    assert "client_secret" not in made
    assert made["scope"] == "launch/patient patient/Observation.cruds"
    assert made["redirect_uris"] == APP["redirect_uris"]
    assert "unknown" not in made
    assert site.audited("register")[0]["client"] == made["client_id"]
    asked = {"client_id": made["client_id"], "redirect_uri": APP["redirect_uris"][0]}
    page = visitor.log_in(visitor.ask(**asked, scope="launch/patient patient/*.cruds"), "zhang")
    text = words(page)
    assert "Nobody at your health centre has checked it." in text
    assert "See, add, change and delete measurements" in text
    assert "changes data" in text
    assert returned(visitor.agree(page))["code"]


def test_an_app_with_a_secret_is_told_it_once(site: Site) -> None:
    made = ask(site, token_endpoint_auth_method="client_secret_post").json()
    assert len(made["client_secret"]) == 43
    assert made["client_secret_expires_at"] == 0


def test_an_app_with_keys_registers_them(site: Site) -> None:
    keys = msgspec.json.decode(KEYS)
    reply = ask(site, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    assert reply.status_code == 201, reply.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_redirect_uri"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata"),
        ({"jwks_uri": "http://127.0.0.1/keys"}, "invalid_client_metadata"),
        ({"client_name": "x" * 200}, "invalid_client_metadata"),
        ({"client_name": "a\u0000b"}, "invalid_client_metadata"),
        ({"client_name": "\u202eevil"}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"scope": "x" * 5000}, "invalid_client_metadata"),
        ({"scope": 'patient/*.rs "'}, "invalid_client_metadata"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/"] * 11}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://a.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.example/"}, "invalid_client_metadata"),
    ],
    ids=str,
)
def test_what_no_app_may_be_is_refused(site: Site, changed: dict[str, Any], error: str) -> None:
    reply = ask(site, **changed)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"] == error
    assert not site.audited("register")[0]["ok"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"scope":"\xff"}', b"null"])
def test_what_cannot_be_read_is_refused(site: Site, body: bytes) -> None:
    kind = {"content-type": "application/json"}
    reply = httpx.post(site.url + "/auth/register", content=body, headers=kind)
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_client_metadata"


def test_one_address_registers_so_many_an_hour(site: Site) -> None:
    replies = [ask(site).status_code for _ in range(register.PER_ADDRESS + 1)]
    assert replies == [201] * register.PER_ADDRESS + [429]
    site.shift = 3601
    assert ask(site).status_code == 201


def test_an_app_that_nobody_lets_in_is_forgotten(site: Site, visitor: Visitor) -> None:
    unused, used = (ask(site).json()["client_id"] for _ in range(2))
    asked = {"client_id": used, "redirect_uri": APP["redirect_uris"][0]}
    visitor.code("zhang", **asked, scope="launch/patient patient/*.rs")
    site.shift = register.UNUSED / 1000 - 60
    assert site.run(site.desk.clients.get(unused, site.now)) is not None
    site.shift += 120
    assert site.run(site.desk.clients.get(unused, site.now)) is None
    assert site.run(site.desk.clients.get(used, site.now)) is not None


def test_nobody_registers_where_the_administrator_does_not_let_them() -> None:
    with serving() as site:
        reply = ask(site)
        assert reply.status_code == 403
        found = httpx.get(f"{site.base}/.well-known/smart-configuration").json()
        assert "registration_endpoint" not in found
