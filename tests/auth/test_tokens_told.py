"""Introspection, revocation and userinfo: who may know what of a token."""

from __future__ import annotations

import httpx
import pytest

from tests.auth.site import SCOPE, Site, Visitor


def ask(site: Site, token: str, client: str = "app", secret: str = "") -> httpx.Response:
    data = {"token": token} | ({} if secret else {"client_id": client})
    return site.post("/auth/introspect", data, auth=(client, secret) if secret else None)


def test_an_app_asks_about_its_own_token(site: Site, visitor: Visitor) -> None:
    tokens = visitor.tokens()
    told = ask(site, tokens["access_token"]).json()
    assert told["active"] is True
    assert told["scope"] == SCOPE
    assert told["client_id"] == "app"
    assert told["patient"] == "p1"
    assert told["fhirUser"] == f"{site.base}/Patient/p1"
    assert told["exp"] - told["iat"] == 900
    assert told["iss"] == site.url
    refresh = ask(site, tokens["refresh_token"]).json()
    assert refresh["active"] is True
    assert "exp" not in refresh


def test_others_tokens_are_told_to_resource_servers_only(site: Site, visitor: Visitor) -> None:
    token = visitor.tokens()["access_token"]
    assert ask(site, token, "native").json() == {"active": False}
    assert ask(site, token, "web", site.secrets["web"]).json()["active"] is True
    registered = site.post(
        "/auth/register",
        json={"client_name": "Curious", "redirect_uris": ["https://curious.example/"]},
    ).json()
    curious = ask(site, token, registered["client_id"], registered["client_secret"])
    assert curious.json() == {"active": False}


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "." * 10_000])
def test_what_is_no_token_is_not_active(site: Site, token: str) -> None:
    assert ask(site, token, "web", site.secrets["web"]).json() == {"active": False}


def test_who_asks_shows_who_it_is_and_names_a_token(site: Site) -> None:
    assert site.post("/auth/introspect", {"token": "x"}).status_code == 401
    assert site.post("/auth/introspect", {"client_id": "app"}).status_code == 400
    assert ask(site, "x", "web", "wrong").status_code == 401
    assert [one["ok"] for one in site.audited("introspect")] == [False] * 3


def test_a_token_that_is_over_is_not_active(site: Site, visitor: Visitor) -> None:
    token = visitor.tokens()["access_token"]
    site.shift = 910
    assert ask(site, token).json() == {"active": False}


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_what_an_app_gives_back_is_gone(site: Site, visitor: Visitor, which: str) -> None:
    tokens = visitor.tokens()
    data = {"token": tokens[which], "client_id": "app"}
    assert site.post("/auth/revoke", data | {"client_id": "native"}).status_code == 200
    assert ask(site, tokens["access_token"]).json()["active"] is True
    assert site.post("/auth/revoke", data).status_code == 200
    assert ask(site, tokens["access_token"]).json() == {"active": False}
    assert ask(site, tokens["refresh_token"]).json() == {"active": False}
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert httpx.get(f"{site.base}/Patient/p1", headers=bearer).status_code == 401
    assert site.post("/auth/revoke", data).status_code == 200
    assert site.audited("revoke")[0]["account"] == "zhang"


def test_userinfo_is_for_the_token_in_the_header_only(site: Site, visitor: Visitor) -> None:
    token = visitor.tokens()["access_token"]
    url = f"{site.url}/auth/userinfo"
    assert httpx.get(url, headers={"authorization": f"Bearer {token}"}).status_code == 200
    for reply in (
        httpx.get(url),
        httpx.get(url, params={"access_token": token}),
        httpx.post(url, data={"access_token": token}),
        httpx.get(url, headers={"authorization": f"Basic {token}"}),
        httpx.get(url, headers={"authorization": f"Bearer {token}x"}),
    ):
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"].startswith("Bearer ")


def test_userinfo_needs_openid_and_a_person(site: Site, visitor: Visitor) -> None:
    token = visitor.tokens(scope="launch/patient patient/*.rs")["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{site.url}/auth/userinfo", headers=bearer).status_code == 403
    service = site.service().json()["access_token"]
    bearer = {"authorization": f"Bearer {service}"}
    assert httpx.get(f"{site.url}/auth/userinfo", headers=bearer).status_code == 401


def test_a_refresh_gives_less_when_less_is_asked_for(site: Site, visitor: Visitor) -> None:
    tokens = visitor.tokens(scope="launch/patient patient/*.rs offline_access")
    asked = {"grant_type": "refresh_token", "client_id": "app"}
    less = site.token(
        **asked, refresh_token=tokens["refresh_token"], scope="patient/Observation.r"
    ).json()
    assert less["scope"] == "patient/Observation.r"
    assert less["patient"] == "p1"
    assert ask(site, less["access_token"]).json()["scope"] == "patient/Observation.r"
    again = site.token(**asked, refresh_token=less["refresh_token"]).json()
    assert again["scope"] == "launch/patient patient/*.rs offline_access"


def test_a_refresh_that_asks_for_more_leaves_the_token_good(site: Site, visitor: Visitor) -> None:
    tokens = visitor.tokens()
    asked = {"grant_type": "refresh_token", "client_id": "app"}
    asked["refresh_token"] = tokens["refresh_token"]
    assert site.token(**asked, scope="patient/*.cruds").json()["error"] == "invalid_scope"
    assert site.token(**asked).status_code == 200


def test_a_used_refresh_token_ends_all_even_with_a_wrong_scope(
    site: Site, visitor: Visitor
) -> None:
    tokens = visitor.tokens()
    asked = {"grant_type": "refresh_token", "client_id": "app"}
    asked["refresh_token"] = tokens["refresh_token"]
    following = site.token(**asked).json()
    assert site.token(**asked, scope="patient/*.cruds").json()["error"] == "invalid_grant"
    assert ask(site, following["access_token"]).json() == {"active": False}


def test_a_disabled_account_has_nothing_any_more(site: Site, visitor: Visitor) -> None:
    site.run(site.desk.accounts.add("leaver", "first pass", site.now - 9, roles=["doctor"]))
    page = visitor.ask(scope="openid user/*.rs offline_access")
    page = visitor.submit(page, username="leaver", password="first pass")
    code = visitor.agree(page).headers["location"].partition("code=")[2].partition("&")[0]
    tokens = visitor.exchange(code).json()
    site.run(site.desk.accounts.disable("leaver", site.now + 9))
    assert ask(site, tokens["access_token"]).json() == {"active": False}
    asked = {"grant_type": "refresh_token", "client_id": "app"}
    reply = site.token(**asked, refresh_token=tokens["refresh_token"])
    assert reply.json()["error"] == "invalid_grant"
    assert visitor.http.get("/auth/login").status_code == 200
